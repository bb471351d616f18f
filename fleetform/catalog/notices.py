"""What is allowed and yet worth saying: warnings, which change no exit code."""

from collections import Counter
from collections.abc import Iterator, Mapping

from fleetform.catalog.apis import interface_endpoints
from fleetform.catalog.locating import locator
from fleetform.catalog.models import Container, Environment
from fleetform.catalog.nodes import Node
from fleetform.errors import Problem

# Rules of one direction in one group, unless AWS raises it:
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
_RULES = 60


def notices(environment: Environment, tree: Node) -> list[Problem]:
    """Everything about a sound environment that somebody should know, ordered by place."""
    found = [
        *_circles(environment, tree),
        *_unreachable(environment, tree),
        *_shut_in(environment, tree),
        *_in_the_clear(environment, tree),
        *_moving_images(environment, tree),
        *_many_rules(environment, tree),
    ]
    return sorted(found, key=lambda problem: (problem.position, problem.message))


def _circles(environment: Environment, tree: Node) -> Iterator[Problem]:
    for circle in circles({name: service.callees for name, service in environment.services.items()}):
        names = ", ".join(f"`{name}`" for name in circle)
        message = f"{names} call each other in a circle"
        yield Problem(
            locator(tree, "services", circle[0])("calls", key=True), message, "each must start without the rest"
        )


def circles(callees: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """The groups of services that reach each other by calls, each sorted; by first name (Kosaraju's algorithm)."""
    callers: dict[str, list[str]] = {name: [] for name in callees}
    for caller, names in callees.items():
        for callee in names:
            callers[callee].append(caller)
    done: set[str] = set()
    order = [name for root in callees for name in _reached(root, callees, done)]
    done.clear()
    groups = [sorted(_reached(root, callers, done)) for root in reversed(order)]
    return sorted(group for group in groups if len(group) > 1)


def _reached(root: str, following: Mapping[str, tuple[str, ...] | list[str]], done: set[str]) -> list[str]:
    """What can be reached from a root and was not before: each after all that it reaches."""
    if root in done:
        return []
    done.add(root)
    left: list[str] = []
    path = [(root, iter(following[root]))]
    while path:
        name, rest = path[-1]
        step = next((other for other in rest if other not in done), None)
        if step is None:
            left.append(name)
            path.pop()
        else:
            done.add(step)
            path.append((step, iter(following[step])))
    return left


def _unreachable(environment: Environment, tree: Node) -> Iterator[Problem]:
    services = environment.services.items()
    called = {callee for name, service in services for callee in service.callees if callee != name}
    for name, service in environment.services.items():
        listens = service.port is not None or service.ports
        if listens and not (service.public or service.is_task or name in called):
            remedy = "let a service call it, make it public, or remove its port if it is a worker"
            yield Problem(locator(tree, "services", name)(), f"nothing calls `{name}`, and it is not public", remedy)


def _shut_in(environment: Environment, tree: Node) -> Iterator[Problem]:
    if environment.ingress.type not in ("internal_alb", "none"):
        return
    for name, service in environment.services.items():
        if service.public:
            message = f"`{name}` is public, and nothing on the internet reaches it"
            remedy = f"the environment's `ingress.type` is `{environment.ingress.type}`"
            yield Problem(locator(tree, "services", name)("public"), message, remedy)


def _in_the_clear(environment: Environment, tree: Node) -> Iterator[Problem]:
    if environment.ingress.type == "alb" and environment.ingress.certificate is None:
        message = "the load balancer speaks HTTP alone, and anyone on the way reads and changes it"
        yield Problem(locator(tree, "ingress")("type"), message, "give it a `certificate`")


def _moving_images(environment: Environment, tree: Node) -> Iterator[Problem]:
    for name, service in environment.services.items():
        at = locator(tree, "services", name)
        containers: dict[tuple[str, ...], Container] = {(): service}
        containers |= {("sidecars", key): sidecar for key, sidecar in service.sidecars.items()}
        for path, container in containers.items():
            if container.image is not None and _moves(container.image):
                message = f"`{container.image}` is not the same image every day"
                yield Problem(at(*path, "image"), message, "name its tag or, better, its digest")


def _moves(image: str) -> bool:
    last = image.rpartition("/")[2]
    return "@" not in image and (":" not in last or last.endswith(":latest"))


def _many_rules(environment: Environment, tree: Node) -> Iterator[Problem]:
    if environment.security != "edges":
        return
    if interface_endpoints(environment) and (count := len(environment.services)) > _RULES:
        message = f"the security group of the VPC's endpoints gets {count} inbound rules, one of each service"
        remedy = f"AWS allows {_RULES} unless it raises the quota: ask it to, or go out by `nat` instead"
        yield Problem(locator(tree, "network")("endpoints", key=True), message, remedy)
    callers = Counter(callee for service in environment.services.values() for callee in service.callees)
    for name, service in environment.services.items():
        # Besides the calls: anyone's to a public port, and its own to AWS.
        for rules, what in ((callers[name] + service.public, "inbound"), (len(service.calls) + 1, "outbound")):
            if rules > _RULES:
                message = f"the security group of `{name}` gets {rules} {what} rules"
                remedy = f"AWS allows {_RULES} unless it raises the quota: ask it to, or call fewer services"
                yield Problem(locator(tree, "services", name)(), message, remedy)
