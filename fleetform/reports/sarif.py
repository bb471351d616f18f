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
from fleetform.reports.diagnostic import Level, Note, Remark, Topic

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# On GitHub, 9.0 and above is critical, 7.0 high, 4.0 medium, below low.
_SCORES = {"high": "8.0", "medium": "5.5", "low": "2.0"}
# The only fingerprint by which GitHub matches alerts. By default, it hashes the lines around, which move.
_FINGERPRINT = "primaryLocationLineHash"


def sarif(remarks: Sequence[Remark]) -> str:
    """Return SARIF 2.1.0, which code scanning services read."""
    firsts = {remark.rule: remark for remark in reversed(remarks)}
    rules = sorted(firsts)
    indices = {rule: index for index, rule in enumerate(rules)}
    driver = {"name": "Fleetform", "rules": [_rule(firsts[rule]) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(remark, indices[remark.rule], fingerprint)
            for remark, fingerprint in zip(remarks, _fingerprints(remarks), strict=True)
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(remark: Remark) -> dict[str, Any]:
    """Return the rule of a diagnostic; keys of the catalog have only documentation."""
    if remark.topic:
        return {"id": remark.rule, **_rule_text(remark.topic, remark.severity, remark.level)}
    return {"id": remark.rule, **({"help": {"text": remark.documentation}} if remark.documentation else {})}


def _rule_text(topic: Topic, severity: str, level: Level) -> dict[str, Any]:
    good = f"\n\nGood:\n\n```hcl\n{topic.good.strip()}\n```" if topic.good else ""
    return {
        "shortDescription": {"text": topic.title},
        "fullDescription": {"text": topic.why},
        "help": {"text": f"{topic.why} {topic.link}".strip(), "markdown": f"{topic.why}{good}"},
        **({"helpUri": topic.link} if topic.link.startswith("https://") else {}),
        "defaultConfiguration": {"level": str(level)},
        "properties": {"tags": ["security"], "security-severity": _SCORES[severity]},
    }


def _fingerprints(remarks: Sequence[Remark]) -> list[str]:
    """Return IDs that stay the same while lines move; equal ones are numbered."""
    seen: Counter[str] = Counter()
    fingerprints = []
    for remark in remarks:
        parts = "\0".join((remark.rule, remark.file.as_posix(), remark.address or remark.message))
        same = hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()[:16]
        seen[same] += 1
        fingerprints.append(f"{same}:{seen[same]}")
    return fingerprints


def _result(remark: Remark, index: int, fingerprint: str) -> dict[str, Any]:
    related = [_related(note, number) for number, note in enumerate(remark.notes, 1)]
    return {
        "ruleId": remark.rule,
        "ruleIndex": index,
        "level": str(remark.level),
        "message": {"text": _message(remark)},
        "locations": [{"physicalLocation": _physical(remark.file, remark.line, remark.column)}],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }


def _message(remark: Remark) -> str:
    """Return the sentence with a link to each related position: GitHub shows only linked ones."""
    links = (f"{note.what} [{printable(str(note.place))}]({number})" for number, note in enumerate(remark.notes, 1))
    return "; ".join((remark.sentence, *links))


def _related(note: Note, number: int) -> dict[str, Any]:
    return {"id": number, "message": {"text": note.what}, "physicalLocation": _physical(*note.place)}


def _physical(file: PurePath, line: int, column: int | None) -> dict[str, Any]:
    region = {"startLine": line, **({"startColumn": column} if column else {})}
    return {"artifactLocation": {"uri": quote(file.as_posix())}, "region": region}
