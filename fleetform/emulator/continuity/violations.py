"""Compares what runs with what must run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleetform.emulator.continuity.world import ANYWHERE, Rule, Service, Task, World


@dataclass(frozen=True)
class ExpectedService:
    """A service that must survive.

    Attributes:
        name: Its name in the catalog.
        ecs_services: The names that its ECS service may have: before and after a change.
        dns_names: The names that it may be found under; empty if it needs none.
        is_public: Whether it is reached from the internet.
        is_scaled: Whether it scales.
        risks: Which of its interruptions the plan has shown; see `ALLOWED` of the monitor.
    """

    name: str
    ecs_services: tuple[str, ...]
    dns_names: tuple[str, ...] = ()
    is_public: bool = False
    is_scaled: bool = False
    risks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExpectedCall:
    """A call that must survive.

    Attributes:
        caller: The caller's name in the catalog.
        callee: The callee's name in the catalog.
        ports: The callee's ports that the call may be for, before and after a change.
        protocol: `tcp` or `udp`.
    """

    caller: str
    callee: str
    ports: tuple[int, ...] = ()
    protocol: str = "tcp"


@dataclass(frozen=True)
class Expectations:
    """What must survive.

    Attributes:
        region: The region of the cluster.
        cluster: The name of the ECS cluster.
        services: The services that are in both catalogs.
        calls: The calls that are in both catalogs.
    """

    region: str
    cluster: str
    services: tuple[ExpectedService, ...]
    calls: tuple[ExpectedCall, ...] = ()


@dataclass(frozen=True, order=True)
class Violation:
    """Something that does not work.

    Attributes:
        check: `service`, `subnet`, `image`, `name`, `public`, `scaling` or `call`.
        services: The names in the catalog of the service, or of caller and callee.
        detail: What is wrong.
    """

    check: str
    services: tuple[str, ...]
    detail: str


def violations(world: World, expectations: Expectations) -> frozenset[Violation]:
    """Return all that is expected and does not work."""
    running = {expected.name: _active(world, expected) for expected in expectations.services}
    found = [
        violation
        for expected in expectations.services
        for violation in _service_violations(world, expected, running[expected.name])
    ]
    names = {expected.name: expected.dns_names for expected in expectations.services}
    for call in expectations.calls:
        callers, callees = running[call.caller], running[call.callee]
        found += _call_violations(world, call, callers, callees, names[call.callee])
    return frozenset(found)


def _active(world: World, expected: ExpectedService) -> list[Service]:
    services = [world.services[name] for name in expected.ecs_services if name in world.services]
    return [service for service in services if service.status == "ACTIVE"]


def _tasks(services: Sequence[Service]) -> list[Task]:
    return [task for service in services for task in service.tasks]


def _service_violations(
    world: World, expected: ExpectedService, services: Sequence[Service]
) -> Iterator[Violation]:
    subject, tasks = (expected.name,), _tasks(services)
    if not services:
        yield Violation("service", subject, "no ECS service is ACTIVE")
    elif not tasks and all(service.desired_count for service in services):
        yield Violation("service", subject, "no task runs")
    for subnet in {task.subnet for task in tasks} - world.subnets:
        yield Violation("subnet", subject, f"tasks run in {subnet}, which does not exist")
    for image in {image for task in tasks for image in task.images} - world.images:
        yield Violation("image", subject, f"tasks run {image}, which is not in ECR")
    if expected.is_scaled and not any(service.is_scaled for service in services):
        yield Violation("scaling", subject, "no scalable target has a policy")
    if expected.is_public and tasks and not any(_is_reached(world, task) for task in tasks):
        yield Violation("public", subject, "neither a load balancer nor a public address leads to a task")
    if expected.dns_names and tasks and not _is_found(world, expected.dns_names, services):
        yield Violation("name", subject, f"{' or '.join(expected.dns_names)} leads to no task")


def _is_found(world: World, names: Sequence[str], services: Sequence[Service]) -> bool:
    ids = {task.id for task in _tasks(services)}
    aliases = {alias for service in services for alias in service.aliases}
    return any(name in aliases or world.names.get(name, frozenset()) & ids for name in names)


def _is_reached(world: World, task: Task) -> bool:
    """Return whether something from the internet reaches a task."""
    for route in world.routes:
        for address, port in route.targets:
            from_balancer = _matching(world, "ingress", task.groups, port, "tcp")
            if address == task.address and any(rule.peer in route.groups for rule in from_balancer):
                return ("tcp", port) in task.ports
    return task.is_public and any(
        rule.cidr == ANYWHERE
        for protocol, port in task.ports
        for rule in _matching(world, "ingress", task.groups, port, protocol)
    )


def _call_violations(
    world: World,
    call: ExpectedCall,
    callers: Sequence[Service],
    callees: Sequence[Service],
    names: Sequence[str],
) -> Iterator[Violation]:
    subject = (call.caller, call.callee)
    for callee in _tasks(callees):
        listening = {port for protocol, port in callee.ports if protocol == call.protocol}
        for port in sorted(listening & {*call.ports} or listening):
            sides = {
                direction
                for caller in _tasks(callers)
                for direction, own, other in (("egress", caller, callee), ("ingress", callee, caller))
                if not _lets(world, direction, own, other, port, call.protocol)
            }
            for direction in sorted(sides):
                yield Violation("call", subject, f"no {direction} rule for {call.protocol} port {port}")
    ids = {task.id for task in _tasks(callees)}
    in_dns = any(world.names.get(name, frozenset()) & ids for name in names)
    for caller_service in callers:
        if names and ids and not (in_dns or caller_service.is_connected):
            yield Violation("call", subject, "the caller finds the callee in no namespace")


def _lets(world: World, direction: str, own: Task, other: Task, port: int, protocol: str) -> bool:  # noqa: PLR0913, PLR0917 -- one connection
    rules = _matching(world, direction, own.groups, port, protocol)
    return any(rule.meets(other.groups, other.address) for rule in rules)


def _matching(
    world: World, direction: str, groups: frozenset[str], port: int, protocol: str
) -> Iterator[Rule]:
    return (
        rule
        for rule in world.rules
        if rule.direction == direction and rule.group in groups and rule.covers(port, protocol)
    )
