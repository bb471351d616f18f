"""Checks of the load balancer's rules against each other."""

from collections.abc import Iterator

from fleetform.base.errors import Problem
from fleetform.catalog.locator import Locator, locator
from fleetform.catalog.models import Environment, Ingress, Service
from fleetform.catalog.nodes import Node
from fleetform.topology.ingress import ANY_PATH, balanced_services, is_catch_all, priorities


def check_routing(environment: Environment, tree: Node) -> Iterator[Problem]:
    """Check that no two services receive the same requests or have the same priority."""
    services_by_request: dict[tuple[str, str], str] = {}
    services_by_priority: dict[int, str] = {}
    numbers = priorities(environment)
    for name, service in balanced_services(environment).items():
        at = locator(tree, "services", name)
        request_count = len(services_by_request)
        yield from _check_conditions(name, service, services_by_request, at)
        # Without new requests it conflicts with another service, which is already reported.
        if len(services_by_request) > request_count:
            yield from _check_priority(name, numbers[name], services_by_priority, at)
        yield from _check_port(service, at)


def _check_conditions(
    name: str, service: Service, services_by_request: dict[tuple[str, str], str], at: Locator
) -> Iterator[Problem]:
    ingress = service.ingress or Ingress()
    for host in ingress.hosts or ("*",):
        for index, path in enumerate(ingress.paths or (ANY_PATH,)):
            other = services_by_request.setdefault((host, path), name)
            if other == name:
                continue
            if is_catch_all(service):
                message = f"`{other}` and `{name}` both receive all requests"
                yield Problem(at("public"), message, "add `ingress:` with `paths` or `hosts` to one of them")
                return
            requests = f"`{path}`" if host == "*" else f"`{host}{path}`"
            where = at("ingress", "paths", index) if ingress.paths else at("ingress", "hosts")
            yield Problem(where, f"`{other}` already receives {requests}", "remove it from one of them")


def _check_priority(
    name: str, number: int, services_by_priority: dict[int, str], at: Locator
) -> Iterator[Problem]:
    other = services_by_priority.setdefault(number, name)
    if other != name:
        message = f"the rules of `{other}` and `{name}` both have priority {number}"
        yield Problem(at("ingress", "priority"), message, "give one of them a different `priority`")


def _check_port(service: Service, at: Locator) -> Iterator[Problem]:
    port = service.ports.get(service.ingress.port or "") if service.ingress is not None else None
    if port is not None and port.protocol == "udp":
        yield Problem(
            at("ingress", "port"), "a load balancer forwards only to TCP ports", "choose a TCP port"
        )
