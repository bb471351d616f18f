"""What a rule of the policy is: one decorator, for the rules that ship and for a team's own.

A rule looks at one resource, or at all of an environment, through the resource view alone. For everything that is wrong
it yields a `Fault`, for everything that the view leaves open an `Undecided`; if it yields nothing, the resource passes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment
    from fleetform.policy.values import Path
    from fleetform.policy.view import Resource, View


class Severity(StrEnum):
    """How bad it is to break a rule."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Fault(NamedTuple):
    """What is wrong with a resource.

    Attributes:
        message: What is wrong: `port 22 is open to the internet`.
        remedy: How to mend it: `set encrypted = true`.
        at: The value that is wrong, from the top of the resource's values; empty for the resource as a whole.
    """

    message: str
    remedy: str
    at: "Path" = ()


class Undecided(NamedTuple):
    """A value that a rule needs and that nobody knows yet.

    Attributes:
        at: Where it is in the resource's values.
    """

    at: "Path" = ()


@dataclass(frozen=True)
class Facts:
    """What rules for single resources know of the environment; small, as a change of it has all rules run again.

    Attributes:
        environment: Its name.
        account: Its AWS account; empty if that is not known.
        public_ports: Ports that are open to outside: the load balancer's, or those of the catalog's public services.
        protected: Whether it is protected from being destroyed.
        zones: How many availability zones it has.
        private: Whether its tasks run in private subnets.
    """

    environment: str
    account: str = ""
    public_ports: frozenset[int] = frozenset()
    protected: bool = False
    zones: int = 2
    private: bool = False


ResourceCheck: TypeAlias = "Callable[[Resource, Facts], Iterable[Fault | Undecided]]"
EnvironmentCheck: TypeAlias = "Callable[[View, Environment], Iterable[tuple[Resource, Fault | Undecided]]]"


@dataclass(frozen=True)
class Rule:
    """A rule of the policy.

    Attributes:
        id: `FF001`...
        title: What must be so, in a sentence.
        severity: How bad it is to break it.
        why: What happens otherwise, in a line.
        types: What it looks at: resource types, or `module`, `provider`, `terraform`, `backend`.
        link: Where to read on.
        checkov: Ids of checkov's rules about the same, if there are any.
        good: HCL that passes.
        bad: HCL that fails.
        check: The rule itself, for one resource; None if it is one for the environment.
        check_environment: The rule itself, for an environment; None if it is one for a resource.
        keeps: The values of a resource, by their paths, whose places a rule for an environment wants to name.
    """

    id: str
    title: str
    severity: Severity
    why: str
    types: frozenset[str]
    link: str
    good: str
    bad: str
    checkov: tuple[str, ...] = ()
    check: "ResourceCheck | None" = field(default=None, compare=False)
    check_environment: "EnvironmentCheck | None" = field(default=None, compare=False)
    keeps: "Callable[[Resource], Iterable[Path]] | None" = field(default=None, compare=False)


_RULES: dict[str, Rule] = {}


def registered() -> Mapping[str, Rule]:
    """The rules that have been declared so far, by id."""
    return _RULES


@contextmanager
def declared_apart() -> Iterator[dict[str, Rule]]:
    """Rules that are declared meanwhile are, in the end, in what this gives, and registered no more."""
    before, apart = dict(_RULES), dict[str, Rule]()
    try:
        yield apart
    finally:
        apart |= {identifier: rule for identifier, rule in _RULES.items() if identifier not in before}
        _RULES.clear()
        _RULES.update(before)


def rule(  # noqa: PLR0913 - one declaration with all that is said of a rule
    identifier: str,
    title: str,
    *types: str,
    severity: Severity,
    why: str,
    link: str,
    good: str,
    bad: str,
    checkov: tuple[str, ...] = (),
) -> Callable[[ResourceCheck], ResourceCheck]:
    """Declares a rule for single resources; see `Rule` for the arguments."""

    def declare(check: ResourceCheck) -> ResourceCheck:
        _register(Rule(identifier, title, severity, why, frozenset(types), link, good, bad, checkov, check=check))
        return check

    return declare


def environment_rule(  # noqa: PLR0913 - one declaration with all that is said of a rule
    identifier: str,
    title: str,
    *types: str,
    severity: Severity,
    why: str,
    link: str,
    good: str,
    bad: str,
    checkov: tuple[str, ...] = (),
    keeps: "Callable[[Resource], Iterable[Path]] | None" = None,
) -> Callable[[EnvironmentCheck], EnvironmentCheck]:
    """Declares a rule that compares resources with each other or with the catalog; see `Rule` for the arguments."""

    def declare(check: EnvironmentCheck) -> EnvironmentCheck:
        made = Rule(identifier, title, severity, why, frozenset(types), link, good, bad, checkov)
        _register(Rule(**{**vars(made), "check_environment": check, "keeps": keeps}))
        return check

    return declare


def _register(declared: Rule) -> None:
    if declared.id in _RULES:
        raise ValueError(f"duplicate rule ID {declared.id}")
    _RULES[declared.id] = declared
