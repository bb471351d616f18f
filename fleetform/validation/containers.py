"""Checks of a task's containers (the service's own and its sidecars), their mounts and their log routing."""

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from fleetform.base.errors import Problem
from fleetform.base.suggestions import suggestion
from fleetform.catalog.locator import Locator, locator_below
from fleetform.catalog.models import LOG_ROUTER, Container, Logs, Service

# Secrets Manager looks such a name up without its end:
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html
_ARN_LIKE_NAME = re.compile(r"(?!arn:).*-[A-Za-z0-9]{6}")


def check_containers(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    """Check the containers of a valid service."""
    yield from _check_all_containers(service, at)
    yield from _check_volumes(service, at)
    yield from _check_log_routing(service, at)
    yield from _check_sidecars(name, service, at)
    yield from _check_exec(name, service, at)


def _check_all_containers(service: Service, at: Locator) -> Iterator[Problem]:
    yield from _check_container(service, at)
    for name, sidecar in service.sidecars.items():
        here = locator_below(at, "sidecars", name)
        yield from _check_container(sidecar, here)
        if sidecar.health_check is not None and sidecar.health_check.path is not None:
            yield Problem(
                here("health_check", "path", key=True),
                "a sidecar's health check cannot use `path`",
                "use `command`",
            )


def _check_container(container: Container, at: Locator) -> Iterator[Problem]:
    check = container.health_check
    if check is not None and check.command is None and check.path is None:
        yield Problem(
            at("health_check", key=True),
            "the health check has neither `command` nor `path`",
            "add one of them",
        )
    for variable in sorted(container.secrets.keys() & container.environment.keys()):
        yield Problem(
            at("secrets", variable, key=True), f"`{variable}` is also in `environment`", "remove one of them"
        )
    for variable, secret in container.secrets.items():
        if (secret.parameter is None) == (secret.secret is None):
            state = (
                "neither `parameter` nor `secret`"
                if secret.parameter is None
                else "both `parameter` and `secret`"
            )
            yield Problem(
                at("secrets", variable, key=True), f"`{variable}` has {state}", "set exactly one of them"
            )
        elif secret.parameter is not None and secret.json_key is not None:
            message = "SSM parameters have no JSON keys"
            yield Problem(
                at("secrets", variable, "json_key", key=True), message, "remove `json_key`, or use `secret`"
            )
        elif secret.secret is not None and _ARN_LIKE_NAME.fullmatch(secret.secret):
            message = f"Secrets Manager reads the end of `{secret.secret}` as the suffix of an ARN"
            yield Problem(at("secrets", variable, "secret"), message, "write the secret's full ARN")
    for name, limit in container.ulimits.items():
        if limit.soft_limit > limit.hard_limit:
            message = "`soft_limit` is greater than `hard_limit`"
            yield Problem(at("ulimits", name, "soft_limit"), message, "swap them")


def _check_volumes(service: Service, at: Locator) -> Iterator[Problem]:
    for name, volume in service.volumes.items():
        efs = volume.efs
        if efs is not None and efs.access_point_id is not None and efs.root_directory != "/":
            message = "`root_directory` conflicts with the access point, which sets the folder"
            yield Problem(
                at("volumes", name, "efs", "root_directory", key=True), message, "remove one of them"
            )


def _check_log_routing(service: Service, at: Locator) -> Iterator[Problem]:
    if not service.logs.routing:
        return
    for key in ("mode", "max_buffer_size_mib"):
        if getattr(service.logs, key) != Logs.model_fields[key].default:
            message = f"`{key}` applies only to CloudWatch Logs, not to `routing`"
            yield Problem(
                at("logs", key, key=True), message, "remove it, or set it in the options of `routing`"
            )
    router = service.sidecars.get(LOG_ROUTER)
    if router is not None and router.user not in (None, "0"):
        message = "ECS runs the log router only as user 0"
        yield Problem(at("sidecars", LOG_ROUTER, "user"), message, "remove `user`")


def _check_exec(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    """Check that ECS Exec can write to the root file system, which its agent needs.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
    """
    if service.exec and service.read_only:
        message = f"ECS Exec needs a writable root file system in `{name}`"
        yield Problem(at("exec", key=True), message, "add `read_only: false`, or remove `exec`")


def _check_sidecars(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    if name in service.sidecars:
        yield Problem(
            at("sidecars", name, key=True),
            f"`{name}` is already the service's own container",
            "choose a different name",
        )
    yield from _check_dependencies(service, service, at)
    for sidecar, container in service.sidecars.items():
        yield from _check_dependencies(service, container, locator_below(at, "sidecars", sidecar))
        for volume in container.mounts:
            if volume not in service.volumes:
                message = f"unknown volume `{volume}`"
                where = at("sidecars", sidecar, "mounts", volume, key=True)
                yield Problem(where, message, suggestion(volume, list(service.volumes)))
    try:
        TopologicalSorter(
            {key: container.depends_on for key, container in service.sidecars.items()}
        ).prepare()
    except CycleError as error:
        cycle = " -> ".join(f"`{step}`" for step in reversed(error.args[1]))
        where = at("sidecars", error.args[1][-1], "depends_on", key=True)
        yield Problem(where, f"dependency cycle {cycle}", "remove one of the dependencies")


def _check_dependencies(service: Service, container: Container, at: Locator) -> Iterator[Problem]:
    for sidecar, condition in container.depends_on.items():
        if sidecar not in service.sidecars:
            where = at("depends_on", sidecar, key=True)
            yield Problem(where, f"unknown sidecar `{sidecar}`", suggestion(sidecar, list(service.sidecars)))
        elif condition == "healthy" and service.sidecars[sidecar].health_check is None:
            message = f"`{sidecar}` has no health check, so it never becomes healthy"
            yield Problem(
                at("depends_on", sidecar),
                message,
                f"add a `health_check` to `{sidecar}`, or wait for `start`",
            )
