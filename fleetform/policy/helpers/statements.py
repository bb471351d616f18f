"""Statements of IAM policies, from `aws_iam_policy_document` or from JSON, in the terms of JSON.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import wraps
from typing import Final, NamedTuple, TypeAlias

from fleetform.hcl.eval.expressions import evaluate
from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Path, Unknown, Value
from fleetform.policy.rule import Facts, ResourceCheck, Undecided, Violation

IDENTITY_POLICIES: Final = (
    *("aws_iam_policy_document", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy"),
    *("aws_iam_group_policy", "aws_iam_role"),
)
"""Types with identity policies; for a role, its inline policies."""

TRUST_POLICIES: Final = ("aws_iam_policy_document", "aws_iam_role")
"""Types with trust policies, which decide who can assume a role."""

_FROM_DOCUMENT = "data.aws_iam_policy_document."
_ALL_OF_DOCUMENT: Path = ("statement",)
_HCL_NAMES: Mapping[str, str] = {
    "Action": "actions",
    "Condition": "condition",
    "Effect": "effect",
    "NotAction": "not_actions",
    "NotPrincipal": "not_principals",
    "NotResource": "not_resources",
    "Principal": "principals",
    "Resource": "resources",
}


class Principal(NamedTuple):
    """A principal of a statement.

    Attributes:
        kind: `AWS`, `Service`, `Federated`...; `*` for anyone.
        name: An ARN, the name of an AWS service, `*`.
    """

    kind: str
    name: Value


class Condition(NamedTuple):
    """A condition of a statement.

    Attributes:
        test: The operator: `StringEquals`.
        key: The condition key in lower case, because AWS ignores its case.
        values: The values that it is compared with.
    """

    test: str
    key: str
    values: list[Value]


class Statement(NamedTuple):
    """A statement with the effect Allow.

    Attributes:
        path: Its path in the values of its resource.
        body: Its elements.
        hcl: Whether they have their names from HCL.
    """

    path: Path
    body: Mapping[str, Value]
    hcl: bool

    def at(self, element: str) -> Path:
        """Return the path of an element, by its JSON name."""
        return (*self.path, _HCL_NAMES[element] if self.hcl else element)

    def get(self, element: str) -> Value:
        """Return an element, by its JSON name."""
        return self.body.get(_HCL_NAMES[element] if self.hcl else element)

    def items(self, element: str) -> list[Value]:
        """Return an element as a list, also if it is a single item."""
        return as_list(self.get(element))

    @property
    def principals(self) -> list[Principal]:
        """The principals; empty in an identity policy, which applies to its owner."""
        element = self.get("Principal")
        if isinstance(element, dict):
            return [Principal(kind, name) for kind, names in element.items() for name in as_list(names)]
        return [principal for item in as_list(element) for principal in _principals(item)]

    @property
    def conditions(self) -> list[Condition] | None:
        """The conditions; None if they are not known."""
        element = self.get("Condition")
        if isinstance(element, dict):
            element = [
                {"test": test, "variable": key, "values": values}
                for test, keys in element.items()
                for key, values in (keys.items() if isinstance(keys, dict) else ((keys, None),))
            ]
        conditions = [_condition(item) for item in as_list(element)]
        return None if None in conditions else [condition for condition in conditions if condition]


def _principals(item: Value) -> Iterator[Principal]:
    if isinstance(item, dict):
        kind = item.get("type")
        yield from (
            Principal(kind if isinstance(kind, str) else "", name)
            for name in as_list(item.get("identifiers"))
        )
    else:
        yield Principal("*" if item == "*" else "", item)


def _condition(item: Value) -> Condition | None:
    if not isinstance(item, dict):
        return None
    test, key = item.get("test"), item.get("variable")
    if not isinstance(test, str) or not isinstance(key, str):
        return None
    return Condition(test, key.lower(), as_list(item.get("values")))


def as_list(value: Value) -> list[Value]:
    """Return a value as a list: empty for null, one element for a single value."""
    return value if isinstance(value, list) else [] if value is None else [value]


def matching_actions(patterns: Iterable[Value], names: frozenset[str]) -> list[str]:
    """Return the action patterns that match at least one of some names in lower case."""
    return [pattern for pattern in patterns if isinstance(pattern, str) and _matches(pattern.lower(), names)]


def _matches(pattern: str, names: frozenset[str]) -> bool:
    if "*" in pattern or "?" in pattern:
        return any(fnmatchcase(name, pattern) for name in names)
    return pattern in names


StatementCheck: TypeAlias = Callable[[Statement, Facts], Iterable[Violation | Undecided]]


def for_statements(
    *arguments: str, documents: bool = True, identities: bool = False
) -> Callable[[StatementCheck], ResourceCheck]:
    """Turn a check of statements into one of the resources that contain them.

    Args:
        arguments: The arguments that are policies.
        documents: Whether `aws_iam_policy_document` is checked as well; then statements that an argument
            takes from one are left to it.
        identities: Whether the check is about identity policies: a completely unknown document is most
            likely one, and an open answer only for such checks.
    """

    def decorate(check: StatementCheck) -> ResourceCheck:
        @wraps(check)
        def check_resource(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
            for statement in find_statements(resource, *arguments, documents=documents):
                if not isinstance(statement, Undecided):
                    yield from check(statement, facts)
                elif identities or statement.at != _ALL_OF_DOCUMENT:
                    yield statement

        return check_resource

    return decorate


def find_statements(
    resource: Resource, *arguments: str, documents: bool = True
) -> Iterator[Statement | Undecided]:
    """Yield the Allow statements in some arguments of a resource, or in a document; see `of_statements`."""
    for path in [_ALL_OF_DOCUMENT] if resource.kind == "data" else _places(resource, arguments):
        value = resource.value(*path)
        if documents and _is_of_document(resource, path, value):
            continue
        if isinstance(value, dict):
            yield from _parsed(value.get("Statement"), (*path, "Statement"), hcl=False)
        else:
            yield from _parsed(value, path, hcl=True)


def _is_of_document(resource: Resource, path: Path, value: Value) -> bool:
    """Return whether the text takes the value from a document, even if a plan knows its content."""
    if not isinstance(value, Unknown) and resource.origin and len(path) == 1:
        value = evaluate(resource.origin.block.value(str(path[0])), resource.origin.frame.scope)
    return isinstance(value, Unknown) and _FROM_DOCUMENT in value.reference


def _places(resource: Resource, arguments: Iterable[str]) -> Iterator[Path]:
    for name in arguments:
        value = resource.value(name)
        if name == "inline_policy" and isinstance(value, list):
            yield from ((name, index, "policy") for index in range(len(value)))
        else:
            yield (name,)


def _parsed(value: Value, path: Path, *, hcl: bool) -> Iterator[Statement | Undecided]:
    for index, item in enumerate(as_list(value)):
        at = (*path, index) if isinstance(value, list) else path
        if isinstance(item, dict):
            yield from _allowing(Statement(at, item, hcl))
        elif isinstance(item, Unknown):
            yield Undecided(at)


def _allowing(statement: Statement) -> Iterator[Statement | Undecided]:
    effect = statement.get("Effect")
    if isinstance(effect, Unknown):
        yield Undecided(statement.at("Effect"))
    elif effect != "Deny":
        yield statement
