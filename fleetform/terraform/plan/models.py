"""A saved plan, read from Terraform's JSON: each change, what forces it, and the values that differ.

https://developer.hashicorp.com/terraform/internals/json-format
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fleetform.base.errors import ProgramError

SENSITIVE = "(sensitive)"
UNKNOWN = "(known after apply)"


class Action(StrEnum):
    """What is done to one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    READ = "read"
    FORGET = "forget"
    NONE = "no-op"


# Terraform lists the two halves of a replacement in the order in which they happen. OpenTofu keeps what it
# forgets.
_ACTIONS: Mapping[tuple[str, ...], tuple[Action, bool]] = {
    (str(action),): (action, False) for action in Action if action != Action.REPLACE
} | {
    ("delete", "create"): (Action.REPLACE, False),
    ("create", "delete"): (Action.REPLACE, True),
    ("forget", "create"): (Action.CREATE, False),
    ("create", "forget"): (Action.CREATE, False),
}
# A change of one of these deploys: ECS replaces all tasks. See UpdateService,
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
_DEPLOYING = frozenset(
    {
        "capacity_provider_strategy",
        "force_new_deployment",
        "load_balancer",
        "network_configuration",
        "platform_version",
        "service_connect_configuration",
        "service_registries",
        "task_definition",
        "triggers",
        "volume_configuration",
        "vpc_lattice_configurations",
    }
)
REASONS = {
    "replace_because_tainted": "it is tainted",
    "replace_by_request": "it was requested",
    "replace_by_triggers": "of its replace_triggered_by",
    "delete_because_no_resource_config": "its block was removed",
    "delete_because_no_module": "its module was removed",
    "delete_because_no_move_target": "the block that it moves to is missing",
    "delete_because_wrong_repetition": "its block's count or for_each changed",
    "delete_because_count_index": "its index is beyond the count",
    "delete_because_each_key": "its key was removed from for_each",
    "delete_because_enabled_false": "its enabled is false",
}
"""The reason for a replacement or destruction, as the end of a sentence, by its name in the JSON."""


@dataclass(frozen=True)
class Difference:
    """A value before and after; `SENSITIVE` or `UNKNOWN` stands in for what must not, or cannot, be shown.

    Attributes:
        name: A top-level attribute of a resource, or an output.
        before: As JSON has it; None if absent.
        after: The same.
    """

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """What is done to one resource.

    Attributes:
        address: Its address; with the deposed key for what an earlier replacement left behind.
        type: Such as `aws_lb`.
        action: What is done; none if it is only moved or imported.
        created_first: Whether its replacement is created before it is destroyed.
        moved_from: Its earlier address; empty if unchanged.
        imported: The id that it is imported by; empty if it is not imported.
        forced_by: The attributes that force a replacement, such as `subnets[0]`.
        reason: Another reason for its replacement or destruction, as the end of a sentence; empty without
            one.
        differences: The attributes that an update or a replacement changes.
        restarts: Whether an ECS service replaces all its tasks, a few at a time.
    """

    address: str
    type: str
    action: Action
    created_first: bool = False
    moved_from: str = ""
    imported: str = ""
    forced_by: tuple[str, ...] = ()
    reason: str = ""
    differences: tuple[Difference, ...] = ()
    restarts: bool = False


@dataclass(frozen=True)
class StackPlan:
    """The plan of one stack.

    Attributes:
        stack: The stack's name.
        changes: In Terraform's order; without unchanged resources.
        outputs: The outputs that change.
        drift: Changes outside of Terraform since its last apply.
        stale: Whether it reads outputs of the foundation that change with the foundation's plan, so that it
            may change more than this plan shows.
        later: In the foundation, the addresses of changes that wait until the services are applied.
    """

    stack: str
    changes: tuple[Change, ...] = ()
    outputs: tuple[Difference, ...] = ()
    drift: tuple[Change, ...] = ()
    later: tuple[str, ...] = ()
    stale: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of resources in each column of the table.

        One may count twice, as moved and changed.
        """
        actions = [change.action for change in self.changes]
        return {
            "add": actions.count(Action.CREATE),
            "change": actions.count(Action.UPDATE),
            "replace": actions.count(Action.REPLACE),
            "destroy": actions.count(Action.DELETE),
            "import": sum(bool(change.imported) for change in self.changes),
            "move": sum(bool(change.moved_from) for change in self.changes),
            "forget": actions.count(Action.FORGET),
            "restart": sum(change.restarts for change in self.changes),
        }


def deploys(type_: str, action: Action, names: Iterable[str]) -> bool:
    """Whether a change makes an ECS service replace all its tasks, a few at a time.

    Args:
        type_: The resource's type.
        action: What is done to it.
        names: The attributes that change.
    """
    return type_ == "aws_ecs_service" and action == Action.UPDATE and not _DEPLOYING.isdisjoint(names)


def read(stack: str, shown: Mapping[str, Any]) -> StackPlan:
    """Read a stack's plan from ``terraform show -json``.

    Raises:
        ProgramError: It has an action that this version does not know.
    """
    return StackPlan(
        stack,
        tuple(filter(_is_reported, map(_change, shown.get("resource_changes", ())))),
        tuple(_outputs(shown.get("output_changes", {}))),
        tuple(filter(_is_drift, map(_change, shown.get("resource_drift", ())))),
    )


def _is_drift(change: Change) -> bool:
    """Whether a change outside of Terraform means anything: a refresh reads `{}` where null was written."""
    if change.action != Action.UPDATE or change.moved_from or change.imported:
        return _is_reported(change)
    return any(_compact(each.before) != _compact(each.after) for each in change.differences)


def _compact(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value without empty parts; None if nothing is left."""
    if isinstance(value, dict):
        return {key: part for key, each in value.items() if (part := _compact(each)) is not None} or None
    if isinstance(value, list):
        return [_compact(each) for each in value] or None
    return None if value == "" else value


