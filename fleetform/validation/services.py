"""Checks of services that compare several values, such as names with names and keys with keys.

Each check yields problems. Checks run on every service that is valid on its own, so that a mistake in one
service does not hide a mistake in another. Checks of containers are in containers.py, of environments in
environments.py, and against AWS's tables and quotas in limits.py.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from fleetform.base.errors import Position, Problem
from fleetform.base.suggestions import closest_match, suggestion
from fleetform.catalog.constants import FOUNDATION_NAME, TASKS_NAME
from fleetform.catalog.locator import Locator, locator, locator_below
from fleetform.catalog.models import CallTarget, Service, Services
from fleetform.catalog.nodes import Node
from fleetform.validation.containers import check_containers


def check_calls(tree: Node, name: str, absent: Mapping[str, Node]) -> Iterator[Problem]:
    """Check that each call names an existing service, once; in invalid services too.

    Args:
        tree: The environment.
        name: Its name.
        absent: The `enabled_in` of each service that is not in this environment.
    """
    services = tree.at(("services",))
    if services is None or not isinstance(services.value, dict):
        return
    for caller, service in services.value.items():
        calls = service.at(("calls",))
        seen: set[tuple[str, object]] = set()
        for call in calls.value if calls is not None and isinstance(calls.value, list) else []:
            callee = _called_service(call)
            if callee is None:
                continue
            called, port = str(callee.value), call.at(("port",))
            if called in absent:
                yield _disabled_callee_problem(caller, callee, name, absent[called])
            else:
                yield from _check_call(caller, called, callee.position, services.value)
            if (called, port and port.plain()) in seen:
                yield Problem(callee.position, f"`{caller}` calls `{called}` twice", "list it once")
            seen.add((called, port and port.plain()))


def _called_service(call: Node) -> Node | None:
    """Return the node of a call that names a service of this catalog, if it does."""
    service = call.at(("service",)) if isinstance(call.value, dict) else call
    namespace = call.at(("namespace",))
    return (
        service
        if service is not None and namespace is None and isinstance(service.value, (str, int))
        else None
    )


def _disabled_callee_problem(caller: str, call: Node, name: str, enabled_in: Node) -> Problem:
    message = f"`{caller}` calls `{call.value}`, which is not enabled in `{name}`"
    remedy = f"add `{name}` to its `enabled_in` at {enabled_in.position}, or remove the call in `{name}`"
    return Problem(call.position, message, remedy)


def _check_call(caller: str, callee: str, position: Position, services: Collection[str]) -> Iterator[Problem]:
    if callee not in services:
        others = [name for name in services if name != caller]
        remedy = suggestion(callee, others) if others else f"add `{callee}` under `services`"
        yield Problem(position, f"`{caller}` calls unknown service `{callee}`", remedy)


# The other ends in the keys of security group rules, and EC2's default group.
_RESERVED_NAMES = ("default", "efs", "endpoints", "ingress", "internet", "s3")


def check_services(services: Services, tree: Node) -> Iterator[Problem]:
    """Check the valid services, even if the rest of the environment is invalid."""
    names = _all_service_names(tree)
    for name, service in services.items():
        at = locator(tree, "services", name)
        if name in _RESERVED_NAMES:
            yield Problem(at(), f"`{name}` is reserved for security group rules", "choose a different name")
        yield from _check_image(name, service, services, at)
        yield from _check_kind(name, service, at)
        yield from _check_count(service, at)
        yield from _check_capacity(service, at)
        yield from _check_ports(name, service, at)
        yield from _check_call_targets(name, service, services, at)
        yield from _check_environment(service, at)
        yield from check_containers(name, service, at)
        yield from _check_run_before_and_logs(name, service, services, names, at)
        yield from _check_group(service, at)
        yield from _check_adopted(name, service, at)
    yield from _check_renames(services, tree)


def _all_service_names(tree: Node) -> list[str]:
    services = tree.at(("services",))
    return list(services.value) if services is not None and isinstance(services.value, dict) else []


def _check_image(name: str, service: Service, services: Services, at: Locator) -> Iterator[Problem]:
    if service.build is None and service.image is None:
        close = closest_match(name, [other for other in services if other != name])
        misspelt = f", or did you mean `{close}`?" if close is not None else ""
        yield Problem(at(), f"`{name}` has neither `build` nor `image`", f"add one of them{misspelt}")
    if service.build is not None and service.image is not None:
        yield Problem(at("image"), f"`{name}` has both `build` and `image`", "remove one of them")


# Keys that apply only to long-running services.
_SERVICE_ONLY = (
    "port",
    "public",
    "desired_count",
    "autoscaling",
    "launch_type",
    "deployment",
    "ingress",
    "discovery",
    "service_connect",
)


def _check_kind(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    if service.schedule is not None and service.run_before:
        yield Problem(
            at("run_before", key=True), f"`{name}` has both `schedule` and `run_before`", "remove one of them"
        )
    elif service.is_task:
        kind = "schedule" if service.schedule is not None else "run_before"
        for key in _SERVICE_ONLY:
            if getattr(service, key) != Service.model_fields[key].default:
                yield Problem(
                    at(key, key=True), f"`{key}` and `{kind}` cannot be used together", "remove one of them"
                )
    if service.ingress is not None and not service.public:
        yield Problem(
            at("ingress", key=True), f"`{name}` has `ingress` but is not public", "add `public: true`"
        )
    scaling = service.autoscaling
    if scaling is not None and scaling.requests_per_target is not None and not service.public:
        where = at("autoscaling", "requests_per_target", key=True)
        yield Problem(
            where, f"`{name}` is not public, so the load balancer sends it no requests", "add `public: true`"
        )


def _check_count(service: Service, at: Locator) -> Iterator[Problem]:
    if service.autoscaling is None:
        return
    if "desired_count" in service.model_fields_set:
        yield Problem(
            at("desired_count"),
            "`desired_count` and `autoscaling` cannot be used together",
            "remove one of them",
        )
    if service.autoscaling.min > service.autoscaling.max:
        yield Problem(at("autoscaling", "min"), "`min` is greater than `max`", "swap them")
    for name, bounds in service.autoscaling.schedule.items():
        if bounds.min > bounds.max:
            yield Problem(
                at("autoscaling", "schedule", name, "min"), "`min` is greater than `max`", "swap them"
            )


def _check_capacity(service: Service, at: Locator) -> Iterator[Problem]:
    providers = service.capacity_providers
    if service.launch_type is not None and "capacity_providers" in service.model_fields_set:
        message = "`launch_type` and `capacity_providers` cannot be used together"
        yield Problem(at("launch_type", key=True), message, "remove one of them")
    if providers and not any(provider.weight for provider in providers.values()):
        yield Problem(
            at("capacity_providers", key=True),
            "every capacity provider has weight 0",
            "give at least one a `weight`",
        )
    based = [name for name, provider in providers.items() if provider.base]
    for name in based[1:]:
        message = f"`{based[0]}` and `{name}` both have a `base`"
        yield Problem(
            at("capacity_providers", name, "base"), message, "remove one of them, because ECS allows only one"
        )


def _check_ports(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    if service.public and service.port is None:
        yield Problem(at("public"), f"`{name}` is public but has no `port`", "add `port:`")
    if service.health_check is not None and service.health_check.path is not None and service.port is None:
        yield Problem(
            at("health_check", "path"), f"`{name}` has `health_check.path` but no `port`", "add `port:`"
        )
    yield from _check_port_numbers(service, at)
    for key in ("ingress", "service_connect"):
        entry = getattr(service, key)
        if entry is not None and entry.port is not None and entry.port not in service.ports:
            message = f"`{name}` has no port named `{entry.port}`"
            yield Problem(at(key, "port"), message, suggestion(entry.port, list(service.ports)))
    offered = service.service_connect.port if service.service_connect is not None else None
    if offered is not None and offered in service.ports and service.ports[offered].protocol != "tcp":
        yield Problem(at("service_connect", "port"), "Service Connect supports only TCP", "choose a TCP port")
    if service.discovery.record_type == "SRV" and service.ports and service.port is None:
        message = f"`{name}` has an SRV record but no `port`"
        yield Problem(at("discovery", "record_type"), message, "add `port:`, or set `record_type: A`")


def _check_port_numbers(service: Service, at: Locator) -> Iterator[Problem]:
    """Check that no port is used twice: the containers of a task share one address."""
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
            message = f"port {number}/{protocol} is already used by `{label}`"
            yield Problem(
                at(*path),
                message,
                "choose a different one, because the containers of a task share their ports",
            )


def _check_call_targets(name: str, service: Service, services: Services, at: Locator) -> Iterator[Problem]:
    for index, call in enumerate(service.calls):
        # With a host, or a service of another namespace, `cidr` is only the network that contains it.
        is_named = call.host is not None or call.namespace is not None
        kinds = [key for key in ("service", "host", "cidr") if getattr(call, key) is not None]
        kinds = [key for key in kinds if key != "cidr" or not is_named]
        if len(kinds) != 1:
            targets = " and ".join(f"`{kind}`" for kind in kinds) or "no target"
            message = f"a call from `{name}` has {targets}"
            yield Problem(at("calls", index), message, "set exactly one of `service`, `host` and `cidr`")
        elif call.service is None or call.namespace is not None:
            yield from _check_external_call(call, locator_below(at, "calls", index))
        elif call.service in services:
            yield from _check_internal_call(
                name, call, services[call.service], locator_below(at, "calls", index)
            )


_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def _check_external_call(call: CallTarget, at: Locator) -> Iterator[Problem]:
    outside = call.host or (f"{call.service}.{call.namespace}" if call.namespace else call.cidr)
    if call.service is None and call.namespace is not None:
        yield Problem(
            at("namespace"), "`namespace` is set without `service`", "add the `service:` in that namespace"
        )
    elif call.service is not None and not re.fullmatch(_LABEL, call.service):
        yield Problem(
            at("service"), f"`{call.service}` is not a DNS label", "write the service's name in its namespace"
        )
    elif call.service is not None and call.cidr is None:
        remedy = "add `cidr:` with its VPC's CIDR block; that VPC must be this one or peered with it"
        yield Problem(at("namespace"), f"the network of `{outside}` is unknown", remedy)
    if call.variable is not None and call.service is None and call.host is None:
        yield Problem(
            at("variable"),
            f"`{outside}` has no DNS name to put in a variable",
            "add `host:`, or remove `variable`",
        )
    if not isinstance(call.port, int):
        yield Problem(at("port"), f"`{outside}` needs a port number", "add `port:` with a number")


def _check_internal_call(name: str, call: CallTarget, callee: Service, at: Locator) -> Iterator[Problem]:
    if call.port is None and callee.port is None:
        yield Problem(
            at(), f"`{name}` calls `{call.service}`, which has no `port`", f"add `port:` to `{call.service}`"
        )
    elif call.port is not None and call.port not in callee.ports:
        message = f"`{call.service}` has no port named `{call.port}`"
        yield Problem(at("port"), message, suggestion(str(call.port), list(callee.ports)))
    if "protocol" in call.model_fields_set:
        yield Problem(
            at("protocol"), f"the port of `{call.service}` already sets the protocol", "remove `protocol`"
        )


def _check_environment(service: Service, at: Locator) -> Iterator[Problem]:
    sources = {"PORT": "`port`"} if service.port is not None else {}
    for index, call in enumerate(service.calls):
        variable = call.url_variable
        if variable in sources and call not in service.calls[:index]:
            where = at("calls", index, "variable")
            yield Problem(
                where,
                f"{sources[variable]} already sets `{variable}`",
                "give this call a different `variable`",
            )
        if variable is not None:
            sources.setdefault(variable, f"`calls: [{call.service or call.host or call.cidr}]`")
    for key in ("environment", "secrets"):
        for variable in sorted(getattr(service, key).keys() & sources.keys()):
            message = f"`{variable}` is already set by {sources[variable]}"
            yield Problem(at(key, variable), message, "remove it here")


def _check_run_before_and_logs(
    name: str, service: Service, services: Services, names: list[str], at: Locator
) -> Iterator[Problem]:
    for index, other in enumerate(service.run_before):
        if other == name or other not in names:
            others = [candidate for candidate in names if candidate != name]
            target = "itself" if other == name else f"unknown service `{other}`"
            yield Problem(
                at("run_before", index), f"`{name}` runs before {target}", suggestion(other, others)
            )
        elif other in services and services[other].run_before:
            message = f"`{name}` runs before `{other}`, which is itself a `run_before` task"
            yield Problem(at("run_before", index), message, "list the services that wait for both")
    if service.logs.max_buffer_size_mib is not None and service.logs.mode == "blocking":
        message = "`max_buffer_size_mib` requires `mode: non-blocking`"
        yield Problem(
            at("logs", "max_buffer_size_mib", key=True), message, "add the mode, or remove this key"
        )


def _check_renames(services: Services, tree: Node) -> Iterator[Problem]:
    renamed: dict[str, str] = {}
    for name, service in services.items():
        at = locator(tree, "services", name)
        for index, before in enumerate(service.renamed_from):
            where = at("renamed_from", index) if len(service.renamed_from) > 1 else at("renamed_from")
            if before == name:
                remedy = "remove `renamed_from`, or write the previous name"
                yield Problem(where, f"`{name}` is already named that", remedy)
            elif before in services:
                yield Problem(
                    where,
                    f"`{name}` was renamed from `{before}`, which is still a service",
                    "remove one of them",
                )
            elif before in renamed:
                yield Problem(
                    where, f"`{renamed[before]}` was already renamed from `{before}`", "remove one of them"
                )
            renamed.setdefault(before, name)


def _check_group(service: Service, at: Locator) -> Iterator[Problem]:
    reserved = {FOUNDATION_NAME: "shared resources", TASKS_NAME: "`run_before` tasks"}
    if service.run_before and service.group is not None:
        message = f"a `run_before` task is always in the stack `{TASKS_NAME}`"
        yield Problem(at("group", key=True), message, "remove `group`")
    elif service.group in reserved:
        message = f"`{service.group}` is reserved for the stack of {reserved[service.group]}"
        yield Problem(at("group"), message, "choose a different name")


def _check_adopted(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    adopt = service.adopt
    reasons: dict[str, str | bool] = {
        "repository": service.build is None and "has no repository, because it is not built here",
        "discovery_service": service.port is None and "has no DNS name, because it has no `port`",
        "ecs_service": service.is_task and "is not an ECS service, because its tasks run to completion",
        "scalable_target": service.autoscaling is None and "has no scalable target without `autoscaling`",
    }
    for key, reason in reasons.items():
        if reason and getattr(adopt, key):
            yield Problem(at("adopt", key, key=True), f"`{name}` {reason}", "remove this key")
