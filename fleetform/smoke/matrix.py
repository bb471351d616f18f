"""The matrix: every ordered pair of services, the call graph's expectation, and the result."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fleetform import topology
from fleetform.catalog.models import Environment, Service
from fleetform.smoke.probe import REFUSED, Answer, Target, sanitize

State: TypeAlias = Literal["works", "blocked", "open", "WRONG"]

_OK, _BAD = 200, 400
# The errors that prove that a connection is blocked. Other errors are the probe's own and prove nothing.
_CLOSED = re.compile(
    r"(DNS: no (address|answer)|timed out|unreachable|no route to host|permission denied|operation not"
    r" permitted)$"
)


@dataclass(frozen=True, order=True)
class ServicePair:
    """A caller and a callee, whether the call is declared or not.

    Attributes:
        caller: The service that calls.
        callee: The service that is called.
        port: The callee's TCP port.
        declared: Whether the catalog declares the call to this port.
        allowed: Whether the security groups allow the connection.
        path: The HTTP path of the callee's health check, if it has one.
    """

    caller: str
    callee: str
    port: int
    declared: bool
    allowed: bool
    path: str | None = None


@dataclass(frozen=True)
class MatrixCell:
    """The result for a pair.

    Attributes:
        pair: The pair.
        state: `works` if the call is declared and works, `blocked` if it is not declared and blocked, `open`
            if it is not declared but the security groups allow it and it works, else `WRONG`.
        reason: What the probe observed.
        answer: The probe's answer; None if there is none.
    """

    pair: ServicePair
    state: State
    reason: str
    answer: Answer | None = None


@dataclass(frozen=True)
class Matrix:
    """All pairs of an environment.

    Attributes:
        environment: Its name.
        security: Its security mode.
        cells: The pairs, sorted by caller, then callee.
    """

    environment: str
    security: str
    cells: tuple[MatrixCell, ...]

    @property
    def wrong(self) -> tuple[MatrixCell, ...]:
        """Return the pairs that contradict the call graph."""
        return tuple(cell for cell in self.cells if cell.state == "WRONG")


def expected_matrix(environment: Environment) -> tuple[ServicePair, ...]:
    """Return every pair that can be tested, sorted by caller, then callee.

    Services without tasks are left out, as they can neither call nor answer.
    """
    return tuple(pair for caller in _running_services(environment) for pair in _pairs_of(environment, caller))


def _running_services(environment: Environment) -> dict[str, Service]:
    return {
        name: service for name, service in sorted(environment.running.items()) if _fewest_tasks(service) > 0
    }


def _fewest_tasks(service: Service) -> int:
    return service.autoscaling.min if service.autoscaling else service.desired_count


def _pairs_of(environment: Environment, caller: str) -> Iterator[ServicePair]:
    """Yield the pairs of one caller, sorted by callee, for each callee's `port`.

    The protocol of `ports` is unknown.
    """
    groups = topology.security_groups(environment)
    called = {
        (call.callee, call.port) for call in topology.calls_of(environment, caller) if call.protocol == "tcp"
    }
    running = _running_services(environment)
    for callee, service in running.items() if caller in running else ():
        if callee == caller or service.port is None:
            continue
        allowed = groups.allow(caller, callee, service.port)
        path = service.health_check.path if service.health_check else None
        yield ServicePair(caller, callee, service.port, (callee, service.port) in called, allowed, path)


def targets(
    environment: Environment, caller: str, addresses: Mapping[str, Sequence[str]] | None = None
) -> tuple[Target, ...]:
    """Return the targets that a caller has to test.

    Args:
        environment: The environment.
        caller: The service.
        addresses: Addresses of the tasks by service. For calls that are not declared they are tested as well
            as the name, as a name that does not resolve does not prove that the connection is blocked.
    """
    by_service = addresses or {}
    return tuple(
        Target(
            pair.callee,
            topology.dns_name(environment, pair.callee),
            () if pair.declared else tuple(by_service.get(pair.callee, ())),
            pair.port,
            pair.path if pair.declared else None,
        )
        for pair in _pairs_of(environment, caller)
    )


def with_answers(
    environment: Environment,
    answers: Mapping[str, Sequence[Answer]],
    failures: Mapping[str, str] | None = None,
) -> Matrix:
    """Compare the answers of callers with the call graph.

    Args:
        environment: The environment.
        answers: The answers by caller. A pair without an answer is `WRONG`, as nothing is known about it.
        failures: The reason why a caller has no answers, by caller.
    """
    by_pair = {(caller, answer.callee): answer for caller, each in answers.items() for answer in each}
    reasons = failures or {}
    cells = (
        _cell(pair, by_pair.get((pair.caller, pair.callee)), reasons.get(pair.caller, "not tested"))
        for pair in expected_matrix(environment)
    )
    return Matrix(environment.name, environment.security, tuple(cells))


def _cell(pair: ServicePair, answer: Answer | None, failure: str) -> MatrixCell:
    if answer is None:
        return MatrixCell(pair, "WRONG", " ".join(sanitize(failure).split()))
    state, reason = _declared_state(pair, answer) if pair.declared else _undeclared_state(pair, answer)
    return MatrixCell(pair, state, reason, answer)


def _declared_state(pair: ServicePair, answer: Answer) -> tuple[State, str]:
    if answer.error or not answer.connected:
        return "WRONG", answer.error or "no address"
    if pair.path is None:
        return "works", "connects"
    if answer.status is None:
        return "WRONG", f"no answer on health path {pair.path}"
    reason = f"health path {pair.path} answered {answer.status}"
    return ("works" if _OK <= answer.status < _BAD else "WRONG"), reason


def _undeclared_state(pair: ServicePair, answer: Answer) -> tuple[State, str]:
    if REFUSED in answer.error and not answer.connected:
        # A refused connection reached its target: the network does not block it.
        observed = "reachable (connection refused)"
    elif answer.connected:
        observed = "connects"
    elif answer.error and all(map(_CLOSED.search, answer.error.split("; "))):
        return "blocked", answer.error
    else:
        return "WRONG", f"cannot be tested: {answer.error or 'nothing was tested'}"
    if pair.allowed:
        return "open", f"{observed}: the security groups allow it"
    return "WRONG", f"{observed}, but {pair.caller} does not call {pair.callee}"
