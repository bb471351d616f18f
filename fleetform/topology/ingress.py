"""How requests from outside reach the public services: ports, and the load balancer's rules and listeners.

A rule's priority follows from its own service, unless an earlier one has that number already. Adding or
removing a service therefore changes at most the rules with which it collides. See docs/adr/0012.
"""

from collections.abc import Collection, Mapping
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
    numbers = priorities(environment)
    return {name: _route(service, numbers[name]) for name, service in balanced_services(environment).items()}


def _route(service: Service, number: int) -> Route:
    ingress = service.ingress or Ingress()
    return Route(
        port=public_port(service) or 0,
        priority=number,
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


def priorities(environment: Environment) -> dict[str, int]:
    """Return the priorities of the load balancer's rules, by service.

    A computed priority that is taken becomes the next free one for equally specific services. Those with a
    priority in the catalog choose first, then those whose own number is free, by their original names.
    Numbers are equal only if the catalog has them twice, or if more than 520 services are equally specific.
    """
    services = balanced_services(environment)
    numbers = {name: priority(name, service) for name, service in services.items()}
    fixed = {name for name, service in services.items() if _band(service) is None}
    taken = {numbers[name] for name in fixed}
    colliding = []
    for name in sorted(services.keys() - fixed, key=environment.original_name):
        if numbers[name] in taken:
            colliding.append(name)
        taken.add(numbers[name])
    for name in colliding:
        numbers[name] = _next_free(numbers[name], _band(services[name]) or 0, taken)
        taken.add(numbers[name])
    return numbers


def priority(name: str, service: Service) -> int:
    """Return the priority of a service's rule, 1 to 50,000: its own, or one computed from its conditions.

    More specific rules have lower numbers. An exact host comes before a wildcard host, which comes before any
    host. Then longer paths come before shorter ones, compared by the most general path and up to 31
    characters.
    """
    if service.ingress is not None and service.ingress.priority is not None:
        return service.ingress.priority
    band = _band(service)
    if band is None:
        return LAST_PRIORITY
    digest = sha256(service.original_name(name).encode()).digest()
    return 1 + band * _SLOTS + int.from_bytes(digest[:8]) % _SLOTS


def _band(service: Service) -> int | None:
    """Return the rank of a service among the others by how specific its rule is, 0 for the most specific.

    None if its priority is not computed from it.
    """
    if service.ingress is None or service.ingress.priority is not None or is_catch_all(service):
        return None
    return _host_generality(service.ingress) * _PATH_LENGTHS + _path_generality(service.ingress)


def _next_free(number: int, band: int, taken: Collection[int]) -> int:
    """Return the next number of a band that is not taken, or the same one if all are."""
    first = 1 + band * _SLOTS
    numbers = (first + (number - first + step) % _SLOTS for step in range(_SLOTS))
    return next((free for free in numbers if free not in taken), number)


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
