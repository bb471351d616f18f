"""Diagnostics as SARIF 2.1.0, which code scanning services read.

The subset that GitHub supports:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from fleetform.base.errors import printable
from fleetform.reports.diagnostic import Diagnostic, Level, Note, RuleText

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# On GitHub, 9.0 and above is critical, 7.0 high, 4.0 medium, below low.
_SCORES = {"high": "8.0", "medium": "5.5", "low": "2.0"}
# The only fingerprint by which GitHub matches alerts. By default, it hashes the lines around, which move.
_FINGERPRINT = "primaryLocationLineHash"


def sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """Return SARIF 2.1.0, which code scanning services read."""
    firsts = {diagnostic.rule: diagnostic for diagnostic in reversed(diagnostics)}
    rules = sorted(firsts)
    indices = {rule: index for index, rule in enumerate(rules)}
    driver = {"name": "Fleetform", "rules": [_rule(firsts[rule]) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(diagnostic, indices[diagnostic.rule], fingerprint)
            for diagnostic, fingerprint in zip(diagnostics, _fingerprints(diagnostics), strict=True)
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return the rule of a diagnostic; keys of the catalog have only documentation."""
    if diagnostic.topic:
        return {"id": diagnostic.rule, **_rule_text(diagnostic.topic, diagnostic.severity, diagnostic.level)}
    return {
        "id": diagnostic.rule,
        **({"help": {"text": diagnostic.documentation}} if diagnostic.documentation else {}),
    }


def _rule_text(topic: RuleText, severity: str, level: Level) -> dict[str, Any]:
    good = f"\n\nGood:\n\n```hcl\n{topic.good.strip()}\n```" if topic.good else ""
    return {
        "shortDescription": {"text": topic.title},
        "fullDescription": {"text": topic.why},
        "help": {"text": f"{topic.why} {topic.link}".strip(), "markdown": f"{topic.why}{good}"},
        **({"helpUri": topic.link} if topic.link.startswith("https://") else {}),
        "defaultConfiguration": {"level": str(level)},
        "properties": {"tags": ["security"], "security-severity": _SCORES[severity]},
    }


def _fingerprints(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """Return IDs that stay the same while lines move; equal ones are numbered."""
    seen: Counter[str] = Counter()
    fingerprints = []
    for diagnostic in diagnostics:
        parts = "\0".join(
            (diagnostic.rule, diagnostic.file.as_posix(), diagnostic.address or diagnostic.message)
        )
        same = hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()[:16]
        seen[same] += 1
        fingerprints.append(f"{same}:{seen[same]}")
    return fingerprints


def _result(diagnostic: Diagnostic, index: int, fingerprint: str) -> dict[str, Any]:
    related = [_related(note, number) for number, note in enumerate(diagnostic.notes, 1)]
    return {
        "ruleId": diagnostic.rule,
        "ruleIndex": index,
        "level": str(diagnostic.level),
        "message": {"text": _message(diagnostic)},
        "locations": [{"physicalLocation": _physical(diagnostic.file, diagnostic.line, diagnostic.column)}],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }


def _message(diagnostic: Diagnostic) -> str:
    """Return the sentence with a link to each related position: GitHub shows only linked ones."""
    links = (
        f"{note.what} [{printable(str(note.place))}]({number})"
        for number, note in enumerate(diagnostic.notes, 1)
    )
    return "; ".join((diagnostic.sentence, *links))


def _related(note: Note, number: int) -> dict[str, Any]:
    return {"id": number, "message": {"text": note.what}, "physicalLocation": _physical(*note.place)}


def _physical(file: PurePath, line: int, column: int | None) -> dict[str, Any]:
    region = {"startLine": line, **({"startColumn": column} if column else {})}
    return {"artifactLocation": {"uri": quote(file.as_posix())}, "region": region}
