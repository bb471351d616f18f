"""What a plan would do, read from what Terraform prints of it: no values, but seconds sooner than its JSON.

`terraform show -json` starts the provider anew for its schema. The texts are those of `renderHuman` in
https://github.com/hashicorp/terraform/blob/main/internal/command/jsonformat/plan.go, and in the same file of OpenTofu.
Whatever a value holds, no line of it begins as far left as those that are read here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from fleetform.terraform.plain_text import colorless
from fleetform.terraform.plan.models import REASONS, UNKNOWN, Action, Change, StackPlan
from fleetform.terraform.plan.summary import summarize

NOT_SHOWN = "an id that is not told"
"""Stands for the id of what is imported and not changed."""

_ADDRESS = r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+'
_BEGINNING = re.compile(r"\w+ will perform the following actions:")
_COUNTS = "Plan: "
_OUTPUTS = "Changes to Outputs:"
_HEAD = re.compile(
    rf" {{1,2}}# (?P<address>{_ADDRESS})(?: \(deposed object (?P<deposed>\w+)\))?"
    rf" (?P<what>(?:will be|will no longer be|must be|is tainted,) .*|has moved to (?P<moved_to>{_ADDRESS}))"
)
_NOTE = re.compile(r" {1,2}(?:# )?\((?P<note>.+)\)")
_COMMENT = re.compile(r" {0,2}#")
_BLOCK = re.compile(r' {0,3}(?P<sign>[-+~./<=]{0,3}) (?:resource|data) "(?P<type>[^"]+)" "')
# The sign of what is only moved or imported is blank.
_SIGNS = {
    "+": (Action.CREATE, False),
    "~": (Action.UPDATE, False),
    "-": (Action.DELETE, False),
    "-/+": (Action.REPLACE, False),
    "+/-": (Action.REPLACE, True),
    "<=": (Action.READ, False),
    ".": (Action.FORGET, False),
    "+/.": (Action.CREATE, False),
    "./+": (Action.CREATE, False),
    "": (Action.NONE, False),
}
_REASON = {
    re.compile(pattern): REASONS[reason]
    for pattern, reason in {
        r"is tainted, so (?:it )?must be replaced": "replace_because_tainted",
        r"will be replaced, as requested": "replace_by_request",
        r"will be replaced due to changes in replace_triggered_by": "replace_by_triggers",
        rf"because {_ADDRESS} was moved to .*": "delete_because_no_move_target",
        r"because module\..* is not in configuration": "delete_because_no_module",
        rf"because {_ADDRESS} is not in configuration": "delete_because_no_resource_config",
        r"because resource (?:uses|does not use) .*": "delete_because_wrong_repetition",
        r"because index .* is out of range for count": "delete_because_count_index",
        r"because key .* is not in for_each map": "delete_because_each_key",
        r"because enabled is false": "delete_because_enabled_false",
    }.items()
}
_ITEM = re.compile(r' *(?:[-+~] )?(?P<item>(?:(?P<name>[^\W\d][\w-]*|"(?:[^"\\]|\\.)*") *(?:=|\{|"))?)')
_FORCES = re.compile(r" # (?:forces replacement|whitespace changes force replacement),?$")
_TEXT = re.compile(r"<<-EOT(?: #.*)?$")


class _UnclearError(Exception):
    """The text is none that this reader knows."""


@dataclass
class _ResourceText:
    """A resource as it is printed: the line above its block, the notes below that line, and the block."""

    head: re.Match[str]
    notes: list[str] = field(default_factory=list)
    block: re.Match[str] | None = None
    body: list[str] = field(default_factory=list)


def read(stack: str, lines: Iterable[str]) -> StackPlan | None:
    """Reads the output of a plan that has changes.

    An attribute that forces a replacement is named without the places in lists that lead to it.

    Args:
        stack: The stack's name.
        lines: What Terraform printed, in colours or not.

    Returns:
        The changes of resources, without values, outputs and drift; or None if the text leaves anything open, or its
        changes do not add up to the counts below it: the JSON tells then.
    """
    said = [colorless(line) for line in lines]
    beginnings = [at for at, line in enumerate(said) if _BEGINNING.fullmatch(line)]
    counts = [at for at, line in enumerate(said) if line.startswith(_COUNTS)]
    if not beginnings and not counts:
        return StackPlan(stack) if _OUTPUTS in said else None
    if not beginnings or len(counts) != 1:
        return None
    try:
        plan = StackPlan(stack, tuple(map(_change, _resources(said[beginnings[0] + 1 : counts[0]]))))
    except _UnclearError:
        return None
    return plan if _matches_counts(plan, said[counts[0]]) else None


def has_outputs(lines: Iterable[str]) -> bool:
    """Whether a plan changes outputs, by the same text."""
    return any(colorless(line) == _OUTPUTS for line in lines)


def _matches_counts(plan: StackPlan, line: str) -> bool:
    said, found = summarize([line]), plan.counts
    replaced = found["replace"]
    expected = (found["add"] + replaced, found["change"], found["destroy"] + replaced, found["import"])
    return (said.add, said.change, said.destroy, said.imports) == expected


def _resources(lines: Sequence[str]) -> Iterator[_ResourceText]:
    printed: _ResourceText | None = None
    for line in lines:
        if head := _HEAD.fullmatch(line):
            if printed:
                yield printed
            printed = _ResourceText(head)
        elif printed:
            _take(printed, line)
        elif line:
            raise _UnclearError
    if printed:
        yield printed


def _take(printed: _ResourceText, line: str) -> None:
    """Takes a line below that above a resource's block."""
    if printed.block:
        if _COMMENT.match(line) or _BLOCK.match(line):
            raise _UnclearError
        printed.body.append(line)
    elif note := _NOTE.fullmatch(line):
        printed.notes.append(note["note"])
    elif block := _BLOCK.match(line):
        printed.block = block
    elif line.strip():
        raise _UnclearError


