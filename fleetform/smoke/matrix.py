"""The matrix: every ordered pair of services, what the call graph expects of it, and what came of trying it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypeAlias

from fleetform import topology
from fleetform.catalog.models import Environment, Service
from fleetform.smoke.probe import REFUSED, Answer, Target, sanitize

State: TypeAlias = Literal["works", "blocked", "open", "WRONG"]

_OK, _BAD = 200, 400
# The errors that show a closed way. Others are the probe's own trouble, and show nothing.
_CLOSED = re.compile(
    r"(DNS: no (address|answer)|timed out|unreachable|no route to host|permission denied|operation not permitted)$"
)


@dataclass(frozen=True, order=True)
class ServicePair:
    """A service that may call, or may not, another that listens.

    Attributes:
        caller: The service that calls.
        callee: The service that is called.
        port: The callee's TCP port.
        declared: Whether the catalog says that it calls this port.
        let_through: Whether the security groups let it through.
        path: The HTTP path that tells whether the callee is well, if there is one.
    """

    caller: str
    callee: str
    port: int
    declared: bool
    let_through: bool
    path: str | None = None


@dataclass(frozen=True)
class MatrixCell:
    """What came of a pair.

    Attributes:
        pair: The pair.
        state: `works`: declared, and it does. `blocked`: not declared, and no way leads there. `open`: not declared,
            but the security groups let it through, and so it is. `WRONG`: not as the call graph says.
        reason: What was seen.
        answer: The probe's answer, None if there is none.
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
        """The pairs that are not as the call graph says."""
        return tuple(cell for cell in self.cells if cell.state == "WRONG")


def expected_matrix(environment: Environment) -> tuple[ServicePair, ...]:
    """Every pair that can be tried, sorted by caller, then callee.

    Services of which no task is to run are in none: nobody could ask, and nobody would answer.
    """
    return tuple(pair for caller in _running_services(environment) for pair in _pairs_of(environment, caller))


def _running_services(environment: Environment) -> dict[str, Service]:
    return {name: service for name, service in sorted(environment.running.items()) if _fewest_tasks(service) > 0}


def _fewest_tasks(service: Service) -> int:
    return service.autoscaling.min if service.autoscaling else service.desired_count


def _pairs_of(environment: Environment, caller: str) -> Iterator[ServicePair]:
    """The pairs of one caller, sorted by callee: each callee's `port`; its other `ports` speak no known protocol."""
    groups = topology.security_groups(environment)
    ingress, egress = _openings(groups.ingress), _openings(groups.egress)
    called = {(call.callee, call.port) for call in topology.calls_of(environment, caller) if call.protocol == "tcp"}
    running = _running_services(environment)
    for callee, service in running.items() if caller in running else ():
        if callee == caller or service.port is None:
            continue
        near, far = groups.members[caller], groups.members[callee]
        let_through = _covers(egress, near, far, service.port) and _covers(ingress, far, near, service.port)
        path = service.health_check.path if service.health_check else None
        yield ServicePair(caller, callee, service.port, (callee, service.port) in called, let_through, path)


_Openings: TypeAlias = set[tuple[str, str | None, int | None]]
"""Group, other side and TCP port of rules of one direction."""


def _openings(rules: Mapping[str, topology.Rule]) -> _Openings:
    tcp = (rule for rule in rules.values() if rule.port is None or rule.protocol == "tcp")
    return {(rule.group, rule.peer or rule.cidr, rule.port) for rule in tcp}


def _covers(openings: _Openings, group: str, peer: str, port: int) -> bool:
    return not openings.isdisjoint(product([group], [peer, topology.ANYWHERE], [port, None]))


def targets(
    environment: Environment, caller: str, addresses: Mapping[str, Sequence[str]] | None = None
) -> tuple[Target, ...]:
    """What a caller has to try.

    Args:
        environment: The environment.
        caller: The service.
        addresses: Addresses of the tasks by service. Where no call is declared they are tried as well as the name: a
            name that leads nowhere is no proof that the way is closed.
    """
    known = addresses or {}
    return tuple(
        Target(
            pair.callee,
            topology.dns_name(environment, pair.callee),
            () if pair.declared else tuple(known.get(pair.callee, ())),
            pair.port,
            pair.path if pair.declared else None,
        )
        for pair in _pairs_of(environment, caller)
    )


def with_answers(
    environment: Environment, answers: Mapping[str, Sequence[Answer]], failures: Mapping[str, str] | None = None
) -> Matrix:
    """Holds what callers say against the call graph.

    Args:
        environment: The environment.
        answers: The answers by caller. A pair that has none is wrong: nothing is known of it.
        failures: Why a caller has none, by caller.
    """
    told = {(caller, answer.callee): answer for caller, given in answers.items() for answer in given}
    why = failures or {}
    cells = (
        _cell(pair, told.get((pair.caller, pair.callee)), why.get(pair.caller, "nobody has tried it"))
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
        return "WRONG", f"health path {pair.path} was not answered"
    told = f"health path {pair.path} answered {answer.status}"
    return ("works" if _OK <= answer.status < _BAD else "WRONG"), told


def _undeclared_state(pair: ServicePair, answer: Answer) -> tuple[State, str]:
    if REFUSED in answer.error and not answer.connected:
        # Whoever refuses has been reached: it is not the network that is in the way.
        seen = "is reached (connection refused)"
    elif answer.connected:
        seen = "connects"
    elif answer.error and all(map(_CLOSED.search, answer.error.split("; "))):
        return "blocked", answer.error
    else:
        return "WRONG", f"cannot be tested: {answer.error or 'nothing was tried'}"
    if pair.let_through:
        return "open", f"{seen}: the security groups let it through"
    return "WRONG", f"{seen} though {pair.caller} does not call {pair.callee}"
