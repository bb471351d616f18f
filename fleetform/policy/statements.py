"""The statements of IAM policies, in the form of HCL's `aws_iam_policy_document` or in JSON's, in the same words.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import wraps
from typing import Final, NamedTuple, TypeAlias

from fleetform.policy.evaluation import evaluate
from fleetform.policy.rule import Facts, Fault, ResourceCheck, Undecided
from fleetform.policy.values import Known, Path, Unknown
from fleetform.policy.view import Resource

IDENTITY_POLICIES: Final = (
    *("aws_iam_policy_document", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy"),
    *("aws_iam_group_policy", "aws_iam_role"),
)
"""Types whose policies say what their owner may do; of a role, those within it."""

TRUST_POLICIES: Final = ("aws_iam_policy_document", "aws_iam_role")
"""Types whose policies say who may take on a role."""

_FROM_DOCUMENT = "data.aws_iam_policy_document."
_ALL_OF_DOCUMENT: Path = ("statement",)
_IN_HCL: Mapping[str, str] = {
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
    """Who a statement is about.

    Attributes:
        kind: `AWS`, `Service`, `Federated`...; `*` for anyone.
        name: An ARN, the name of a service of AWS, `*`.
    """

    kind: str
    name: Known


class Condition(NamedTuple):
    """When a statement holds.

    Attributes:
        test: The operator: `StringEquals`.
        key: The condition key in lower case: AWS does not tell them apart by case.
        values: What it is compared with.
    """

    test: str
    key: str
    values: list[Known]


class Statement(NamedTuple):
    """A statement that allows something.

    Attributes:
        path: Where it is in the values of its resource.
        body: What it says.
        hcl: Whether that is in HCL's words.
    """

    path: Path
    body: Mapping[str, Known]
    hcl: bool

    def at(self, element: str) -> Path:
        """Where an element is, by its name in JSON."""
        return (*self.path, _IN_HCL[element] if self.hcl else element)

    def get(self, element: str) -> Known:
        """An element, by its name in JSON."""
        return self.body.get(_IN_HCL[element] if self.hcl else element)

    def items(self, element: str) -> list[Known]:
        """The items of an element: one alone is a list of one."""
        return listed(self.get(element))

    @property
    def principals(self) -> list[Principal]:
        """Who it is about; none in the policy of an identity, whose owner it is about."""
        given = self.get("Principal")
        if isinstance(given, dict):
            return [Principal(kind, name) for kind, names in given.items() for name in listed(names)]
        return [found for item in listed(given) for found in _principals(item)]

    @property
    def conditions(self) -> list[Condition] | None:
        """When it holds; None if that is not known."""
        given = self.get("Condition")
        if isinstance(given, dict):
            given = [
                {"test": test, "variable": key, "values": values}
                for test, keys in given.items()
                for key, values in (keys.items() if isinstance(keys, dict) else ((keys, None),))
            ]
        made = [_condition(item) for item in listed(given)]
        return None if None in made else [condition for condition in made if condition]


def _principals(item: Known) -> Iterator[Principal]:
    if isinstance(item, dict):
        kind = item.get("type")
        yield from (Principal(kind if isinstance(kind, str) else "", name) for name in listed(item.get("identifiers")))
    else:
        yield Principal("*" if item == "*" else "", item)


def _condition(item: Known) -> Condition | None:
    if not isinstance(item, dict):
        return None
    test, key = item.get("test"), item.get("variable")
    if not isinstance(test, str) or not isinstance(key, str):
        return None
    return Condition(test, key.lower(), listed(item.get("values")))


def listed(value: Known) -> list[Known]:
    """A value as a list: nothing is none, one alone is one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def matching(patterns: Iterable[Known], names: frozenset[str]) -> list[str]:
    """The patterns of actions that stand for one of some at least, which are in lower case."""
    return [pattern for pattern in patterns if isinstance(pattern, str) and _matches(pattern.lower(), names)]


def _matches(pattern: str, names: frozenset[str]) -> bool:
    if "*" in pattern or "?" in pattern:
        return any(fnmatchcase(name, pattern) for name in names)
    return pattern in names


StatementCheck: TypeAlias = Callable[[Statement, Facts], Iterable[Fault | Undecided]]


def of_statements(
    *arguments: str, documents: bool = True, identities: bool = False
) -> Callable[[StatementCheck], ResourceCheck]:
    """Makes a rule for statements one for the resources whose arguments they are in.

    Args:
        arguments: The arguments that are policies.
        documents: Whether the rule judges documents, too: then it leaves to them what an argument takes from one.
        identities: Whether it asks what an identity may do: a document of which nothing is known is most likely of
            that kind, and a question to such rules alone.
    """

    def made(check: StatementCheck) -> ResourceCheck:
        @wraps(check)
        def judge(resource: Resource, facts: Facts) -> Iterator[Fault | Undecided]:
            for statement in statements(resource, *arguments, documents=documents):
                if not isinstance(statement, Undecided):
                    yield from check(statement, facts)
                elif identities or statement.at != _ALL_OF_DOCUMENT:
                    yield statement

        return judge

    return made


def statements(resource: Resource, *arguments: str, documents: bool = True) -> Iterator[Statement | Undecided]:
    """The statements that allow something in some arguments of a resource, or in a document; see `of_statements`."""
    for path in [_ALL_OF_DOCUMENT] if resource.kind == "data" else _places(resource, arguments):
        value = resource.value(*path)
        if documents and _is_of_document(resource, path, value):
            continue
        if isinstance(value, dict):
            yield from _read(value.get("Statement"), (*path, "Statement"), hcl=False)
        else:
            yield from _read(value, path, hcl=True)


def _is_of_document(resource: Resource, path: Path, value: Known) -> bool:
    """Whether the text takes it from a document, even where a plan knows what that says."""
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


def _read(value: Known, path: Path, *, hcl: bool) -> Iterator[Statement | Undecided]:
    for index, item in enumerate(listed(value)):
        where = (*path, index) if isinstance(value, list) else path
        if isinstance(item, dict):
            yield from _allowing(Statement(where, item, hcl))
        elif isinstance(item, Unknown):
            yield Undecided(where)


def _allowing(statement: Statement) -> Iterator[Statement | Undecided]:
    effect = statement.get("Effect")
    if isinstance(effect, Unknown):
        yield Undecided(statement.at("Effect"))
    elif effect != "Deny":
        yield statement
