"""Policy rules: one decorator for built-in and for custom rules.

A rule checks one resource, or all of an environment, through the resource view only. It yields a `Violation`
for each violation and an `Undecided` for each open answer. If it yields nothing, the resource passes.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment
    from fleetform.hcl.eval.resource_view import Resource, View
    from fleetform.hcl.eval.values import Path


class Severity(StrEnum):
    """How serious it is to break a rule."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Violation(NamedTuple):
    """A violation of a rule by a resource.

    Attributes:
        message: What is wrong: `port 22 is open to the internet`.
        remedy: How to fix it: `set encrypted = true`.
        at: The path of the wrong value in the resource's values; empty for the resource as a whole.
    """

    message: str
    remedy: str
    at: "Path" = ()


class Undecided(NamedTuple):
    """An open answer: a value that a rule needs is not known yet.

    Attributes:
        at: The path of the value in the resource's values.
    """

    at: "Path" = ()


@dataclass(frozen=True)
class Facts:
    """The facts about the environment for rules on single resources; few, because a change reruns all rules.

    Attributes:
        environment: Its name.
        account: Its AWS account; empty if unknown.
        public_ports: The public ports: those of the load balancer, or of the catalog's public services.
        protected: Whether it is protected from destruction.
        zones: The number of availability zones.
        private: Whether its tasks run in private subnets.
    """

    environment: str
    account: str = ""
    public_ports: frozenset[int] = frozenset()
    protected: bool = False
    zones: int = 2
    private: bool = False


ResourceCheck: TypeAlias = "Callable[[Resource, Facts], Iterable[Violation | Undecided]]"
EnvironmentCheck: TypeAlias = (
    "Callable[[View, Environment], Iterable[tuple[Resource, Violation | Undecided]]]"
)


@dataclass(frozen=True)
class Rule:
    """A policy rule.

    Attributes:
        id: `FF001`...
        title: The required state, in a sentence.
        severity: How serious it is to break it.
        why: The reason, in one line.
        types: What it checks: resource types, or `module`, `provider`, `terraform`, `backend`.
        link: Where to read more.
        checkov: The IDs of checkov's rules on the same subject.
        good: HCL that passes.
        bad: HCL that fails.
        check: The implementation for one resource; None for an environment rule.
        check_environment: The implementation for an environment; None for a resource rule.
        keeps: For an environment rule, the paths of a resource's values whose positions it reports.
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


def registry() -> Mapping[str, Rule]:
    """Return the rules that have been declared so far, by ID."""
    return _RULES


@contextmanager
def collect_rules() -> Iterator[dict[str, Rule]]:
    """Collect the rules that are declared inside the context, and unregister them at its end."""
    before, collected = dict(_RULES), dict[str, Rule]()
    try:
        yield collected
    finally:
        collected |= {identifier: rule for identifier, rule in _RULES.items() if identifier not in before}
        _RULES.clear()
        _RULES.update(before)


def rule(  # noqa: PLR0913 - one declaration with everything about a rule
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
    """Declare a rule for single resources; see `Rule` for the arguments."""

    def declare(check: ResourceCheck) -> ResourceCheck:
        _register(
            Rule(identifier, title, severity, why, frozenset(types), link, good, bad, checkov, check=check)
        )
        return check

    return declare


def environment_rule(  # noqa: PLR0913 - one declaration with everything about a rule
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
    """Declare a rule that compares resources with each other or with the catalog; see `Rule`."""

    def declare(check: EnvironmentCheck) -> EnvironmentCheck:
        declared = Rule(identifier, title, severity, why, frozenset(types), link, good, bad, checkov)
        _register(Rule(**{**vars(declared), "check_environment": check, "keeps": keeps}))
        return check

    return declare


def _register(declared: Rule) -> None:
    if declared.id in _RULES:
        raise ValueError(f"duplicate rule ID {declared.id}")
    _RULES[declared.id] = declared


def __getattr__(name: str) -> object:
    """Return `Violation` by the name under which older custom policies import it."""
    if name != "Fault":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    message = "`Fault` is deprecated: import `Violation` from fleetform.policy.rule"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return Violation
