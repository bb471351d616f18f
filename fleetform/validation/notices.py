"""Notices: warnings about valid values, which do not change the exit code."""

from collections import Counter
from collections.abc import Iterator, Mapping

from fleetform.base.errors import Problem
from fleetform.catalog.locator import locator
from fleetform.catalog.models import Environment
from fleetform.catalog.nodes import Node
from fleetform.topology.endpoints import interface_endpoints

# AWS's default quota of rules in one direction of a security group:
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
_DEFAULT_RULE_QUOTA = 60


def find_notices(environment: Environment, tree: Node) -> list[Problem]:
    """Return warnings about a valid environment, ordered by position."""
    problems = [
        *_report_call_cycles(environment, tree),
        *_report_unreachable_services(environment, tree),
        *_report_unreachable_public_services(environment, tree),
        *_report_unencrypted_ingress(environment, tree),
        *_report_mutable_images(environment, tree),
        *_report_exceeded_rule_quotas(environment, tree),
    ]
    return sorted(problems, key=lambda problem: (problem.position, problem.message))


def _report_call_cycles(environment: Environment, tree: Node) -> Iterator[Problem]:
    for cycle in find_call_cycles({name: service.callees for name, service in environment.services.items()}):
        names = ", ".join(f"`{name}`" for name in cycle)
        message = f"{names} call each other in a cycle"
        yield Problem(
            locator(tree, "services", cycle[0])("calls", key=True),
            message,
            "make sure that each can start without the others",
        )


def find_call_cycles(callees: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Return the call cycles: groups of services that reach each other, sorted (Kosaraju's algorithm)."""
    callers: dict[str, list[str]] = {name: [] for name in callees}
    for caller, names in callees.items():
        for callee in names:
            callers[callee].append(caller)
    done: set[str] = set()
    order = [name for root in callees for name in _traverse(root, callees, done)]
    done.clear()
    groups = [sorted(_traverse(root, callers, done)) for root in reversed(order)]
    return sorted(group for group in groups if len(group) > 1)


def _traverse(root: str, following: Mapping[str, tuple[str, ...] | list[str]], done: set[str]) -> list[str]:
    """Return the services reachable from a root that are not in `done` yet, in postorder."""
    if root in done:
        return []
    done.add(root)
    postorder: list[str] = []
    path = [(root, iter(following[root]))]
    while path:
        name, remaining = path[-1]
        step = next((other for other in remaining if other not in done), None)
        if step is None:
            postorder.append(name)
            path.pop()
        else:
            done.add(step)
            path.append((step, iter(following[step])))
    return postorder


def _report_unreachable_services(environment: Environment, tree: Node) -> Iterator[Problem]:
    services = environment.services.items()
    called = {callee for name, service in services for callee in service.callees if callee != name}
    for name, service in environment.services.items():
        if service.listens and not (service.public or service.is_task or name in called):
            remedy = "call it from a service, make it public, or remove its port if it is a worker"
            yield Problem(
                locator(tree, "services", name)(),
                f"`{name}` has a port, but nothing calls it and it is not public",
                remedy,
            )


def _report_unreachable_public_services(environment: Environment, tree: Node) -> Iterator[Problem]:
    if environment.ingress.type not in ("internal_alb", "none"):
        return
    for name, service in environment.services.items():
        if service.public:
            message = f"`{name}` is public, but unreachable from the internet"
            remedy = f"the environment's `ingress.type` is `{environment.ingress.type}`"
            yield Problem(locator(tree, "services", name)("public"), message, remedy)


def _report_unencrypted_ingress(environment: Environment, tree: Node) -> Iterator[Problem]:
    if environment.ingress.type == "alb" and environment.ingress.certificate is None:
        message = "the load balancer serves only unencrypted HTTP"
        yield Problem(locator(tree, "ingress")("type"), message, "add a `certificate`")


def _report_mutable_images(environment: Environment, tree: Node) -> Iterator[Problem]:
    for name, service in environment.services.items():
        at = locator(tree, "services", name)
        for path, container in service.containers.items():
            if container.image is not None and _is_mutable(container.image):
                message = f"`{container.image}` can change at any time"
                yield Problem(at(*path, "image"), message, "pin a tag or, better, a digest")


def _is_mutable(image: str) -> bool:
    last = image.rpartition("/")[2]
    return "@" not in image and (":" not in last or last.endswith(":latest"))


def _report_exceeded_rule_quotas(environment: Environment, tree: Node) -> Iterator[Problem]:
    if environment.security != "edges":
        return
    if interface_endpoints(environment) and (count := len(environment.services)) > _DEFAULT_RULE_QUOTA:
        message = f"the security group of the VPC's endpoints gets {count} inbound rules, one per service"
        remedy = f"request a higher quota than AWS's default of {_DEFAULT_RULE_QUOTA}, or use `nat` instead"
        yield Problem(locator(tree, "network")("endpoints", key=True), message, remedy)
    callers = Counter(callee for service in environment.services.values() for callee in service.callees)
    for name, service in environment.services.items():
        # In addition to the calls: one rule for the public port, and one for AWS.
        for rules, direction in (
            (callers[name] + service.public, "inbound"),
            (len(service.calls) + 1, "outbound"),
        ):
            if rules > _DEFAULT_RULE_QUOTA:
                message = f"the security group of `{name}` gets {rules} {direction} rules"
                quota = f"a higher quota than AWS's default of {_DEFAULT_RULE_QUOTA}"
                remedy = f"request {quota}, or call fewer services"
                yield Problem(locator(tree, "services", name)(), message, remedy)
