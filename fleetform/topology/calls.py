"""Who calls whom, and the variables that tell a caller where."""

from dataclasses import dataclass

from fleetform.catalog.models import Callee, Environment
from fleetform.topology.names import dns_name, has_srv_record

ANYWHERE = "0.0.0.0/0"

# Where a scheme is known by the port alone; a URL leaves its own port out.
_SCHEMES = {80: "http", 443: "https"}
# The record has the port.
_SRV = "http+srv"


@dataclass(frozen=True)
class Call:
    """A directed edge of the call graph.

    Attributes:
        caller: The service that calls.
        callee: The service that is called; of what is outside, its DNS name, or its network if it has none.
        port: The callee's port.
        protocol: `tcp` or `udp`.
        variable: The caller's environment variable that holds the callee's URL, if one does.
        scheme: The URL's, None if it is not known.
        cidr: The network that the callee is in if it is outside, None for a service of this catalog.
    """

    caller: str
    callee: str
    port: int
    protocol: str = "tcp"
    variable: str | None = None
    scheme: str | None = None
    cidr: str | None = None

    @property
    def key(self) -> str:
        """``caller->callee:port``, the edge's name wherever it is written; other protocols than TCP are named."""
        return edge(self.caller, self.callee, self.port, self.protocol)

    def url(self, name: str) -> str:
        """What the variable holds, for the callee's DNS name: ``scheme://name:port``, without a scheme ``name:port``.

        The port is left out where an SRV record has it, and outside of this catalog where it is the scheme's own.
        """
        if self.scheme is None:
            return f"{name}:{self.port}"
        own = self.cidr is not None and _SCHEMES.get(self.port) == self.scheme
        return f"{self.scheme}://{name}" if own or self.scheme == _SRV else f"{self.scheme}://{name}:{self.port}"


def edge(source: str, target: str, port: int, protocol: str) -> str:
    """``source->target:port``, and the protocol if it is not TCP."""
    return f"{source}->{target}:{port}" + ("" if protocol == "tcp" else f"/{protocol}")


def calls(environment: Environment) -> tuple[Call, ...]:
    """All calls, sorted by caller, then callee and port."""
    return tuple(call for caller in sorted(environment.services) for call in calls_of(environment, caller))


def calls_of(environment: Environment, caller: str) -> tuple[Call, ...]:
    """The calls that one service makes, sorted by callee and port."""
    found = [
        _outside(caller, callee) if callee.service is None or callee.namespace else _inside(environment, caller, callee)
        for callee in environment.services[caller].calls
    ]
    return tuple(sorted(found, key=lambda call: (call.callee, call.port, call.protocol)))


def _inside(environment: Environment, caller: str, callee: Callee) -> Call:
    name = callee.service or ""
    service = environment.services[name]
    if isinstance(callee.port, str):
        port = service.ports[callee.port]
        number, protocol = port.container_port, port.protocol
    else:
        number, protocol = service.port or 0, "tcp"
    scheme = _SRV if has_srv_record(environment, name) else "http"
    return Call(caller, name, number, protocol, callee.url_variable, scheme if protocol == "tcp" else None)


def _outside(caller: str, callee: Callee) -> Call:
    name = f"{callee.service}.{callee.namespace}" if callee.service else callee.host or callee.cidr or ""
    port = int(callee.port or 0)
    # A service of another application speaks HTTP as those of this one do; of other hosts only the port tells.
    scheme = _SCHEMES.get(port, "http" if callee.service else None) if callee.protocol == "tcp" else None
    return Call(caller, name, port, callee.protocol, callee.url_variable, scheme, callee.cidr or ANYWHERE)


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
    return {
        call.variable: call.url(dns_name(environment, call.callee) if call.cidr is None else call.callee)
        for call in calls_of(environment, caller)
        if call.variable is not None
    }
