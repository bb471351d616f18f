"""The load balancer's rules, listeners and subnets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fleetform.catalog.models import Environment, Ingress, Service
from fleetform.topology.routing import ANY_PATH, balanced_services, is_catch_all, priority

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
