"""The call graph: open ports and service URLs match the calls in the catalog."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from fleetform import topology
from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Path, Unknown, Value
from fleetform.policy.helpers.openings import Opening, describe_ports, find_openings
from fleetform.policy.rule import Severity, Undecided, Violation, environment_rule

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_TASK = "aws_ecs_task_definition"
# The groups of services are in the foundation; their rules are separate resources.
_INGRESS = ("aws_vpc_security_group_ingress_rule", "aws_security_group_rule")

Answers = Iterator[tuple[Resource, Violation | Undecided]]


def _ingress_example(name: str, group: str, peer: str, port: int) -> str:
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


def _group(value: Value) -> str | None:
    """Return the key of the foundation's group that a value refers to; None for other values."""
    match = _GROUP.match(value.reference) if isinstance(value, Unknown) else None
    return match and (match["name"] or match["key"])


class _ServiceOpening(NamedTuple):
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


def _service_openings(
    view: View, environment: "Environment"
) -> Iterator[_ServiceOpening | tuple[Resource, Undecided]]:
    """Yield the open connections to services with their own groups, as with `security: edges`."""
    if environment.security != "edges":
        return
    services = environment.names_by_original
    for resource in view.of(*_INGRESS):
        if (service := services.get(_group(resource.value("security_group_id")) or "")) is None:
            continue
        for opening in find_openings(resource):
            ports = opening.ports if isinstance(opening, Opening) else opening
            if isinstance(ports, Undecided):
                yield resource, ports
            elif ports and isinstance(opening, Opening):
                yield _ServiceOpening(resource, opening, ports, service)


def _port_path(resource: Resource) -> Iterable[Path]:
    """Return the port of a hand-written rule; findings of other rules are at the foundation's entry."""
    return [] if resource.address.startswith("module.") else [("from_port",)]


def _listening_ports(environment: "Environment", service: str) -> frozenset[int]:
    """Return the ports that the containers of a service listen on."""
    definition = environment.services[service]
    named_ports = [
        *definition.ports.values(),
        *(port for sidecar in definition.sidecars.values() for port in sidecar.ports.values()),
    ]
    main_port = () if definition.port is None else (definition.port,)
    return frozenset([*main_port, *(port.container_port for port in named_ports)])


@environment_rule(
    "FF022",
    "Only declared calls are open between services.",
    *_INGRESS,
    severity=Severity.HIGH,
    why="An undeclared connection is missing from the diagram and from reviews, and outlives its purpose.",
    link=f"{_GUIDE}/security-network.html",
    good=_STATE + _ingress_example("orders", "orders", "web", 8080),
    bad=_STATE + _ingress_example("orders", "orders", "worker", 8080),
)
def open_calls_are_declared(view: View, environment: "Environment") -> Answers:
    """Ignore peers outside the catalog, which cannot declare calls. FF023 checks unused ports."""
    services = environment.names_by_original
    declared: dict[tuple[str, str], set[int]] = {}
    for call in topology.calls(environment):
        declared.setdefault((call.caller, call.callee), set()).add(call.port)
    for inbound in _service_openings(view, environment):
        if not isinstance(inbound, _ServiceOpening):
            yield inbound
            continue
        for _, value in inbound.opening.groups:
            peer = services.get(_group(value) or "")
            if peer in (None, inbound.service):
                continue
            undeclared = _listening_ports(environment, inbound.service) - declared.get(
                (peer, inbound.service), set()
            )
            if undeclared_ports := [port for port in undeclared if port in inbound.ports]:
                port, service = min(undeclared_ports), inbound.service
                message = f"{peer} can reach {service} on port {port}, but does not declare the call"
                remedy = f"add {service} to `calls` of {peer}, or remove the rule"
                yield inbound.resource, Violation(message, remedy, inbound.opening.at)


@environment_rule(
    "FF023",
    "Only ports with a listener are open.",
    *_INGRESS,
    severity=Severity.MEDIUM,
    why="Anything that listens there later, such as a debugger, is reachable at once.",
    link=f"{_GUIDE}/security-network.html",
    good=_STATE + _ingress_example("orders", "orders", "web", 8080),
    bad=_STATE + _ingress_example("orders", "orders", "web", 9090),
    keeps=_port_path,
)
def open_ports_have_a_listener(view: View, environment: "Environment") -> Answers:
    """Leave groups with every port open to FF006."""
    for inbound in _service_openings(view, environment):
        if not isinstance(inbound, _ServiceOpening):
            yield inbound
            continue
        listening = _listening_ports(environment, inbound.service)
        if inbound.opening.is_all_ports or listening.issuperset(inbound.ports):
            continue
        ports, verb = describe_ports(inbound.ports), "is" if len(inbound.ports) == 1 else "are"
        message = (
            f"{ports} of {inbound.service} {verb} open, but the service listens on {_in_words(listening)}"
        )
        at = (*inbound.opening.at, "from_port")
        yield inbound.resource, Violation(message, "add it to `ports`, or remove the rule", at)


def _in_words(ports: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(ports))) or "no port"


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
_CALLER_NAMES = re.compile(r"ORIGIN|ALLOW|TRUST|PROXY")
_URL_NAMES = re.compile(r"_(URL|URI|HOST|ADDRESS|ADDR|ENDPOINT)S?$|^(URL|HOST|ENDPOINT)$")


