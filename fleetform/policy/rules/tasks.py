"""Task definitions: isolation from the host, roles and size."""

import re
from collections.abc import Iterator

from fleetform.catalog.constants import FARGATE_MEMORY
from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown, Value
from fleetform.policy.helpers.containers import TASK, on_fargate
from fleetform.policy.requirements import number
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_SECURITY_HUB = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html"


def _example(*lines: str) -> str:
    return f'resource "{TASK}" "web" {{\n' + "".join(f"  {line}\n" for line in lines) + "}\n"


# Writing to these folders or sockets is root on the host; most folders below them are harmless.
_SYSTEM_FOLDERS = frozenset(
    {
        *("/", "/boot", "/dev", "/etc", "/home", "/lib", "/proc", "/root", "/run", "/sys", "/usr", "/var"),
        *("/var/lib", "/var/lib/docker", "/var/lib/ecs", "/var/run"),
    }
)
_SOCKETS = re.compile(r".*/(docker|containerd|crio|podman)\.sock")


@rule(
    "FF044",
    "Tasks do not mount system folders or sockets of their host.",
    TASK,
    severity=Severity.HIGH,
    why="Access to system folders or the container engine's socket is control of the host and all its tasks.",
    link=f"{_API}/API_HostVolumeProperties.html",
    good=_example("volume {", '  name      = "data"', '  host_path = "/ecs/web"', "}"),
    bad=_example("volume {", '  name      = "docker"', '  host_path = "/var/run/docker.sock"', "}"),
)
def tasks_mount_no_system_folders(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept folders that the host provides for tasks."""
    volumes = resource.value("volume", default=[])
    if isinstance(volumes, Unknown):
        yield Undecided(("volume",))
    for index in range(len(volumes) if isinstance(volumes, list) else 0):
        path = resource.value("volume", index, "host_path")
        if isinstance(path, Unknown):
            yield Undecided(("volume", index, "host_path"))
        elif isinstance(path, str) and _is_system_path(path):
            message = f"{path} of the host is mounted"
            yield Violation(
                message, "mount a folder that only the service uses", ("volume", index, "host_path")
            )


def _is_system_path(path: str) -> bool:
    plain = path.rstrip("/") or "/"
    return bool(path) and (plain in _SYSTEM_FOLDERS or _SOCKETS.fullmatch(plain) is not None)


@rule(
    "FF045",
    "Tasks do not share process or IPC namespaces with their host.",
    TASK,
    severity=Severity.HIGH,
    why="In the host's namespaces, a container can see, stop and read other processes on the host.",
    link=_SECURITY_HUB,
    checkov=("CKV_AWS_335",),
    good=_example('pid_mode = "task"'),
    bad=_example('pid_mode = "host"', 'ipc_mode = "host"'),
)
def tasks_have_their_own_namespaces(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept namespaces that are shared within a task."""
    for name, shared in (("pid_mode", "processes"), ("ipc_mode", "shared memory")):
        value = resource.value(name)
        if isinstance(value, Unknown):
            yield Undecided((name,))
        elif value == "host":
            yield Violation(f"containers share the host's {shared}", f"remove {name}", (name,))


@rule(
    "FF046",
    "Tasks have their own network interface.",
    TASK,
    severity=Severity.MEDIUM,
    why="Otherwise tasks on an instance share its security groups, and calls cannot be restricted.",
    link=f"{_GUIDE}/task-networking.html",
    good=_example('network_mode = "awsvpc"'),
    bad=_example('network_mode = "host"'),
)
def tasks_have_their_own_interface(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept a task without a network; the default mode is a bridge of the instance."""
    mode = resource.value("network_mode", default="bridge")
    if isinstance(mode, Unknown):
        yield Undecided(("network_mode",))
    elif mode not in ("awsvpc", "none"):
        what = "network" if mode == "host" else "network interface"
        yield Violation(f"tasks use the instance's {what}", 'set network_mode = "awsvpc"', ("network_mode",))


@rule(
    "FF052",
    "Task sizes are valid on Fargate.",
    TASK,
    severity=Severity.MEDIUM,
    why="The plan succeeds, but the apply fails halfway.",
    link=f"{_GUIDE}/fargate-tasks-services.html",
    good=_example('requires_compatibilities = ["FARGATE"]', "cpu    = 256", 'memory = "512"'),
    bad=_example('requires_compatibilities = ["FARGATE"]', "cpu    = 256", "memory = 4096"),
)
def task_sizes_are_valid(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Check CPU units and MiB; `1 vCPU` and `2 GB`, which AWS also accepts, are ignored."""
    if not on_fargate(resource):
        return
    sizes = {name: resource.value(name) for name in ("cpu", "memory")}
    for name, value in sizes.items():
        if isinstance(value, Unknown):
            yield Undecided((name,))
        elif value is None:
            yield Violation(f"Fargate requires {name} for the task", f"set {name}", (name,))
    cpu, memory = (number(value) for value in sizes.values())
    if isinstance(cpu, float | int) and isinstance(memory, float | int):
        yield from _check_size(int(cpu), int(memory))


def _check_size(cpu: int, memory: int) -> Iterator[Violation]:
    if cpu not in FARGATE_MEMORY:
        allowed = ", ".join(map(str, FARGATE_MEMORY))
        yield Violation(f"Fargate does not offer {cpu} CPU units", f"set cpu to one of {allowed}", ("cpu",))
    elif memory not in FARGATE_MEMORY[cpu]:
        allowed = ", ".join(map(str, FARGATE_MEMORY[cpu]))
        message = f"Fargate does not offer {memory} MiB with {cpu} CPU units"
        yield Violation(message, f"set memory to one of {allowed}", ("memory",))


@rule(
    "FF067",
    "Task role and execution role are separate.",
    TASK,
    severity=Severity.MEDIUM,
    why="The execution role can read the task's secrets and images. Code in the task needs neither.",
    link=f"{_GUIDE}/security-ecs-iam-role-overview.html",
    checkov=("CKV_AWS_249",),
    good=_example(
        'execution_role_arn = "arn:aws:iam::123456789012:role/shop-prod-web-execution"',
        'task_role_arn      = "arn:aws:iam::123456789012:role/shop-prod-web"',
    ),
    bad=_example("execution_role_arn = aws_iam_role.web.arn", "task_role_arn      = aws_iam_role.web.arn")
    + '\nresource "aws_iam_role" "web" {\n  name = "shop-prod-web"\n}\n',
)
def roles_differ(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Roles that do not exist yet are distinguished by reference."""
    task, execution = resource.value("task_role_arn"), resource.value("execution_role_arn")
    if task in (None, "") or execution in (None, ""):
        return
    at = ("task_role_arn",)
    if _is_identified(task) and task == execution:
        yield Violation(
            "the containers have the rights of the execution role", "create a separate task role", at
        )
    elif not (_is_identified(task) and _is_identified(execution)):
        yield Undecided(at)


def _is_identified(role: Value) -> bool:
    return not isinstance(role, Unknown) or bool(role.reference)
