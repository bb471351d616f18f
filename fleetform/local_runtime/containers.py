"""One container definition of ECS in Compose's words, and what of a task definition Compose cannot say."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Definition = Mapping[str, Any]

# What ECS does where a definition is silent: API reference, HealthCheck; ContainerDefinition, stopTimeout, on Fargate.
_INTERVAL, _TIMEOUT, _RETRIES, _START_PERIOD = 30, 5, 3, 0
_STOP_TIMEOUT = 30
# ECS counts 1024 units for one vCPU. With quota and period a task may have more than this machine: `cpus` may not.
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
    "firelensConfiguration",  # the container is left out
    "logConfiguration",  # the engine keeps the output
    "repositoryCredentials",  # images are pulled with this machine's own logins
    "startTimeout",  # `up` has a limit of its own
    "versionConsistency",  # images are built here, or pulled once
}
_TASK_TRANSLATED = {"containerDefinitions", "cpu", "memory", "networkMode", "volumes"}
_TASK_NOT_NEEDED = {
    *("family", "revision", "status", "taskDefinitionArn", "deleteRequestedAt", "deregisteredAt"),  # AWS's records
    *("registeredAt", "registeredBy", "compatibilities", "requiresAttributes", "requiresCompatibilities", "tags"),
    *("executionRoleArn", "taskRoleArn"),  # this machine has credentials of its own, or none
    "enableFaultInjection",  # only allows AWS's tests
    "ephemeralStorage",  # the disk is this machine's
    "placementConstraints",  # there is one machine
    "runtimePlatform",  # it is in the image
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
    """What Compose cannot say of a task definition, each as where it is and what."""
    yield from _unknown(definition, _TASK_TRANSLATED | _TASK_NOT_NEEDED)
    if (mode := definition.get("networkMode", "awsvpc")) != "awsvpc":
        yield f"`networkMode` is {mode}, not awsvpc"
    for name in ("cpu", "memory"):
        if not str(definition.get(name) or 0).isdecimal():
            yield f"`{name}` is {definition[name]}, no whole number"
    for volume in definition.get("volumes") or ():
        unknown = [*_unknown(volume, _VOLUME), *_unknown(volume.get("host") or {}, set(), "host.")]
        yield from (f"volume `{volume['name']}`: {problem}" for problem in unknown)
    for container in definition["containerDefinitions"]:
        for problem in _container_problems(container):
            yield f"container `{container['name']}`: {problem}"


def _container_problems(container: Definition) -> Iterator[str]:
    yield from _unknown(container, _TRANSLATED | _NOT_NEEDED)
    for key, known in _PARTS.items():
        for part in _listed(container.get(key)):
            yield from _unknown(part, known, f"{key}.")
    if (check := container.get("healthCheck")) and check["command"][0] not in _HEALTH_FORMS:
        yield f"`healthCheck.command` begins with {check['command'][0]}, not with {', '.join(_HEALTH_FORMS)}"


def _listed(value: Any) -> Sequence[Definition]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value] if value else []


def _unknown(definition: Definition, known: set[str], place: str = "") -> Iterator[str]:
    """Each key with something in it that is none of those known."""
    return (f"`{place}{key}`" for key in sorted(definition) if definition[key] and key not in known)


def settings(container: Definition, task: Definition) -> dict[str, Any]:
    """What Compose is told of a container by itself, in Compose's order; None, empty and false where it is not told."""
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
    """ECS ignores the image's own check."""
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