def _addresses(view: View, environment: "Environment") -> Iterator[_Address]:
    """Yield the names from the environment's namespace in all variables of all containers."""
    namespace = topology.namespace(environment)
    name = re.compile(
        rf"(?:\b([a-z][a-z0-9+]*)://)?(?:[^\s/@,]+@)?((?:[a-z0-9_-]+\.)+){re.escape(namespace)}(?![\w.-])(?::(\d+))?"
    )
    for task in view.of(_TASK):
        for at, variable, value in _variables(task):
            if isinstance(value, str) and namespace in value and not _CALLER_NAMES.search(variable):
                for scheme, label, port in name.findall(value):
                    yield _Address(
                        task, at, variable, label[:-1], int(port) if port else _SCHEMES.get(scheme)
                    )


def _variables(task: Resource) -> Iterator[tuple[Path, str, Value]]:
    """Yield path, name and value of the variables of all containers of a task."""
    containers = task.value("container_definitions", default=[])
    for index, container in enumerate(containers if isinstance(containers, list) else []):
        variables = container.get("environment") if isinstance(container, dict) else None
        for number, variable in enumerate(variables if isinstance(variables, list) else []):
            if isinstance(variable, dict):
                at = ("container_definitions", index, "environment", number, "value")
                yield at, str(variable.get("name")), variable.get("value")


def _url_paths(task: Resource) -> Iterator[Path]:
    """Yield the paths of values that may contain a name."""
    return (at for at, _, value in _variables(task) if isinstance(value, str) and "." in value)


def _unknown_addresses(view: View) -> Answers:
    """Yield variables that are URLs by their names, but have unknown values."""
    for task in view.of(_TASK):
        for at, variable, value in _variables(task):
            if isinstance(value, Unknown) and _URL_NAMES.search(variable):
                yield task, Undecided(at)


def _task_example(*variables: tuple[str, str]) -> str:
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
    services = environment.services.items()
    return {topology.dns_label(environment, name): name for name, service in services if service.listens}


@environment_rule(
    "FF024",
    "Service URLs in environment variables are correct.",
    *(_TASK, "aws_service_discovery_service", "aws_route53_record"),
    severity=Severity.HIGH,
    why="An unknown name does not resolve: the first request fails, and no plan shows it.",
    link=f"{_GUIDE}/service-discovery.html",
    good=_task_example(("ORDERS_URL", "http://orders.tiny.shop.internal:8080")),
    bad=_task_example(
        ("ORDERS_URL", "http://order.tiny.shop.internal:8080"),
        ("STOCK_URL", "http://orders.tiny.shop.internal"),
    ),
    keeps=_url_paths,
)
def service_urls_are_correct(view: View, environment: "Environment") -> Answers:
    """Accept all names in an existing namespace, which may have others, and those of hand-written records."""
    yield from _unknown_addresses(view)
    services, other_names = _services(environment), _other_names(view)
    for task, at, variable, label, port in _addresses(view, environment):
        service = services.get(label)
        if service is None:
            if "." not in label and label not in other_names and environment.namespace_arn is None:
                names = ", ".join(sorted(services)) or "none"
                yield (
                    task,
                    Violation(
                        f"{variable} points to unknown service {label}", f"known services: {names}", at
                    ),
                )
        elif (
            port is not None
            and (listening := _listening_ports(environment, service))
            and port not in listening
        ):
            where = f"port {port} of {service}, but the service listens on {_in_words(listening)}"
            yield (
                task,
                Violation(
                    f"{variable} points to {where}", "fix the port, or let `calls` generate the variable", at
                ),
            )


def _other_names(view: View) -> frozenset[str]:
    """Return hand-written names; for records, the part before the first dot."""
    names = [resource.value("name") for resource in view.of("aws_service_discovery_service")]
    records = [str(resource.value("name")).partition(".")[0] for resource in view.of("aws_route53_record")]
    return frozenset(name for name in [*names, *records] if isinstance(name, str))


@environment_rule(
    "FF025",
    "Services with the URL of another service declare the call.",
    _TASK,
    severity=Severity.MEDIUM,
    why="The call is missing from the diagram, and with `security: edges` the connection is blocked.",
    link=f"{_GUIDE}/service-discovery.html",
    good=_task_example(("ORDERS_URL", "http://orders.tiny.shop.internal:8080")),
    bad=_task_example(("ORDERS_URL", "http://orders.tiny.shop.internal:8080")).replace(
        "shop-tiny-web", "shop-tiny-worker"
    ),
    keeps=_url_paths,
)
def service_urls_are_declared(view: View, environment: "Environment") -> Answers:
    """Ignore tasks outside the catalog, which cannot declare calls."""
    services = _services(environment)
    callers = {environment.full_name(name): name for name in environment.services}
    for task, at, variable, label, _ in _addresses(view, environment):
        caller, callee = callers.get(str(task.value("family"))), services.get(label)
        if caller is None or callee in (None, caller) or callee in environment.services[caller].callees:
            continue
        message = f"{caller} has the address of {callee} in {variable}, but does not declare the call"
        yield task, Violation(message, f"add {callee} to `calls` of {caller}", at)


@environment_rule(
    "FF026",
    "Services exposed directly to the internet have a health check.",
    _TASK,
    severity=Severity.MEDIUM,
    why="Without a load balancer's checks, ECS keeps a task while its process runs, whatever it answers.",
    link=f"{_GUIDE}/healthcheck.html",
    good=_task_example().replace('"web"\n', '"web"\n    healthCheck = { command = ["CMD", "healthy"] }\n', 1),
    bad=_task_example(),
)
def public_services_have_a_health_check(view: View, environment: "Environment") -> Answers:
    """Check the service's own container: the checks of other containers do not cover it."""
    if environment.ingress.type != "direct":
        return
    public = {
        environment.full_name(name): name
        for name, definition in environment.services.items()
        if definition.public
    }
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
                yield task, Violation(f"{service} has no health check", "set `health_check`", at)
