"""Diagnostics as JSON."""

import json
from collections.abc import Sequence
from typing import Any

from fleetform.reports.diagnostic import Note, Remark

_ALWAYS = ("line", "column", "rule", "message", "remedy", "documentation", "level")
_OF_FINDINGS = ("severity", "address", "stack")


def as_json(remarks: Sequence[Remark]) -> str:
    """Return JSON, for scripts."""
    return json.dumps({"problems": [_plain(remark) for remark in remarks]}, indent=2) + "\n"


def _plain(remark: Remark) -> dict[str, Any]:
    """Return a diagnostic without its source lines, which may be long; the reader has the file."""
    problem = {"file": remark.file.as_posix(), **{key: getattr(remark, key) for key in _ALWAYS}}
    if remark.severity:
        problem |= {key: getattr(remark, key) for key in _OF_FINDINGS}
        problem["notes"] = [_note(note) for note in remark.notes]
    return problem


def _note(note: Note) -> dict[str, Any]:
    file, line, column = note.place
    return {"what": note.what, "file": file.as_posix(), "line": line, "column": column}
