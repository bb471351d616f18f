"""How requests from outside reach the public services through a load balancer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fleetform.catalog.models import Environment, Ingress, Service
from fleetform.catalog.routing import EVERYTHING, priority, routed, takes_the_rest

_HTTP, _HTTPS = 80, 443


@dataclass(frozen=True)
class Route:
    """The rule by which a load balancer sends requests to a service.

    Attributes:
        port: The port of the service's tasks.
        priority: 1 to 50,000; the lowest is tried first.
        hosts: Patterns of hosts, any of which a request has to have; empty for any host.
        paths: The same of paths.
    """

    port: int
    priority: int
    hosts: tuple[str, ...]
    paths: tuple[str, ...]


def routes(environment: Environment) -> Mapping[str, Route]:
    """The load balancer's rules, by service, sorted; none where there is no load balancer."""
    return {name: _route(name, service) for name, service in routed(environment).items()}


def _route(name: str, service: Service) -> Route:
    ingress = service.ingress or Ingress()
    return Route(
        port=service.ports[ingress.port].container_port if ingress.port else service.port or 0,
        priority=priority(name, service),
        hosts=ingress.hosts,
        paths=(EVERYTHING,) if takes_the_rest(service) else ingress.paths,
    )


def listeners(environment: Environment) -> tuple[int, ...]:
    """The ports that the load balancer listens on; none without a load balancer."""
    if not environment.ingress.balanced:
        return ()
    return (_HTTP, _HTTPS) if environment.ingress.certificate else (_HTTP,)


def front(environment: Environment) -> Literal["private", "public"]:
    """The subnets that the load balancer is in."""
    return environment.network.subnets if environment.ingress.type == "internal_alb" else "public"
