"""Diagnostics as JSON."""

import json
from collections.abc import Sequence
from typing import Any

from fleetform.reports.diagnostic import Diagnostic, Note

_ALWAYS = ("line", "column", "rule", "message", "remedy", "documentation", "level")
_OF_FINDINGS = ("severity", "address", "stack")


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Return JSON, for scripts."""
    return json.dumps({"problems": [_plain(diagnostic) for diagnostic in diagnostics]}, indent=2) + "\n"


def _plain(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return a diagnostic without its source lines, which may be long; the reader has the file."""
    problem = {"file": diagnostic.file.as_posix(), **{key: getattr(diagnostic, key) for key in _ALWAYS}}
    if diagnostic.severity:
        problem |= {key: getattr(diagnostic, key) for key in _OF_FINDINGS}
        problem["notes"] = [_note(note) for note in diagnostic.notes]
    return problem


def _note(note: Note) -> dict[str, Any]:
    file, line, column = note.place
    return {"what": note.what, "file": file.as_posix(), "line": line, "column": column}