def _is_reported(change: Change) -> bool:
    return change.action != Action.NONE or bool(change.moved_from or change.imported)


def _change(entry: Mapping[str, Any]) -> Change:
    change = entry["change"]
    deposed = f" (deposed {entry['deposed']})" if entry.get("deposed") else ""
    address, moved_from = entry["address"], entry.get("previous_address", "")
    action, created_first = _action(address, change["actions"])
    differences = tuple(_differences(change)) if action in {Action.UPDATE, Action.REPLACE} else ()
    return Change(
        address + deposed,
        entry["type"],
        action,
        created_first or bool(deposed),
        "" if moved_from == address else moved_from,
        _imported(change.get("importing")),
        tuple(sorted(map(_path, change.get("replace_paths", ())))),
        REASONS.get(entry.get("action_reason", ""), "") if action in {Action.REPLACE, Action.DELETE} else "",
        differences,
        deploys(entry["type"], action, _deploying_names(change, differences)),
    )


def _deploying_names(change: Mapping[str, Any], differences: Iterable[Difference]) -> set[str]:
    names = {each.name for each in differences}
    forced = (change.get("after") or {}).get("force_new_deployment") is True
    return names | ({"force_new_deployment"} if forced else set())


def _action(address: str, actions: list[str]) -> tuple[Action, bool]:
    try:
        return _ACTIONS[tuple(actions)]
    except KeyError:
        raise ProgramError(
            f"{address}: Terraform would `{', '.join(actions)}` it, which this version of Fleetform does"
            " not know;"
            " use an older Terraform, or a newer Fleetform"
        ) from None


def _imported(importing: Mapping[str, Any] | None) -> str:
    """Return the id of an import; some resources have an identity of several parts instead."""
    return str(importing.get("id") or importing.get("identity") or UNKNOWN) if importing is not None else ""


def _path(steps: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _differences(change: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = change.get("before") or {}, change.get("after") or {}
    unknown = change.get("after_unknown") or {}
    for name in sorted(before.keys() | after.keys() | unknown.keys()):
        later = _element(unknown, name)
        if before.get(name) != after.get(name) or _has_mark(later):
            yield Difference(
                name,
                _format_value(before.get(name), None, _element(change.get("before_sensitive"), name)),
                _format_value(after.get(name), later, _element(change.get("after_sensitive"), name)),
            )


def _outputs(changes: Mapping[str, Mapping[str, Any]]) -> Iterator[Difference]:
    for name, change in sorted(changes.items()):
        if change["actions"] != [Action.NONE]:
            yield Difference(
                name,
                _format_value(change.get("before"), None, change.get("before_sensitive")),
                _format_value(
                    change.get("after"), change.get("after_unknown"), change.get("after_sensitive")
                ),
            )


def _format_value(value: Any, unknown: Any, sensitive: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value with `SENSITIVE` or `UNKNOWN` in place of what must not, or cannot yet, be shown.

    Args:
        value: The value, without its unknown parts.
        unknown: True where it is unknown, in the shape of the value.
        sensitive: The same where it is sensitive.
    """
    if sensitive is True:
        return SENSITIVE if value is not None or _has_mark(unknown) else None
    if unknown is True:
        return UNKNOWN
    if isinstance(value, dict) or (isinstance(unknown, dict) and unknown):
        keys = [
            *(value or {}),
            *(key for key in unknown or {} if key not in (value or {}) and _has_mark(unknown[key])),
        ]
        return {
            key: _format_value((value or {}).get(key), _element(unknown, key), _element(sensitive, key))
            for key in keys
        }
    if isinstance(value, list):
        return [
            _format_value(item, _element(unknown, at), _element(sensitive, at))
            for at, item in enumerate(value)
        ]
    return value


def _element(marks: Any, step: str | int) -> Any:  # noqa: ANN401 - JSON
    """Return the marks of one element; True marks all elements."""
    if isinstance(marks, dict):
        return marks.get(step)
    if isinstance(marks, list):
        return marks[int(step)] if int(step) < len(marks) else None
    return marks


def _has_mark(marks: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether anything is marked."""
    parts = marks.values() if isinstance(marks, dict) else marks if isinstance(marks, list) else ()
    return marks is True or any(map(_has_mark, parts))
