"""Watches the emulator: after each call that changes something, what must survive still works."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fleetform.emulator.continuity.violations import (
    Expectations,
    ExpectedCall,
    ExpectedService,
    Violation,
    violations,
)
from fleetform.emulator.continuity.world import World

# The beginnings of the names of calls that change nothing (botocore's service models).
_READING = (
    "BatchCheck",
    "BatchGet",
    "Describe",
    "Discover",
    "Filter",
    "Get",
    "List",
    "Lookup",
    "Simulate",
    "Test",
)


@dataclass(frozen=True)
class Allowed:
    """An interruption that AWS makes unavoidable, if the plan has shown it as this risk.

    Attributes:
        risk: The name that `ExpectedService.risks` has for it.
        calls: The calls that may begin it.
        checks: What may not work meanwhile.
        reason: Why AWS makes it unavoidable.
    """

    risk: str
    calls: frozenset[str]
    checks: frozenset[str]
    reason: str


ALLOWED = (
    Allowed(
        "replaced",
        frozenset({"DeleteService", "UpdateService"}),
        frozenset({"service", "scaling", "public", "name", "call"}),
        "UpdateService cannot change the scheduling strategy or the deployment controller, and a service's "
        "name is taken until it has drained.",
    ),
    Allowed(
        "registry",
        frozenset({"DeleteService", "UpdateService", "DeregisterInstance"}),
        frozenset({"name", "call"}),
        "UpdateService of Cloud Map cannot change the type of a DNS record, and a name exists once in its "
        "namespace.",
    ),
)


@dataclass(frozen=True)
class Record:
    """An interruption.

    Attributes:
        violation: What did not work.
        call: The API call after which it did not.
        request: The call's parameters.
        ended_by: The call after which it worked again; None while it does not.
        seconds: How long it lasted, or lasts already.
        allowed: Why AWS makes it unavoidable; None if it does not.
    """

    violation: Violation
    call: str
    request: str
    ended_by: str | None = None
    seconds: float = 0
    allowed: str | None = None


@dataclass
class _Watch:
    expectations: Expectations
    standing: frozenset[Violation]
    open: dict[Violation, tuple[Record, float]] = field(default_factory=dict)
    ended: list[Record] = field(default_factory=list)


class Monitor:
    """The interruptions since a test began to watch.

    Args:
        read: Returns the present world of a region and a cluster.
        clock: Returns the time in seconds.
    """

    def __init__(
        self, read: Callable[[str, str], World], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._watch: _Watch | None = None
        self._call = ("", "")

    @property
    def is_watching(self) -> bool:
        """Whether a test watches."""
        return self._watch is not None

    def watch(self, expectations: Expectations) -> frozenset[Violation]:
        """Begin to watch, and return what does not work already, which is not reported later."""
        standing = violations(self._read(expectations.region, expectations.cluster), expectations)
        self._watch = _Watch(expectations, standing)
        return standing

    def report(self) -> list[Record]:
        """Return all interruptions, in the order in which they ended; those that last come last."""
        if self._watch is None:
            return []
        now = self._clock()
        lasting = [replace(record, seconds=now - since) for record, since in self._watch.open.values()]
        return [*self._watch.ended, *lasting]

    def stop(self) -> list[Record]:
        """Stop watching, and return all interruptions."""
        records = self.report()
        self._watch = None
        return records

    def begin(self, call: str, request: str) -> None:
        """Remember the call that is carried out now, for rollouts in the middle of it."""
        self._call = (call, request)

    def observe(self) -> None:
        """Look what works after a call, or in the middle of its rollout."""
        watch = self._watch
        if watch is None:
            return
        call, request = self._call
        now, expectations = self._clock(), watch.expectations
        present = violations(self._read(expectations.region, expectations.cluster), expectations)
        watch.standing &= present
        for violation in sorted(watch.open.keys() - present):
            record, since = watch.open.pop(violation)
            watch.ended.append(replace(record, ended_by=call, seconds=now - since))
        for violation in sorted(present - watch.standing - watch.open.keys()):
            allowed = _reason(expectations, violation, call)
            watch.open[violation] = (Record(violation, call, request, allowed=allowed), now)


def is_mutating(call: str) -> bool:
    """Return whether an API call changes something, by its name."""
    return bool(call) and not call.startswith(_READING)


def _reason(expectations: Expectations, violation: Violation, call: str) -> str | None:
    risks = {
        risk
        for expected in expectations.services
        if expected.name in violation.services
        for risk in expected.risks
    }
    reasons = (
        allowed.reason
        for allowed in ALLOWED
        if allowed.risk in risks and call in allowed.calls and violation.check in allowed.checks
    )
    return next(reasons, None)


def to_json(items: object) -> str:
    """Return records, violations or expectations as JSON."""
    return json.dumps(
        items, default=lambda item: sorted(item) if isinstance(item, frozenset) else asdict(item)
    )


def read_expectations(document: Mapping[str, Any]) -> Expectations:
    """Return expectations from JSON."""
    return Expectations(
        region=document["region"],
        cluster=document["cluster"],
        services=tuple(
            ExpectedService(**{key: _frozen(value) for key, value in each.items()})
            for each in document["services"]
        ),
        calls=tuple(
            ExpectedCall(**{key: _frozen(value) for key, value in each.items()}) for each in document["calls"]
        ),
    )


def read_records(document: list[Mapping[str, Any]]) -> list[Record]:
    """Return interruptions from JSON."""
    return [Record(**{**each, "violation": read_violation(each["violation"])}) for each in document]


def read_violation(document: Mapping[str, Any]) -> Violation:
    """Return a violation from JSON."""
    return Violation(**{key: _frozen(value) for key, value in document.items()})


def _frozen(value: Any) -> Any:  # noqa: ANN401 -- whatever JSON holds
    return tuple(value) if isinstance(value, list) else value
