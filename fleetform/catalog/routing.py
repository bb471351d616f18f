"""The load balancer's rules: their conditions and priorities.

A rule's priority depends only on its own service. Adding or removing a service therefore changes no other
rule, and no apply moves a rule to a priority that another rule still has, which AWS refuses. See
docs/adr/0012.
"""

from collections.abc import Iterator
from hashlib import sha256

from fleetform.catalog.locating import Locator, locator
from fleetform.catalog.models import Environment, Ingress, Service
from fleetform.catalog.nodes import Node
from fleetform.errors import Problem

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html
LAST_PRIORITY = 50_000
EVERYTHING = "/*"
"""The path of a service without `paths` and `hosts`."""

# Kinds of hosts: exact, with a wildcard, any. Lengths of paths: 0 to 31 characters before a wildcard.
_HOST_KINDS = 3
_PATH_LENGTHS = 32
# Priorities for equally specific services. The last of AWS's priorities is for the service that receives the
# rest.
_SLOTS = (LAST_PRIORITY - 1) // (_HOST_KINDS * _PATH_LENGTHS)


def routed(environment: Environment) -> dict[str, Service]:
    """Return the services behind the load balancer, by name, sorted; empty without a load balancer."""
    services = sorted(environment.services.items()) if environment.ingress.balanced else []
    return {name: service for name, service in services if service.public}


def takes_the_rest(service: Service) -> bool:
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
    if service.ingress is None or takes_the_rest(service):
        return LAST_PRIORITY
    band = _host_generality(service.ingress) * _PATH_LENGTHS + _path_generality(service.ingress)
    return 1 + band * _SLOTS + int.from_bytes(sha256((*service.renamed_from, name)[0].encode()).digest()[:8]) % _SLOTS


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


def check_routing(environment: Environment, tree: Node) -> Iterator[Problem]:
    """Check that no two services receive the same requests or have the same priority."""
    services_by_request: dict[tuple[str, str], str] = {}
    services_by_priority: dict[int, str] = {}
    for name, service in routed(environment).items():
        at = locator(tree, "services", name)
        request_count = len(services_by_request)
        yield from _check_conditions(name, service, services_by_request, at)
        # Without new requests it conflicts with another service, which is already reported.
        if len(services_by_request) > request_count:
            yield from _check_priority(name, service, services_by_priority, at)
        yield from _check_port(service, at)


def _check_conditions(
    name: str, service: Service, services_by_request: dict[tuple[str, str], str], at: Locator
) -> Iterator[Problem]:
    ingress = service.ingress or Ingress()
    for host in ingress.hosts or ("*",):
        for index, path in enumerate(ingress.paths or (EVERYTHING,)):
            other = services_by_request.setdefault((host, path), name)
            if other == name:
                continue
            if takes_the_rest(service):
                message = f"`{other}` and `{name}` both receive all requests"
                yield Problem(at("public"), message, "add `ingress:` with `paths` or `hosts` to one of them")
                return
            requests = f"`{path}`" if host == "*" else f"`{host}{path}`"
            where = at("ingress", "paths", index) if ingress.paths else at("ingress", "hosts")
            yield Problem(where, f"`{other}` already receives {requests}", "remove it from one of them")


def _check_priority(
    name: str, service: Service, services_by_priority: dict[int, str], at: Locator
) -> Iterator[Problem]:
    number = priority(name, service)
    other = services_by_priority.setdefault(number, name)
    if other != name:
        message = f"the rules of `{other}` and `{name}` both have priority {number}"
        yield Problem(at("ingress", "priority"), message, "give one of them a different `priority`")


def _check_port(service: Service, at: Locator) -> Iterator[Problem]:
    port = service.ports.get(service.ingress.port or "") if service.ingress is not None else None
    if port is not None and port.protocol == "udp":
        yield Problem(at("ingress", "port"), "a load balancer forwards only to TCP ports", "choose a TCP port")
