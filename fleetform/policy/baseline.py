"""The baseline: a committed file with the findings at the time of adoption. Only new findings fail a check.

An entry is a rule at an address of a stack. It has no line, so that edits do not change the file.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from fleetform.base.errors import InputError
from fleetform.base.program_name import command
from fleetform.catalog.files import baseline_file
from fleetform.policy.exceptions import RULES as ABOUT_EXCEPTIONS
from fleetform.policy.exceptions import matches
from fleetform.policy.finding import BaselineEntry, Finding, OpenAnswer


class Comparison(NamedTuple):
    """Findings compared with a baseline.

    Attributes:
        new: The findings that are not in the baseline. If a rule has more findings at an address than the
            baseline, all of them.
        stale: The entries that are no longer found, sorted.
    """

    new: list[Finding]
    stale: list[BaselineEntry]


def entry(finding: Finding) -> BaselineEntry:
    """Return the entry of a finding."""
    return BaselineEntry(finding.rule, finding.stack, finding.address)


def to_json(findings: Iterable[Finding]) -> str:
    """Return findings as JSON, one sorted entry a line, without those about exceptions."""
    entries = sorted(entry(finding) for finding in findings if finding.rule not in ABOUT_EXCEPTIONS)
    lines = ",\n".join(f"    {json.dumps(item._asdict())}" for item in entries)
    return f'{{\n  "findings": [\n{lines}\n  ]\n}}\n' if entries else '{\n  "findings": []\n}\n'


def parse(text: str, env: str) -> list[BaselineEntry]:
    """Return the entries of an environment's baseline.

    Raises:
        InputError: The text is not a baseline.
    """
    with contextlib.suppress(KeyError, RecursionError, TypeError, ValueError):
        entries = [BaselineEntry(**item) for item in json.loads(text)["findings"]]
        if all(isinstance(part, str) for item in entries for part in item):
            return entries
    remedy = f"`{command('check', env=env, write_baseline=True)}` creates it again"
    raise InputError(f"{baseline_file(env)}: not a valid baseline; {remedy}")


def compare(
    findings: Sequence[Finding], entries: Iterable[BaselineEntry], undecided: Collection[OpenAnswer] = ()
) -> Comparison:
    """Compare findings with a baseline.

    Args:
        findings: The current findings.
        entries: The baseline.
        undecided: Open answers: an entry that may be one of them still counts as found.
    """
    baseline_counts, current_counts = Counter(entries), Counter(map(entry, findings))
    new = [
        finding for finding in findings if current_counts[entry(finding)] > baseline_counts[entry(finding)]
    ]
    missing = (baseline_counts - current_counts).elements()
    stale = sorted(
        each for each in missing if not any(_may_be_found(each, question) for question in undecided)
    )
    return Comparison(new, stale)


def _may_be_found(missing: BaselineEntry, question: OpenAnswer) -> bool:
    """Return whether a plan may find it again; only the plan knows the keys of `x.y[*]`."""
    same = (missing.rule, missing.stack) == (question.rule, question.stack)
    return same and matches(question.address, missing.address)
