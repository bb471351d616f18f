"""Checks that look at more than one value: names against names, keys against keys.

Each check is a generator of problems. They run on the services that are sound in themselves, so that a mistake in one
service does not hide a mistake in another. Those of containers are in container_checks.py, those of
environments in environment_checks.py, those against AWS's tables and quotas in limits.py.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from fleetform.catalog.constants import FOUNDATION_NAME, TASKS_NAME
from fleetform.catalog.container_checks import check_containers
from fleetform.catalog.locating import Locator, below, locator
from fleetform.catalog.models import Callee, Service, Services
from fleetform.catalog.nodes import Node
from fleetform.catalog.wording import closest, suggestion
from fleetform.errors import Position, Problem


def check_calls(tree: Node, name: str, absent: Mapping[str, Node]) -> Iterator[Problem]:
    """Each call leads to a service, once; read from the tree, as it needs no sound service.

    Args:
        tree: The environment.
        name: Its name.
        absent: The `enabled_in` of the services that are not in it.
    """
    services = tree.at(("services",))
    if services is None or not isinstance(services.value, dict):
        return
    for caller, service in services.value.items():
        calls = service.at(("calls",))
        seen: set[tuple[str, object]] = set()
        for call in calls.value if calls is not None and isinstance(calls.value, list) else []:
            callee = _callee(call)
            if callee is None:
                continue
            called, port = str(callee.value), call.at(("port",))
            if called in absent:
                yield _call_of_absent(caller, callee, name, absent[called])
            else:
                yield from _check_call(caller, called, callee.position, services.value)
            if (called, port and port.plain()) in seen:
                yield Problem(callee.position, f"`{caller}` calls `{called}` twice", "name it once")
            seen.add((called, port and port.plain()))


def _callee(call: Node) -> Node | None:
    """Where a call names a service of this catalog, if it does."""
    named = call.at(("service",)) if isinstance(call.value, dict) else call
    other = call.at(("namespace",))
    return named if named is not None and other is None and isinstance(named.value, (str, int)) else None


def _call_of_absent(caller: str, call: Node, name: str, enabled_in: Node) -> Problem:
    message = f"`{caller}` calls `{call.value}`, which is not in `{name}`"
    remedy = f"add `{name}` to its `enabled_in` at {enabled_in.position}, or leave the call out in `{name}`"
    return Problem(call.position, message, remedy)


def _check_call(caller: str, callee: str, position: Position, known: Collection[str]) -> Iterator[Problem]:
    if callee not in known:
        others = [name for name in known if name != caller]
        remedy = suggestion(callee, others) if others else f"write `{callee}` under `services`"
        yield Problem(position, f"`{caller}` calls `{callee}`, which is no service", remedy)


# Other ends in the keys of security group rules, and EC2's own group.
_TAKEN = ("default", "efs", "endpoints", "ingress", "internet", "s3")


def check_services(services: Services, tree: Node) -> Iterator[Problem]:
    """All that can be said of sound services, whatever the rest is like."""
    names = _service_names(tree)
    for name, service in services.items():
        at = locator(tree, "services", name)
        if name in _TAKEN:
            yield Problem(at(), f"`{name}` is what security group rules call something else", "choose another name")
        yield from _check_image(name, service, services, at)
        yield from _check_kind(name, service, at)
        yield from _check_count(service, at)
        yield from _check_capacity(service, at)
        yield from _check_ports(name, service, at)
        yield from _check_callees(name, service, services, at)
        yield from _check_environment(service, at)
        yield from check_containers(name, service, at)
        yield from _check_others(name, service, services, names, at)
        yield from _check_group(service, at)
        yield from _check_adopted(name, service, at)
    yield from _check_renames(services, tree)


def _service_names(tree: Node) -> list[str]:
    services = tree.at(("services",))
    return list(services.value) if services is not None and isinstance(services.value, dict) else []


def _check_image(name: str, service: Service, services: Services, at: Locator) -> Iterator[Problem]:
    if service.build is None and service.image is None:
        close = closest(name, [other for other in services if other != name])
        misspelt = f", or did you mean `{close}`?" if close is not None else ""
        yield Problem(at(), f"`{name}` has neither `build` nor `image`", f"give one of them{misspelt}")
    if service.build is not None and service.image is not None:
        yield Problem(at("image"), f"`{name}` has both `build` and `image`", "keep one of them")


# What only tasks that are kept running have.
_OF_SERVICES = (
    "port",
    "public",
    "desired_count",
    "autoscaling",
    "deployment",
    "ingress",
    "discovery",
    "service_connect",
)


def _check_kind(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    if service.schedule is not None and service.run_before:
        yield Problem(at("run_before", key=True), f"`{name}` has both `schedule` and `run_before`", "keep one of them")
    elif service.is_task:
        kind = "schedule" if service.schedule is not None else "run_before"
        for key in _OF_SERVICES:
            if getattr(service, key) != Service.model_fields[key].default:
                yield Problem(at(key, key=True), f"`{key}` and `{kind}` exclude each other", "keep one of them")
    if service.ingress is not None and not service.public:
        yield Problem(at("ingress", key=True), f"`{name}` has `ingress` but is not public", "add `public: true`")
    scaling = service.autoscaling
    if scaling is not None and scaling.requests_per_target is not None and not service.public:
        where = at("autoscaling", "requests_per_target", key=True)
        yield Problem(where, f"`{name}` gets no requests from a load balancer: it is not public", "add `public: true`")


def _check_count(service: Service, at: Locator) -> Iterator[Problem]:
    if service.autoscaling is None:
        return
    if "desired_count" in service.model_fields_set:
        yield Problem(at("desired_count"), "`desired_count` and `autoscaling` exclude each other", "keep one of them")
    if service.autoscaling.min > service.autoscaling.max:
        yield Problem(at("autoscaling", "min"), "`min` is greater than `max`", "swap them")
    for name, bounds in service.autoscaling.schedule.items():
        if bounds.min > bounds.max:
            yield Problem(at("autoscaling", "schedule", name, "min"), "`min` is greater than `max`", "swap them")


def _check_capacity(service: Service, at: Locator) -> Iterator[Problem]:
    providers = service.capacity_providers
    if providers and not any(provider.weight for provider in providers.values()):
        yield Problem(at("capacity_providers", key=True), "no capacity provider has a weight", "give one a weight")
    based = [name for name, provider in providers.items() if provider.base]
    for name in based[1:]:
        message = f"`{based[0]}` and `{name}` both have a `base`"
        yield Problem(at("capacity_providers", name, "base"), message, "ECS allows one; keep one of them")


def _check_ports(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    if service.public and service.port is None:
        yield Problem(at("public"), f"`{name}` is public but has no `port`", "give it one")
    if service.health_check is not None and service.health_check.path is not None and service.port is None:
        yield Problem(at("health_check", "path"), f"`{name}` has a path to ask but no `port`", "give it one")
    yield from _check_port_numbers(service, at)
    for key in ("ingress", "service_connect"):
        entry = getattr(service, key)
        if entry is not None and entry.port is not None and entry.port not in service.ports:
            message = f"`{entry.port}` is none of the `ports` of `{name}`"
            yield Problem(at(key, "port"), message, suggestion(entry.port, list(service.ports)))
    offered = service.service_connect.port if service.service_connect is not None else None
    if offered is not None and offered in service.ports and service.ports[offered].protocol != "tcp":
        yield Problem(at("service_connect", "port"), "Service Connect's proxies speak TCP", "name a port of tcp")
    if service.discovery.record_type == "SRV" and service.ports and service.port is None:
        message = f"an SRV record holds the `port` of `{name}`, which has none"
        yield Problem(at("discovery", "record_type"), message, "give it one, or choose `A`")


def _check_port_numbers(service: Service, at: Locator) -> Iterator[Problem]:
    """The containers of a task share one address, and so its ports."""
    ports: list[tuple[tuple[str, ...], tuple[int, str]]] = []
    if service.port is not None:
        ports.append((("port",), (service.port, "tcp")))
    ports += [(("ports", name), (port.container_port, port.protocol)) for name, port in service.ports.items()]
    for sidecar, container in service.sidecars.items():
        ports += [
            (("sidecars", sidecar, "ports", name), (port.container_port, port.protocol))
            for name, port in container.ports.items()
        ]
    first: dict[tuple[int, str], str] = {}
    for path, (number, protocol) in ports:
        label = first.setdefault((number, protocol), ".".join(path))
        if label != ".".join(path):
            message = f"port {number} of {protocol} is that of `{label}` already"
            yield Problem(at(*path), message, "the containers of a task share their ports: choose another")


def _check_callees(name: str, service: Service, services: Services, at: Locator) -> Iterator[Problem]:
    for index, call in enumerate(service.calls):
        # With a host, or a service of another namespace, a network says where it is.
        named = call.host is not None or call.namespace is not None
        kinds = [key for key in ("service", "host", "cidr") if getattr(call, key) is not None]
        kinds = [key for key in kinds if key != "cidr" or not named]
        if len(kinds) != 1:
            found = " and ".join(f"`{kind}`" for kind in kinds) or "nothing"
            message = f"a call of `{name}` names {found}"
            yield Problem(at("calls", index), message, "name one of `service`, `host` and `cidr`")
        elif call.service is None or call.namespace is not None:
            yield from _check_outside(call, below(at, "calls", index))
        elif call.service in services:
            yield from _check_inside(name, call, services[call.service], below(at, "calls", index))


_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def _check_outside(call: Callee, at: Locator) -> Iterator[Problem]:
    outside = call.host or (f"{call.service}.{call.namespace}" if call.namespace else call.cidr)
    if call.service is None and call.namespace is not None:
        yield Problem(at("namespace"), "`namespace` without `service`", "name the service in it")
    elif call.service is not None and not re.fullmatch(_LABEL, call.service):
        yield Problem(at("service"), f"`{call.service}` is no DNS label", "give the service's name in its namespace")
    elif call.service is not None and call.cidr is None:
        remedy = "add `cidr:` with its VPC's, which has to be peered with this one or be the same"
        yield Problem(at("namespace"), f"nothing here knows the network of `{outside}`", remedy)
    if call.variable is not None and call.service is None and call.host is None:
        yield Problem(at("variable"), f"`{outside}` has no name for a variable to hold", "add `host:`, or remove it")
    if not isinstance(call.port, int):
        yield Problem(at("port"), f"`{outside}` needs a port's number", "add `port:` with the number")


def _check_inside(name: str, call: Callee, callee: Service, at: Locator) -> Iterator[Problem]:
    if call.port is None and callee.port is None:
        yield Problem(at(), f"`{name}` calls `{call.service}`, which has no `port`", f"give `{call.service}` a port")
    elif call.port is not None and call.port not in callee.ports:
        message = f"`{call.port}` is none of the `ports` of `{call.service}`"
        yield Problem(at("port"), message, suggestion(str(call.port), list(callee.ports)))
    if "protocol" in call.model_fields_set:
        yield Problem(at("protocol"), f"the protocol is that of the port of `{call.service}`", "remove it")


def _check_environment(service: Service, at: Locator) -> Iterator[Problem]:
    made = {"PORT": "`port`"} if service.port is not None else {}
    for index, call in enumerate(service.calls):
        variable = call.url_variable
        if variable in made and call not in service.calls[:index]:
            where = at("calls", index, "variable")
            yield Problem(where, f"{made[variable]} sets `{variable}` already", "give this call another `variable`")
        if variable is not None:
            made.setdefault(variable, f"`calls: [{call.service or call.host or call.cidr}]`")
    for key in ("environment", "secrets"):
        for variable in sorted(getattr(service, key).keys() & made.keys()):
            remedy = f"remove it: {made[variable]} sets it"
            yield Problem(at(key, variable), f"`{variable}` is set by Fleetform", remedy)


def _check_others(name: str, service: Service, services: Services, names: list[str], at: Locator) -> Iterator[Problem]:
    for index, other in enumerate(service.run_before):
        if other == name or other not in names:
            others = [known for known in names if known != name]
            message = f"`{name}` runs before `{other}`, which is no other service"
            yield Problem(at("run_before", index), message, suggestion(other, others))
        elif other in services and services[other].run_before:
            message = f"`{name}` runs before `{other}`, which is run before services as well"
            yield Problem(at("run_before", index), message, "name the services that wait for both")
    if service.logs.max_buffer_size_mib is not None and service.logs.mode == "blocking":
        message = "`max_buffer_size_mib` is for `mode: non-blocking`"
        yield Problem(at("logs", "max_buffer_size_mib", key=True), message, "add the mode, or remove it")


def _check_renames(services: Services, tree: Node) -> Iterator[Problem]:
    became: dict[str, str] = {}
    for name, service in services.items():
        at = locator(tree, "services", name)
        for index, before in enumerate(service.renamed_from):
            where = at("renamed_from", index) if len(service.renamed_from) > 1 else at("renamed_from")
            if before == name:
                remedy = "remove `renamed_from`, or give the name before"
                yield Problem(where, f"`{name}` has that name already", remedy)
            elif before in services:
                yield Problem(where, f"`{before}`, which `{name}` was, is a service still", "remove one of the two")
            elif before in became:
                yield Problem(where, f"`{before}` became `{became[before]}` already", "keep one of them")
            became.setdefault(before, name)


def _check_group(service: Service, at: Locator) -> Iterator[Problem]:
    reserved = {
        FOUNDATION_NAME: "what services have in common",
        TASKS_NAME: "tasks that run before services are updated",
    }
    if service.run_before and service.group is not None:
        message = f"a task with `run_before` is in the stack `{TASKS_NAME}`, and in no group"
        yield Problem(at("group", key=True), message, "remove it")
    elif service.group in reserved:
        message = f"`{service.group}` is the stack of {reserved[service.group]}"
        yield Problem(at("group"), message, "choose another name")


def _check_adopted(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    adopt = service.adopt
    lacking = {
        "repository": service.build is None and "is not built here, and so has no repository",
        "discovery_service": service.port is None and "has no `port`, and so no DNS name",
        "ecs_service": service.is_task and "is started, not kept running, and so is no ECS service",
    }
    for key, reason in lacking.items():
        if reason and getattr(adopt, key) is not None:
            yield Problem(at("adopt", key, key=True), f"`{name}` {reason}", "remove it")
