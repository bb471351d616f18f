"""A baseline: the findings that were there when the policy was taken on, in a committed file. Only new ones fail.

An entry is a rule at an address of a stack: no line, so that the file does not change with every edit.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePath
from typing import NamedTuple

from fleetform.errors import InputError
from fleetform.policy.exceptions import RULES as ABOUT_EXCEPTIONS
from fleetform.policy.exceptions import matches
from fleetform.policy.finding import Finding, Open


class Entry(NamedTuple):
    """What stays the same of a finding while files are edited."""

    rule: str
    stack: str
    address: str


class Comparison(NamedTuple):
    """Findings beside a baseline.

    Attributes:
        new: The findings that it does not have. Of a rule that is broken more often at an address than it has, all.
        gone: Its entries that are no findings any more, sorted.
    """

    new: list[Finding]
    gone: list[Entry]


def baseline_file(env: str) -> PurePath:
    """The baseline of an environment, from the project's root."""
    return PurePath("envs", env, "policy-baseline.json")


def entry(finding: Finding) -> Entry:
    """The entry of a finding."""
    return Entry(finding.rule, finding.stack, finding.address)


def written(findings: Iterable[Finding]) -> str:
    """A baseline of findings: JSON, an entry a line, sorted; none about exceptions, which can be mended at once."""
    entries = sorted(entry(finding) for finding in findings if finding.rule not in ABOUT_EXCEPTIONS)
    lines = ",\n".join(f"    {json.dumps(known._asdict())}" for known in entries)
    return f'{{\n  "findings": [\n{lines}\n  ]\n}}\n' if entries else '{\n  "findings": []\n}\n'


def read(text: str, env: str) -> list[Entry]:
    """The entries of an environment's baseline.

    Raises:
        InputError: It is none.
    """
    with contextlib.suppress(KeyError, RecursionError, TypeError, ValueError):
        entries = [Entry(**known) for known in json.loads(text)["findings"]]
        if all(isinstance(part, str) for known in entries for part in known):
            return entries
    mend = f"`invoke check --env {env} --write-baseline` makes it anew"
    raise InputError(f"{baseline_file(env)}: no baseline of findings; {mend}")


def compare(findings: Sequence[Finding], entries: Iterable[Entry], undecided: Collection[Open] = ()) -> Comparison:
    """Findings beside a baseline.

    Args:
        findings: What is found now.
        entries: The baseline.
        undecided: What a plan may yet find: it is not gone.
    """
    known, found = Counter(entries), Counter(map(entry, findings))
    new = [finding for finding in findings if found[entry(finding)] > known[entry(finding)]]
    gone = (known - found).elements()
    return Comparison(new, sorted(lost for lost in gone if not any(_may_be(lost, question) for question in undecided)))


def _may_be(lost: Entry, question: Open) -> bool:
    """Whether a plan may find it again; of `x.y[*]` it will tell the keys."""
    same = (lost.rule, lost.stack) == (question.rule, question.stack)
    return same and matches(question.address, lost.address)
