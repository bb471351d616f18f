"""What policies of a plan allow, one sentence for each action and resource."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .plans import Resources


@dataclass(frozen=True, order=True)
class Permission:
    """What one statement of a policy says of one action and one resource.

    Attributes:
        policy: The address of the policy in its module.
        effect: ``Allow`` or ``Deny``.
        action: Such as ``s3:GetObject``.
        resource: An ARN or ``*``; empty for what the policy itself belongs to.
        principal: Who, such as ``Service ecs-tasks.amazonaws.com``; empty for who has the role.
        conditions: Under which it holds, such as ``ArnLike aws:SourceArn arn:...``.
    """

    policy: str
    effect: str
    action: str
    resource: str
    principal: str
    conditions: tuple[str, ...]

    def __str__(self) -> str:
        """One line, and one more for each condition."""
        by = self.principal and f" to {self.principal}"
        on = self.resource and f" on {self.resource}"
        conditions = "".join(f"\n    if {condition}" for condition in self.conditions)
        return f"{self.policy}: {self.effect} {self.action}{by}{on}{conditions}"


def permissions(resources: Resources) -> Iterator[Permission]:
    """What the policies in a module, of whatever kind, allow and deny.

    A service's name is ``<name>`` in it.
    """
    name = resources.get("aws_ecs_task_definition.this", {}).get("family")
    for address, values in resources.items():
        for key, document in values.items():
            if isinstance(document, dict) and "Statement" in document:
                policy = f"{address.partition('[')[0]}{'.assume' if key == 'assume_role_policy' else ''}"
                yield from _of_document(policy, document, name)


def _of_document(policy: str, document: Mapping[str, Any], name: str | None) -> Iterator[Permission]:
    for statement in _listed(document["Statement"]):
        assert not statement.keys() & {"NotAction", "NotPrincipal", "NotResource"}, statement
        conditions = tuple(_without(name, condition) for condition in sorted(_conditions(statement)))
        for principal in _principals(statement):
            for action in _listed(statement["Action"]):
                for resource in _listed(statement.get("Resource", "")):
                    on = _without(name, resource)
                    yield Permission(policy, statement["Effect"], action, on, principal, conditions)


def _conditions(statement: Mapping[str, Any]) -> Iterator[str]:
    for test, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield f"{test} {key} {' or '.join(sorted(_listed(values)))}"


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", "")
    if isinstance(principal, str):
        return [principal]
    return [f"{kind} {name}" for kind, names in principal.items() for name in _listed(names)]


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]


def _without(name: str | None, text: str) -> str:
    return text.replace(name, "<name>") if name else text
