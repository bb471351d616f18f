"""The call graph: open ports and service URLs match the calls in the catalog."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from fleetform.policy.openings import Opening, openings, shown
from fleetform.policy.rule import Fault, Severity, Undecided, environment_rule
from fleetform.policy.values import Known, Path, Unknown
from fleetform.policy.view import Resource, View

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_TASK = "aws_ecs_task_definition"
# The groups of services are in the foundation; their rules are separate resources.
_INGRESS = ("aws_vpc_security_group_ingress_rule", "aws_security_group_rule")

Answers = Iterator[tuple[Resource, Fault | Undecided]]


def _rule(name: str, group: str, peer: str, port: int) -> str:
    """Return an example: the group of one service opened to that of a different one."""
    groups = "data.terraform_remote_state.foundation.outputs.security_group_ids"
    return f"""\
resource "aws_vpc_security_group_ingress_rule" "{name}" {{
  description                  = "{peer} calls {group}"
  security_group_id            = {groups}["{group}"]
  referenced_security_group_id = {groups}["{peer}"]
  ip_protocol                  = "tcp"
  from_port                    = {port}
  to_port                      = {port}
}}
"""


_STATE = 'data "terraform_remote_state" "foundation" {\n  backend = "s3"\n}\n\n'

# References to the foundation's groups: to their resources, or to its outputs.
_GROUP = re.compile(
    r"""^(?:module\.security\.aws_security_group\.this|data\.terraform_remote_state\.\w+\.outputs\.security_group_ids)
    (?:\.(?P<name>[\w-]+)|\["(?P<key>[^"]+)"\])""",
    re.VERBOSE,
)


def _group(value: Known) -> str | None:
    """Return the key of the foundation's group that a value refers to; None for other values."""
    found = _GROUP.match(value.reference) if isinstance(value, Unknown) else None
    return found and (found["name"] or found["key"])


class _Hole(NamedTuple):
    """An open connection to a service.

    Attributes:
        resource: The rule.
        opening: The opening.
        ports: Its ports.
        service: The service whose group it opens.
    """

    resource: Resource
    opening: Opening
    ports: range
    service: str


def _holes(view: View, environment: "Environment") -> Iterator[_Hole | tuple[Resource, Undecided]]:
    """Yield the open connections to services with their own groups, as with `security: edges`."""
    if environment.security != "edges":
        return
    services = {environment.first_name(name): name for name in environment.services}
    for resource in view.of(*_INGRESS):
        if (service := services.get(_group(resource.value("security_group_id")) or "")) is None:
            continue
        for opening in openings(resource):
            ports = opening.ports if isinstance(opening, Opening) else opening
            if isinstance(ports, Undecided):
                yield resource, ports
            elif ports and isinstance(opening, Opening):
                yield _Hole(resource, opening, ports, service)


def _written(resource: Resource) -> Iterable[Path]:
    """Return the port of a hand-written rule; findings of other rules are at the foundation's entry."""
    return [] if resource.address.startswith("module.") else [("from_port",)]


def _listened(environment: "Environment", service: str) -> frozenset[int]:
    """Return the ports that the containers of a service listen on."""
    known = environment.services[service]
    named = [*known.ports.values(), *(port for sidecar in known.sidecars.values() for port in sidecar.ports.values())]
    own = () if known.port is None else (known.port,)
    return frozenset([*own, *(port.container_port for port in named)])


@environment_rule(
    "FF022",
    "Only declared calls are open between services.",
    *_INGRESS,
    severity=Severity.HIGH,
    why="An undeclared connection is missing from the diagram and from reviews, and outlives its purpose.",
    link=f"{_GUIDE}/security-network.html",
    good=_STATE + _rule("orders", "orders", "web", 8080),
    bad=_STATE + _rule("orders", "orders", "worker", 8080),
)
def ways_are_declared(view: View, environment: "Environment") -> Answers:
    """Ignore peers outside the catalog, which cannot declare calls. FF023 checks unused ports."""
    from fleetform import topology  # noqa: PLC0415 - it imports the catalog's models

    services = {environment.first_name(name): name for name in environment.services}
    declared: dict[tuple[str, str], set[int]] = {}
    for call in topology.calls(environment):
        declared.setdefault((call.caller, call.callee), set()).add(call.port)
    for hole in _holes(view, environment):
        if not isinstance(hole, _Hole):
            yield hole
            continue
        for _, value in hole.opening.groups:
            peer = services.get(_group(value) or "")
            if peer in (None, hole.service):
                continue
            undeclared = _listened(environment, hole.service) - declared.get((peer, hole.service), set())
            if reached := [port for port in undeclared if port in hole.ports]:
                message = f"{peer} can reach {hole.service} on port {min(reached)}, but does not declare the call"
                yield (
                    hole.resource,
                    Fault(message, f"add {hole.service} to `calls` of {peer}, or remove the rule", hole.opening.at),
                )


