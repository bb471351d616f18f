"""Who calls whom, and the variables that tell a caller where."""

from dataclasses import dataclass

from fleetform.catalog.models import Environment, url_variable
from fleetform.topology.names import by_srv_record, dns_name


@dataclass(frozen=True, order=True)
class Call:
    """A directed edge of the call graph.

    Attributes:
        caller: The service that calls.
        callee: The service that is called.
        port: The callee's TCP port.
    """

    caller: str
    callee: str
    port: int

    @property
    def key(self) -> str:
        """``caller->callee:port``, the edge's name wherever it is written."""
        return f"{self.caller}->{self.callee}:{self.port}"

    @property
    def variable(self) -> str:
        """The caller's environment variable that holds the callee's URL."""
        return url_variable(self.callee)


def calls(environment: Environment) -> tuple[Call, ...]:
    """All calls, sorted by caller, then callee."""
    return tuple(call for caller in sorted(environment.services) for call in calls_of(environment, caller))


def calls_of(environment: Environment, caller: str) -> tuple[Call, ...]:
    """The calls that one service makes, sorted by callee."""
    services = environment.services
    return tuple(Call(caller, callee, services[callee].port or 0) for callee in sorted(services[caller].callees))


def callees_first(environment: Environment, caller: str) -> tuple[str, ...]:
    """The services that have to run before a caller of theirs starts, sorted: none that, in turn, needs the caller.

    A task in Service Connect finds only what was there when it started. Only services of its own stack are named.
    """
    if environment.discovery != "service_connect":
        return ()
    group = environment.services[caller].group
    callees = [callee for callee in environment.services[caller].callees if environment.services[callee].group == group]
    return tuple(sorted(callee for callee in callees if caller not in _reached(environment, callee)))


def _reached(environment: Environment, start: str) -> set[str]:
    """A service and all that it calls, and that these call, and so on."""
    reached, left = {start}, [start]
    while left:
        found = set(environment.services[left.pop()].callees) - reached
        reached |= found
        left += found
    return reached


def urls(environment: Environment, caller: str) -> dict[str, str]:
    """The URL variables that a service is given, by variable."""
    return {call.variable: _url(environment, call) for call in calls_of(environment, caller)}


def _url(environment: Environment, call: Call) -> str:
    """An URL whose scheme ends in `+srv` has no port: the SRV record has it."""
    name = dns_name(environment, call.callee)
    return f"http+srv://{name}" if call.callee in by_srv_record(environment) else f"http://{name}:{call.port}"
