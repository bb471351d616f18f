"""The pure half of rendering, from an environment to the text of every file of its stacks."""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath, PurePosixPath
from types import MappingProxyType

from fleetform import topology
from fleetform.catalog.constants import AWS_PROVIDER_VERSION
from fleetform.catalog.files import CATALOG, environment_file, lock_file
from fleetform.catalog.images_lock import LockedImage
from fleetform.catalog.models import Environment
from fleetform.render import extra_module
from fleetform.render.declared_variables import Variable
from fleetform.render.rendered_files import HEADER_START
from fleetform.render.template import Templates
from fleetform.stacks import Stack, emptied, stacks

_PER_SERVICE = "service.tf.j2"
_COLUMNS = 120


def header(environment_name: str, *, locked: bool = False) -> str:
    """Return the header of an environment's files; `locked` for services whose image is in the lock file."""
    sources = [CATALOG.as_posix(), environment_file(environment_name).as_posix()]
    if locked:
        sources.append(lock_file(environment_name).as_posix())
    listed = f"{', '.join(sources[:-1])} and {sources[-1]}"
    line = f"{HEADER_START}{environment_name}` from {listed}. Do not edit."
    lines = textwrap.wrap(
        line, _COLUMNS, subsequent_indent="# ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines) + "\n\n"


def render(
    environment: Environment,
    templates: Templates,
    lock: Mapping[str, LockedImage],
    folders: Collection[str] = (),
    declared: Mapping[str, Sequence[Variable]] = MappingProxyType({}),
) -> dict[str, dict[PurePath, str]]:
    """Render all stacks. A template that renders nothing but blanks makes no file.

    Args:
        environment: The environment.
        templates: The templates of its files.
        lock: The locked images, by service.
        folders: The folders that are rendered already. A stack in them without services is rendered too,
            empty.
        declared: The variables of the module in `extra/`, by stack, for stacks that have one.

    Returns:
        The text of each file by its path in the stack's folder, by stack. It is not formatted yet.

    Raises:
        CatalogError: A stack cannot call the module in its `extra/`.
    """
    values = {
        **_values(environment),
        "lock": lock,
        "extra": extra_module.calls(environment, declared, folders),
    }
    locked = {
        service_file(name) for name, service in environment.services.items() if service.build and name in lock
    }
    all_stacks = (*stacks(environment), *emptied(environment, folders))
    texts = {stack.name: _render_stack(stack, environment, templates, values) for stack in all_stacks}
    return {
        stack: {path: header(environment.name, locked=path in locked) + files[path] for path in sorted(files)}
        for stack, files in texts.items()
    }


def service_file(name: str) -> PurePath:
    """Return the file of a service in its stack's folder."""
    return PurePath(f"service_{name}.tf")


def _render_stack(
    stack: Stack, environment: Environment, templates: Templates, values: Mapping[str, object]
) -> dict[PurePath, str]:
    files: dict[PurePath, str] = {}
    services = {name: environment.services[name] for name in sorted(stack.services)}
    of_stack = {"stack": stack.name, "services": services, "tasks": stack.tasks}
    for template in (name for folder in stack.templates for name in templates.names(folder)):
        file = PurePosixPath(template).name
        if file == _PER_SERVICE:
            for name in stack.services:
                files[service_file(name)] = templates.render(
                    template, {**values, **_service(environment, name)}
                )
        else:
            files[PurePath(file.removesuffix(".j2"))] = templates.render(template, {**values, **of_stack})
    return {path: text.strip("\n") + "\n" for path, text in files.items() if text.strip()}


def _values(environment: Environment) -> dict[str, object]:
    """Return the values for every template."""
    return {
        "environment": environment,
        "aws_provider_version": AWS_PROVIDER_VERSION,
        "namespace": topology.namespace(environment),
        "public_subnets": topology.public_subnets(environment),
        "adopted_subnets": topology.adopted_subnets(environment),
        "private_subnets": topology.private_subnets(environment),
        "endpoints": topology.endpoints(environment),
        "interface_endpoints": topology.interface_endpoints(environment),
        "keeps_logs": _keeps_logs(environment),
        "security": topology.security_groups(environment),
        "load_balancer_subnets": topology.load_balancer_subnets(environment),
        "routes": topology.routes(environment),
        "discoverable_services": topology.discoverable_services(environment),
        "labels": {name: topology.dns_label(environment, name) for name in environment.services},
        "by_original_name": topology.with_original_names(environment).services,
        "built": sorted(
            environment.original_name(name) for name, service in environment.services.items() if service.build
        ),
        "tags": {"application": environment.application, "environment": environment.name}
        | dict(environment.tags),
    }


def _keeps_logs(environment: Environment) -> bool:
    """Return whether the foundation keeps logs: of shells, of the network or of requests."""
    network = environment.network
    return (
        environment.allows_exec
        or environment.ingress.has_load_balancer
        or (network.flow_logs and not network.vpc)
    )


def _service(environment: Environment, name: str) -> dict[str, object]:
    """Return the additional values for the template of a service."""
    calls = [call for call in topology.calls_of(environment, name) if call.variable is not None]
    return {
        "name": name,
        "original_name": environment.original_name(name),
        "service": environment.services[name],
        "calls": calls,
        "callees_to_start_first": topology.callees_to_start_first(environment, name),
    }