@environment_rule(
    "FF023",
    "Only ports with a listener are open.",
    *_INGRESS,
    severity=Severity.MEDIUM,
    why="Anything that listens there later, such as a debugger, is reachable at once.",
    link=f"{_GUIDE}/security-network.html",
    good=_STATE + _rule("orders", "orders", "web", 8080),
    bad=_STATE + _rule("orders", "orders", "web", 9090),
    keeps=_written,
)
def open_ports_are_listened_on(view: View, environment: "Environment") -> Answers:
    """Leave groups with every port open to FF006."""
    for hole in _holes(view, environment):
        if not isinstance(hole, _Hole):
            yield hole
        elif not hole.opening.is_everything and not _listened(environment, hole.service).issuperset(hole.ports):
            listens = ", ".join(map(str, sorted(_listened(environment, hole.service)))) or "no port"
            message = f"{shown(hole.ports)} of {hole.service} {'is' if len(hole.ports) == 1 else 'are'} open"
            at = (*hole.opening.at, "from_port")
            yield (
                hole.resource,
                Fault(f"{message}, but the service listens on {listens}", "add it to `ports`, or remove the rule", at),
            )


class _Address(NamedTuple):
    """A name from the environment's namespace in a container's variables.

    Attributes:
        task: The task definition.
        at: The path of the variable.
        variable: Its name.
        label: The name without the namespace.
        port: The port, given or implied by the scheme; None if neither is present.
    """

    task: Resource
    at: Path
    variable: str
    label: str
    port: int | None


_SCHEMES = {"http": 80, "https": 443}
# Variables that list allowed callers, not addresses to call.
_CALLERS = re.compile(r"ORIGIN|ALLOW|TRUST|PROXY")
_TOLD = re.compile(r"_(URL|URI|HOST|ADDRESS|ADDR|ENDPOINT)S?$|^(URL|HOST|ENDPOINT)$")


def _addresses(view: View, environment: "Environment") -> Iterator[_Address]:
    """Yield the names from the environment's namespace in all variables of all containers."""
    from fleetform import topology  # noqa: PLC0415 - it imports the catalog's models

    namespace = topology.namespace(environment)
    name = re.compile(
        rf"(?:\b([a-z][a-z0-9+]*)://)?(?:[^\s/@,]+@)?((?:[a-z0-9_-]+\.)+){re.escape(namespace)}(?![\w.-])(?::(\d+))?"
    )
    for task in view.of(_TASK):
        for at, variable, value in _variables(task):
            if isinstance(value, str) and namespace in value and not _CALLERS.search(variable):
                for scheme, label, port in name.findall(value):
                    yield _Address(task, at, variable, label[:-1], int(port) if port else _SCHEMES.get(scheme))


def _variables(task: Resource) -> Iterator[tuple[Path, str, Known]]:
    """Yield path, name and value of the variables of all containers of a task."""
    containers = task.value("container_definitions", default=[])
    for index, container in enumerate(containers if isinstance(containers, list) else []):
        given = container.get("environment") if isinstance(container, dict) else None
        for number, variable in enumerate(given if isinstance(given, list) else []):
            if isinstance(variable, dict):
                at = ("container_definitions", index, "environment", number, "value")
                yield at, str(variable.get("name")), variable.get("value")


def _places(task: Resource) -> Iterator[Path]:
    """Yield the paths of values that may contain a name."""
    return (at for at, _, value in _variables(task) if isinstance(value, str) and "." in value)


def _unknown_addresses(view: View) -> Answers:
    """Yield variables that are URLs by their names, but have unknown values."""
    for task in view.of(_TASK):
        for at, variable, value in _variables(task):
            if isinstance(value, Unknown) and _TOLD.search(variable):
                yield task, Undecided(at)


def _task(*variables: tuple[str, str]) -> str:
    """Return an example: the task definition of `web`, which calls `orders`."""
    lines = "\n".join(f'      {{ name = "{name}", value = "{value}" }},' for name, value in variables)
    return f"""\
resource "aws_ecs_task_definition" "web" {{
  family = "shop-tiny-web"

  container_definitions = jsonencode([{{
    name = "web"
    environment = [
{lines}
    ]
  }}])
}}
"""