def _change(printed: _ResourceText) -> Change:
    if not printed.block or printed.block["sign"] not in _SIGNS:
        raise _UnclearError
    head, sign = printed.head, printed.block["sign"]
    action, created_first = _SIGNS[sign]
    deposed = f" (deposed {head['deposed']})" if head["deposed"] else ""
    change = Change(
        (head["moved_to"] or head["address"]) + deposed,
        printed.block["type"],
        action,
        created_first or bool(deposed),
        head["address"] if head["moved_to"] else _apply_notes(printed, r"moved from (.*)"),
        _imported(printed),
        tuple(sorted(set(_forced(printed.body)))) if "/" in sign else (),
        _reason(printed) if action in {Action.REPLACE, Action.DELETE} else "",
    )
    if change.action == Action.REPLACE and not (change.forced_by or change.reason):
        raise _UnclearError
    return change


def _imported(printed: _ResourceText) -> str:
    if printed.head["what"] == "will be imported":
        return NOT_SHOWN
    return UNKNOWN if "will be imported first" in printed.notes else _apply_notes(printed, r'imported from "(.*)"')


def _reason(printed: _ResourceText) -> str:
    said = [printed.head["what"], *printed.notes]
    return next((reason for known, reason in _REASON.items() if any(map(known.fullmatch, said))), "")


def _apply_notes(printed: _ResourceText, pattern: str) -> str:
    """What one of the notes says; empty if none does."""
    return next((match[1] for note in printed.notes if (match := re.fullmatch(pattern, note))), "")


def _forced(body: Iterable[str]) -> Iterator[str]:
    """The attributes that force a replacement: what one is in stands above it, further left, as far as its end."""
    holders: list[tuple[int, str]] = []
    text: int | None = None
    for line in body:
        item = _ITEM.match(line)
        column = item.start("item") if item else 0
        if text is not None and column > text:
            continue
        name = item["name"] if item else None
        holders = [holder for holder in holders if holder[0] < column or (holder[0] == column and not name)]
        if name:
            holders.append((column, name.strip('"')))
        text = column if _TEXT.search(line) else None
        if _FORCES.search(line):
            yield ".".join(name for _, name in holders)
