"""Adopted resources: an import must never end in a replacement."""

from collections.abc import Iterable

from fleetform.terraform.plan.models import Action, Change

_REMEDIES = {
    "capacity_provider_strategy": "it has a launch type, which AWS cannot change; set `launch_type: FARGATE`",
}
_OTHERWISE = "set the key to what the resource has, or do not adopt it"


def replaced_imports(changes: Iterable[Change]) -> list[str]:
    """Return a message for each resource that a plan would import and replace, with what forces it."""
    return [
        f"{change.address}: `{change.imported}` is adopted and would be replaced, because of"
        f" {_reasons(change)}; {_remedy(change)}"
        for change in changes
        if change.imported and change.action in {Action.REPLACE, Action.DELETE}
    ]


def _reasons(change: Change) -> str:
    attributes = sorted({f"`{path}`" for path in map(_top_level, change.forced_by)})
    return ", ".join(attributes) or change.reason or "a change"


def _remedy(change: Change) -> str:
    remedies = (_REMEDIES.get(attribute) for attribute in map(_top_level, change.forced_by))
    return next(filter(None, remedies), _OTHERWISE)


def _top_level(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]
