"""The calls between services, and the variables that hold a callee's URL."""

from dataclasses import dataclass

from fleetform.catalog.models import CallTarget, Environment
from fleetform.topology.names import dns_name, has_srv_record

ANYWHERE = "0.0.0.0/0"

# Schemes known from the port only. A URL omits the default port of its scheme.
_SCHEMES = {80: "http", 443: "https"}
# The SRV record holds the port.
_SRV_SCHEME = "http+srv"


@dataclass(frozen=True)
class Call:
    """A directed edge of the call graph.

    Attributes:
        caller: The calling service.
        callee: The called service, or the DNS name or network of an external target.
        port: The callee's port.
        protocol: `tcp` or `udp`.
        variable: The caller's environment variable that holds the callee's URL, or None.
        scheme: The URL's scheme, or None if it is unknown.
        cidr: The network of an external target; None for a service of this catalog.
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
        """``caller->callee:port``, and the protocol if it is not TCP: the edge's name everywhere."""
        return edge_key(self.caller, self.callee, self.port, self.protocol)

    def url(self, name: str) -> str:
        """Return the URL for a DNS name: ``scheme://name:port``, or ``name:port`` without a scheme.

        The port is omitted if an SRV record holds it, and for an external target if it is the scheme's
        default.
        """
        if self.scheme is None:
            return f"{name}:{self.port}"
        is_default = self.cidr is not None and _SCHEMES.get(self.port) == self.scheme
        omits_port = is_default or self.scheme == _SRV_SCHEME
        return f"{self.scheme}://{name}" if omits_port else f"{self.scheme}://{name}:{self.port}"


def edge_key(source: str, target: str, port: int, protocol: str) -> str:
    """Return ``source->target:port``, followed by the protocol if it is not TCP."""
    return f"{source}->{target}:{port}" + ("" if protocol == "tcp" else f"/{protocol}")


def calls(environment: Environment) -> tuple[Call, ...]:
    """Return all calls, sorted by caller, callee and port."""
    return tuple(call for caller in sorted(environment.services) for call in calls_of(environment, caller))


def calls_of(environment: Environment, caller: str) -> tuple[Call, ...]:
    """Return the calls of one service, sorted by callee and port."""
    edges = [
        _external_call(caller, callee)
        if callee.service is None or callee.namespace
        else _internal_call(environment, caller, callee)
        for callee in environment.services[caller].calls
    ]
    return tuple(sorted(edges, key=lambda call: (call.callee, call.port, call.protocol)))


def _internal_call(environment: Environment, caller: str, callee: CallTarget) -> Call:
    name = callee.service or ""
    service = environment.services[name]
    if isinstance(callee.port, str):
        port = service.ports[callee.port]
        number, protocol = port.container_port, port.protocol
    else:
        number, protocol = service.port or 0, "tcp"
    scheme = _SRV_SCHEME if has_srv_record(environment, name) else "http"
    return Call(caller, name, number, protocol, callee.url_variable, scheme if protocol == "tcp" else None)


def _external_call(caller: str, callee: CallTarget) -> Call:
    name = f"{callee.service}.{callee.namespace}" if callee.service else callee.host or callee.cidr or ""
    port = int(callee.port or 0)
    # Services of other applications use HTTP, as those of this one do. For other hosts only the port shows
    # the scheme.
    scheme = _SCHEMES.get(port, "http" if callee.service else None) if callee.protocol == "tcp" else None
    return Call(caller, name, port, callee.protocol, callee.url_variable, scheme, callee.cidr or ANYWHERE)


def callees_to_start_first(environment: Environment, caller: str) -> tuple[str, ...]:
    """Return the services that must run before a caller starts, without cycles; sorted.

    A task in Service Connect finds only the services that existed when it started. Only services of the
    caller's stack are included.
    """
    if environment.discovery != "service_connect":
        return ()
    group = environment.services[caller].group
    callees = [
        callee
        for callee in environment.services[caller].callees
        if environment.services[callee].group == group
    ]
    return tuple(
        sorted(callee for callee in callees if caller not in _reachable_services(environment, callee))
    )


def _reachable_services(environment: Environment, start: str) -> set[str]:
    """Return a service and all services that it calls, directly or indirectly."""
    reached, pending = {start}, [start]
    while pending:
        callees = set(environment.services[pending.pop()].callees) - reached
        reached |= callees
        pending += callees
    return reached


def container_variables(environment: Environment, service: str) -> dict[str, str]:
    """Return the environment variables of a service's own container, by name: its port, its own, and URLs."""
    entry = environment.services[service]
    port = {} if entry.port is None else {"PORT": str(entry.port)}
    return {**port, **entry.environment, **call_urls(environment, service)}


def call_urls(environment: Environment, caller: str) -> dict[str, str]:
    """Return the values of a service's URL variables, by variable."""
    return {
        call.variable: call.url(dns_name(environment, call.callee) if call.cidr is None else call.callee)
        for call in calls_of(environment, caller)
        if call.variable is not None
    }