def _services(environment: "Environment") -> Mapping[str, str]:
    """Return the services with a DNS name, by that name without the namespace."""
    from fleetform import topology  # noqa: PLC0415 - it imports the catalog's models

    listening = topology.discoverable(environment)
    return {
        topology.label(environment, name): name
        for name in environment.services
        if environment.first_name(name) in listening
    }


@environment_rule(
    "FF024",
    "Service URLs in environment variables are correct.",
    *(_TASK, "aws_service_discovery_service", "aws_route53_record"),
    severity=Severity.HIGH,
    why="An unknown name does not resolve: the first request fails, and no plan shows it.",
    link=f"{_GUIDE}/service-discovery.html",
    good=_task(("ORDERS_URL", "http://orders.tiny.shop.internal:8080")),
    bad=_task(
        ("ORDERS_URL", "http://order.tiny.shop.internal:8080"),
        ("STOCK_URL", "http://orders.tiny.shop.internal"),
    ),
    keeps=_places,
)
def names_lead_somewhere(view: View, environment: "Environment") -> Answers:
    """Accept all names in an existing namespace, which may have others, and those of hand-written records."""
    yield from _unknown_addresses(view)
    services, others = _services(environment), _other_names(view)
    for task, at, variable, label, port in _addresses(view, environment):
        service = services.get(label)
        if service is None:
            if "." not in label and label not in others and environment.namespace_arn is None:
                names = ", ".join(sorted(services)) or "none"
                yield task, Fault(f"{variable} points to unknown service {label}", f"known services: {names}", at)
        elif port is not None and (listens := _listened(environment, service)) and port not in listens:
            ports = ", ".join(map(str, sorted(listens)))
            message = f"{variable} points to port {port} of {service}, but the service listens on {ports}"
            yield task, Fault(message, "fix the port, or let `calls` generate the variable", at)


def _other_names(view: View) -> frozenset[str]:
    """Return hand-written names; for records, the part before the first dot."""
    given = [resource.value("name") for resource in view.of("aws_service_discovery_service")]
    records = [str(resource.value("name")).partition(".")[0] for resource in view.of("aws_route53_record")]
    return frozenset(name for name in [*given, *records] if isinstance(name, str))


@environment_rule(
    "FF025",
    "Services with the URL of another service declare the call.",
    _TASK,
    severity=Severity.MEDIUM,
    why="The call is missing from the diagram, and with `security: edges` the connection is blocked.",
    link=f"{_GUIDE}/service-discovery.html",
    good=_task(("ORDERS_URL", "http://orders.tiny.shop.internal:8080")),
    bad=_task(("ORDERS_URL", "http://orders.tiny.shop.internal:8080")).replace("shop-tiny-web", "shop-tiny-worker"),
    keeps=_places,
)
def told_is_declared(view: View, environment: "Environment") -> Answers:
    """Ignore tasks outside the catalog, which cannot declare calls."""
    services = _services(environment)
    callers = {environment.full_name(name): name for name in environment.services}
    for task, at, variable, label, _ in _addresses(view, environment):
        caller, callee = callers.get(str(task.value("family"))), services.get(label)
        if caller is None or callee in (None, caller) or callee in environment.services[caller].callees:
            continue
        message = f"{caller} has the address of {callee} in {variable}, but does not declare the call"
        yield task, Fault(message, f"add {callee} to `calls` of {caller}", at)


@environment_rule(
    "FF026",
    "Services exposed directly to the internet have a health check.",
    _TASK,
    severity=Severity.MEDIUM,
    why="Without a load balancer's checks, ECS keeps a task while its process runs, whatever it answers.",
    link=f"{_GUIDE}/healthcheck.html",
    good=_task().replace('"web"\n', '"web"\n    healthCheck = { command = ["CMD", "healthy"] }\n', 1),
    bad=_task(),
)
def public_services_are_checked(view: View, environment: "Environment") -> Answers:
    """Check the service's own container: the checks of other containers do not cover it."""
    if environment.ingress.type != "direct":
        return
    public = {environment.full_name(name): name for name, known in environment.services.items() if known.public}
    for task in view.of(_TASK):
        containers = task.value("container_definitions", default=[])
        service = public.get(str(task.value("family")))
        for index, container in enumerate(containers if service and isinstance(containers, list) else []):
            at = ("container_definitions", index, "healthCheck")
            if not isinstance(container, dict) or container.get("name") != service:
                continue
            if isinstance(check := container.get("healthCheck"), Unknown):
                yield task, Undecided(at)
            elif not check:
                yield task, Fault(f"{service} has no health check", "set `health_check`", at)
