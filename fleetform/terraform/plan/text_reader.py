"""Read a plan from the text that Terraform prints: it lacks the values, but is there seconds before the JSON.

`terraform show -json` starts the provider again to get its schema. The phrases are those of `renderHuman` in
https://github.com/hashicorp/terraform/blob/main/internal/command/jsonformat/plan.go, and in the same file of
OpenTofu. The lines of a value are always indented more than the lines that this module reads.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from fleetform.terraform.plain_text import colorless
from fleetform.terraform.plan.models import REASONS, UNKNOWN, Action, Change, StackPlan, deploys
from fleetform.terraform.plan.summary import summarize

NOT_SHOWN = "(id not shown)"
"""Stands for the id of a resource that is imported without changes, which the text does not show."""

_ADDRESS = r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+'
_START = re.compile(r"\w+ will perform the following actions:")
_COUNTS = "Plan: "
_OUTPUTS = "Changes to Outputs:"
_HEAD = re.compile(
    rf" {{1,2}}# (?P<address>{_ADDRESS})(?: \(deposed object (?P<deposed>\w+)\))?"
    rf" (?P<what>(?:will be|will no longer be|must be|is tainted,) .*|has moved to (?P<moved_to>{_ADDRESS}))"
)
_NOTE = re.compile(r" {1,2}(?:# )?\((?P<note>.+)\)")
_COMMENT = re.compile(r" {0,2}#")
_BLOCK = re.compile(r' {0,3}(?P<sign>[-+~./<=]{0,3}) (?:resource|data) "(?P<type>[^"]+)" "')
# A resource that is only moved or imported has no sign.
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
_REASON_PATTERNS = {
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
_CHANGED = re.compile(r" {6}[-+~] (?P<name>[\w-]+) *[={]")
_FORCES_REPLACEMENT = re.compile(r" # (?:forces replacement|whitespace changes force replacement),?$")
_HEREDOC = re.compile(r"<<-EOT(?: #.*)?$")


class _UnclearError(Exception):
    """The text is not in a format that this reader knows."""


@dataclass
class _ResourceText:
    """The text of one resource.

    Attributes:
        head: The comment above its block, such as `# aws_vpc.this will be created`.
        notes: The comments below that one, without their parentheses.
        block: The first line of its block.
        body: The other lines of its block.
    """

    head: re.Match[str]
    notes: list[str] = field(default_factory=list)
    block: re.Match[str] | None = None
    body: list[str] = field(default_factory=list)


def read(stack: str, lines: Iterable[str]) -> StackPlan | None:
    """Read the output of a plan that has changes.

    The path of an attribute that forces a replacement has no list indexes here.

    Args:
        stack: The stack's name.
        lines: The output of `terraform plan`, colored or not.

    Returns:
        The changes of resources, without values, outputs and drift. None if the text is unclear, or if its
        changes do not match the counts below them: read the JSON then.
    """
    text = [colorless(line) for line in lines]
    starts = [at for at, line in enumerate(text) if _START.fullmatch(line)]
    counts = [at for at, line in enumerate(text) if line.startswith(_COUNTS)]
    if not starts and not counts:
        return StackPlan(stack) if _OUTPUTS in text else None
    if not starts or len(counts) != 1:
        return None
    try:
        plan = StackPlan(stack, tuple(map(_change, _resources(text[starts[0] + 1 : counts[0]]))))
    except _UnclearError:
        return None
    return plan if _matches_counts(plan, text[counts[0]]) else None


def has_outputs(lines: Iterable[str]) -> bool:
    """Whether a plan changes outputs, according to the same text."""
    return any(colorless(line) == _OUTPUTS for line in lines)


def has_changes(lines: Iterable[str]) -> bool:
    """Whether a plan changes anything, according to the same text."""
    return any(line.startswith(_COUNTS) or line == _OUTPUTS for line in map(colorless, lines))


def _matches_counts(plan: StackPlan, line: str) -> bool:
    printed, counts = summarize([line]), plan.counts
    replaced = counts["replace"]
    expected = (counts["add"] + replaced, counts["change"], counts["destroy"] + replaced, counts["import"])
    return (printed.add, printed.change, printed.destroy, printed.imports) == expected


def _resources(lines: Sequence[str]) -> Iterator[_ResourceText]:
    resource: _ResourceText | None = None
    for line in lines:
        if head := _HEAD.fullmatch(line):
            if resource:
                yield resource
            resource = _ResourceText(head)
        elif resource:
            _add_line(resource, line)
        elif line:
            raise _UnclearError
    if resource:
        yield resource


def _add_line(resource: _ResourceText, line: str) -> None:
    """Add a line below the head of a resource."""
    if resource.block:
        if _COMMENT.match(line) or _BLOCK.match(line):
            raise _UnclearError
        resource.body.append(line)
    elif note := _NOTE.fullmatch(line):
        resource.notes.append(note["note"])
    elif block := _BLOCK.match(line):
        resource.block = block
    elif line.strip():
        raise _UnclearError


def _change(resource: _ResourceText) -> Change:
    if not resource.block or resource.block["sign"] not in _SIGNS:
        raise _UnclearError
    head, sign = resource.head, resource.block["sign"]
    action, created_first = _SIGNS[sign]
    deposed = f" (deposed {head['deposed']})" if head["deposed"] else ""
    change = Change(
        (head["moved_to"] or head["address"]) + deposed,
        resource.block["type"],
        action,
        created_first or bool(deposed),
        head["address"] if head["moved_to"] else _match_note(resource, r"moved from (.*)"),
        _imported(resource),
        tuple(sorted(set(_forcing_attributes(resource.body)))) if "/" in sign else (),
        _reason(resource) if action in {Action.REPLACE, Action.DELETE} else "",
        restarts=deploys(resource.block["type"], action, filter(None, map(_changed_name, resource.body))),
    )
    if change.action == Action.REPLACE and not (change.forced_by or change.reason):
        raise _UnclearError
    return change


def _changed_name(line: str) -> str:
    """Return the name of the top-level attribute that a line changes; empty for other lines."""
    match = _CHANGED.match(line)
    return match["name"] if match else ""


def _imported(resource: _ResourceText) -> str:
    if resource.head["what"] == "will be imported":
        return NOT_SHOWN
    return (
        UNKNOWN
        if "will be imported first" in resource.notes
        else _match_note(resource, r'imported from "(.*)"')
    )


def _reason(resource: _ResourceText) -> str:
    texts = [resource.head["what"], *resource.notes]
    return next(
        (reason for pattern, reason in _REASON_PATTERNS.items() if any(map(pattern.fullmatch, texts))), ""
    )


def _match_note(resource: _ResourceText, pattern: str) -> str:
    """Return the first group of the first matching note; empty without one."""
    return next((match[1] for note in resource.notes if (match := re.fullmatch(pattern, note))), "")


def _forcing_attributes(body: Iterable[str]) -> Iterator[str]:
    """Yield the paths of the attributes that force a replacement, by indentation."""
    parents: list[tuple[int, str]] = []
    heredoc: int | None = None
    for line in body:
        item = _ITEM.match(line)
        column = item.start("item") if item else 0
        if heredoc is not None and column > heredoc:
            continue
        name = item["name"] if item else None
        parents = [parent for parent in parents if parent[0] < column or (parent[0] == column and not name)]
        if name:
            parents.append((column, name.strip('"')))
        heredoc = column if _HEREDOC.search(line) else None
        if _FORCES_REPLACEMENT.search(line):
            yield ".".join(name for _, name in parents)
