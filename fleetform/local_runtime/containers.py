"""Translates an ECS container definition to Compose, and finds the settings that Compose does not support."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Definition = Mapping[str, Any]

# Defaults of ECS: API reference, HealthCheck; ContainerDefinition, stopTimeout, on Fargate.
_INTERVAL, _TIMEOUT, _RETRIES, _START_PERIOD = 30, 5, 3, 0
_STOP_TIMEOUT = 30
# ECS counts 1024 units per vCPU. Quota and period allow more CPUs than this machine has, `cpus` does not.
_CPU_PERIOD = 102_400
_MICROSECONDS = _CPU_PERIOD // 1024
_FEWEST_SHARES = 2

_TRANSLATED = {
    "command",
    "cpu",
    "dependsOn",
    "dockerLabels",
    "entryPoint",
    "environment",
    "essential",
    "healthCheck",
    "image",
    "interactive",
    "linuxParameters",
    "memory",
    "memoryReservation",
    "mountPoints",
    "name",
    "portMappings",
    "pseudoTerminal",
    "readonlyRootFilesystem",
    "restartPolicy",
    "secrets",
    "stopTimeout",
    "systemControls",
    "ulimits",
    "user",
    "workingDirectory",
}
_NOT_NEEDED = {
    "firelensConfiguration",  # the log router's container is not started
    "logConfiguration",  # the engine keeps the output
    "repositoryCredentials",  # images are pulled with the user's logins
    "startTimeout",  # `up` has its own time limit
    "versionConsistency",  # images are built here, or pulled once
}
_TASK_TRANSLATED = {"containerDefinitions", "cpu", "memory", "networkMode", "volumes"}
_TASK_NOT_NEEDED = {
    *(
        "family",
        "revision",
        "status",
        "taskDefinitionArn",
        "deleteRequestedAt",
        "deregisteredAt",
    ),  # AWS metadata
    *(
        "registeredAt",
        "registeredBy",
        "compatibilities",
        "requiresAttributes",
        "requiresCompatibilities",
        "tags",
    ),
    *("executionRoleArn", "taskRoleArn"),  # this machine has its own credentials or none
    "enableFaultInjection",  # only allows fault injection by AWS
    "ephemeralStorage",  # containers use this machine's disk
    "placementConstraints",  # there is one machine
    "runtimePlatform",  # the image determines it
}
_PARTS: Mapping[str, set[str]] = {
    "healthCheck": {"command", "interval", "retries", "startPeriod", "timeout"},
    "linuxParameters": {"capabilities", "initProcessEnabled", "tmpfs"},
    "portMappings": {"appProtocol", "containerPort", "hostPort", "name", "protocol"},
    "restartPolicy": {"enabled", "restartAttemptPeriod"},
}
_VOLUME = {"efsVolumeConfiguration", "host", "name"}
_HEALTH_FORMS = ("CMD", "CMD-SHELL", "NONE")


def problems(definition: Definition) -> Iterator[str]:
    """Return the settings of a task definition that Compose does not support, each with its place."""
    yield from _unknown_keys(definition, _TASK_TRANSLATED | _TASK_NOT_NEEDED)
    if (mode := definition.get("networkMode", "awsvpc")) != "awsvpc":
        yield f"`networkMode` is {mode}, not awsvpc"
    for name in ("cpu", "memory"):
        if not str(definition.get(name) or 0).isdecimal():
            yield f"`{name}` is {definition[name]}, not a whole number"
    for volume in definition.get("volumes") or ():
        unknown = [*_unknown_keys(volume, _VOLUME), *_unknown_keys(volume.get("host") or {}, set(), "host.")]
        yield from (f"volume `{volume['name']}`: {problem}" for problem in unknown)
    for container in definition["containerDefinitions"]:
        for problem in _container_problems(container):
            yield f"container `{container['name']}`: {problem}"


def _container_problems(container: Definition) -> Iterator[str]:
    yield from _unknown_keys(container, _TRANSLATED | _NOT_NEEDED)
    for key, supported in _PARTS.items():
        for part in _as_list(container.get(key)):
            yield from _unknown_keys(part, supported, f"{key}.")
    if (check := container.get("healthCheck")) and check["command"][0] not in _HEALTH_FORMS:
        yield (
            f"`healthCheck.command` starts with {check['command'][0]}, not with one of"
            f" {', '.join(_HEALTH_FORMS)}"
        )


def _as_list(value: Any) -> Sequence[Definition]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value] if value else []


def _unknown_keys(definition: Definition, supported: set[str], place: str = "") -> Iterator[str]:
    """Return each non-empty key that is not supported."""
    return (f"`{place}{key}`" for key in sorted(definition) if definition[key] and key not in supported)


def settings(container: Definition, task: Definition) -> dict[str, Any]:
    """Return a container's Compose settings that depend on nothing else, in Compose's order.

    Unset ones are falsy.
    """
    linux = container.get("linuxParameters") or {}
    capabilities = linux.get("capabilities") or {}
    cpu = int(task.get("cpu") or 0)
    return {
        "entrypoint": container.get("entryPoint"),
        "command": container.get("command"),
        "user": container.get("user"),
        "working_dir": container.get("workingDirectory"),
        "healthcheck": _health_check(container.get("healthCheck")),
        "read_only": container.get("readonlyRootFilesystem"),
        "tmpfs": [_tmpfs(mount) for mount in linux.get("tmpfs") or ()],
        "init": linux.get("initProcessEnabled"),
        "tty": container.get("pseudoTerminal"),
        "stdin_open": container.get("interactive"),
        "cap_add": capabilities.get("add"),
        "cap_drop": capabilities.get("drop"),
        "ulimits": {
            limit["name"]: {"soft": limit["softLimit"], "hard": limit["hardLimit"]}
            for limit in container.get("ulimits") or ()
        },
        "cpu_period": cpu and _CPU_PERIOD,
        "cpu_quota": cpu * _MICROSECONDS,
        "cpu_shares": container.get("cpu") and max(container["cpu"], _FEWEST_SHARES),
        "mem_limit": _mebibytes(container.get("memory") or task.get("memory")),
        "mem_reservation": _mebibytes(container.get("memoryReservation")),
        "stop_grace_period": _seconds(container.get("stopTimeout") or _STOP_TIMEOUT),
    }


def _health_check(check: Definition | None) -> dict[str, Any]:
    """Translate a health check; without one, disable the image's own check, which ECS ignores."""
    if check is None or check["command"][0] == "NONE":
        return {"disable": True}
    return {
        "test": check["command"],
        "interval": _seconds(check.get("interval", _INTERVAL)),
        "timeout": _seconds(check.get("timeout", _TIMEOUT)),
        "retries": check.get("retries", _RETRIES),
        "start_period": _seconds(check.get("startPeriod", _START_PERIOD)),
    }


def _tmpfs(mount: Definition) -> str:
    options = [f"size={mount['size']}m", *(mount.get("mountOptions") or ())]
    return f"{mount['containerPath']}:{','.join(options)}"


def _mebibytes(size: int | str | None) -> str | None:
    return f"{size}m" if size else None


def _seconds(number: int) -> str:
    return f"{number}s"
