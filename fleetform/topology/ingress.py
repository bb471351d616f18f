"""How requests from outside reach the public services: ports, and the load balancer's rules and listeners.

A rule's priority depends only on its own service. Adding or removing a service therefore changes no other
rule, and no apply moves a rule to a priority that another rule still has, which AWS refuses. See
docs/adr/0012.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from fleetform.catalog.models import Environment, Ingress, Service

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html
LAST_PRIORITY = 50_000
ANY_PATH = "/*"
"""The path of a service without `paths` and `hosts`."""

# Kinds of hosts: exact, with a wildcard, any. Lengths of paths: 0 to 31 characters before a wildcard.
_HOST_KINDS = 3
_PATH_LENGTHS = 32
# Priorities for equally specific services. The last of AWS's priorities is for the service that receives the
# rest.
_SLOTS = (LAST_PRIORITY - 1) // (_HOST_KINDS * _PATH_LENGTHS)

_HTTP, _HTTPS = 80, 443


@dataclass(frozen=True)
class Route:
    """A load balancer's rule that forwards requests to a service.

    Attributes:
        port: The port of the service's tasks.
        priority: 1 to 50,000; the lowest number is tried first.
        hosts: Host patterns, one of which must match; empty for any host.
        paths: Path patterns, one of which must match; empty for any path.
    """

    port: int
    priority: int
    hosts: tuple[str, ...]
    paths: tuple[str, ...]


def routes(environment: Environment) -> Mapping[str, Route]:
    """Return the load balancer's rules, by service, sorted; empty without a load balancer."""
    return {name: _route(name, service) for name, service in balanced_services(environment).items()}


def _route(name: str, service: Service) -> Route:
    ingress = service.ingress or Ingress()
    return Route(
        port=public_port(service) or 0,
        priority=priority(name, service),
        hosts=ingress.hosts,
        paths=(ANY_PATH,) if is_catch_all(service) else ingress.paths,
    )


def balanced_services(environment: Environment) -> dict[str, Service]:
    """Return the services behind the load balancer, by name, sorted; empty without a load balancer."""
    services = sorted(environment.services.items()) if environment.ingress.has_load_balancer else []
    return {name: service for name, service in services if service.public}


def is_catch_all(service: Service) -> bool:
    """Return whether a public service has neither paths nor hosts, so that it receives all other requests."""
    return not (service.ingress and (service.ingress.paths or service.ingress.hosts))


def priority(name: str, service: Service) -> int:
    """Return the priority of a service's rule, 1 to 50,000: its own, or one computed from its conditions.

    More specific rules have lower numbers. An exact host comes before a wildcard host, which comes before any
    host. Then longer paths come before shorter ones, compared by the most general path and up to 31
    characters.
    """
    if service.ingress is not None and service.ingress.priority is not None:
        return service.ingress.priority
    if service.ingress is None or is_catch_all(service):
        return LAST_PRIORITY
    band = _host_generality(service.ingress) * _PATH_LENGTHS + _path_generality(service.ingress)
    return (
        1 + band * _SLOTS + int.from_bytes(sha256(service.original_name(name).encode()).digest()[:8]) % _SLOTS
    )


def _host_generality(ingress: Ingress) -> int:
    if not ingress.hosts:
        return 2
    return 1 if any(host.startswith("*") for host in ingress.hosts) else 0


def _path_generality(ingress: Ingress) -> int:
    return _PATH_LENGTHS - 1 - min((_path_specificity(path) for path in ingress.paths), default=0)


def _path_specificity(path: str) -> int:
    """Return the number of characters before the first wildcard, plus one without a wildcard."""
    exact = min((path.index(wildcard) for wildcard in "*?" if wildcard in path), default=len(path) + 1)
    return min(exact, _PATH_LENGTHS - 1)


def public_service_ports(environment: Environment) -> list[tuple[str, int]]:
    """Return the public services with the port that is open from outside, sorted."""
    services = sorted(environment.services.items())
    return [(name, port) for name, service in services if service.public and (port := public_port(service))]


def public_port(service: Service) -> int | None:
    """Return the port of a public service that is open from outside."""
    if service.ingress is not None and service.ingress.port is not None:
        return service.ports[service.ingress.port].container_port
    return service.port


def listener_ports(environment: Environment) -> tuple[int, ...]:
    """Return the ports that the load balancer listens on; empty without a load balancer."""
    if not environment.ingress.has_load_balancer:
        return ()
    return (_HTTP, _HTTPS) if environment.ingress.certificate else (_HTTP,)


def load_balancer_subnets(environment: Environment) -> Literal["private", "public"]:
    """Return the subnets that the load balancer is in."""
    return environment.network.subnets if environment.ingress.type == "internal_alb" else "public"
