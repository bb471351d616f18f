"""Containers: isolation from their host, logs, and what ECS accepts."""

import re
from collections.abc import Iterator

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown, Value
from fleetform.policy.helpers.containers import (
    TASK,
    Container,
    containers,
    each_container,
    example,
    on_fargate,
    on_windows,
)
from fleetform.policy.requirements import FALSE, TRUE, number
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"


@rule(
    "FF040",
    "Containers are not privileged.",
    TASK,
    severity=Severity.HIGH,
    why="An attacker in a privileged container is root on its host, and so in every other task there.",
    link=f"{_API}/API_ContainerDefinition.html",
    checkov=("CKV_AWS_334",),
    good=example('name  = "web"\nimage = "nginx:1.29"'),
    bad=example('name       = "web"\nimage      = "nginx:1.29"\nprivileged = true'),
)
def containers_are_not_privileged(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Check EC2 tasks as well; Fargate refuses privileged containers anyway."""

    def check(container: Container) -> Iterator[Violation | Undecided]:
        if isinstance(container.value("privileged"), Unknown):
            yield Undecided(container.at("privileged"))
        elif container.has("privileged"):
            violation = f"container {container.name} is privileged"
            yield Violation(
                violation,
                "remove privileged, and add single capabilities if needed",
                container.at("privileged"),
            )

    return each_container(resource, check)


@rule(
    "FF041",
    "Containers do not run as root.",
    TASK,
    severity=Severity.MEDIUM,
    why="As root, an attacker needs only one kernel or runtime vulnerability to become root on the host.",
    link=f"{_GUIDE}/security-tasks-containers.html",
    good=example('name = "web"\nuser = "1000"'),
    bad=example('name = "web"\nuser = "root"', 'name = "proxy"\nuser = "0:0"'),
)
def containers_do_not_run_as_root(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Ignore containers without `user`: their image decides.

    AWS always runs the FireLens container as root: https://github.com/aws/containers-roadmap/issues/2122
    """

    def check(container: Container) -> Iterator[Violation | Undecided]:
        user = container.value("user")
        if container.value("firelensConfiguration"):
            return
        if isinstance(user, Unknown):
            yield Undecided(container.at("user"))
        elif user is not None and str(user).partition(":")[0] in {"0", "root"}:
            yield Violation(
                f"container {container.name} runs as root",
                "set a different user of its image",
                container.at("user"),
            )

    return each_container(resource, check)


@rule(
    "FF042",
    "Container root file systems are read-only.",
    TASK,
    severity=Severity.MEDIUM,
    why="On a read-only file system, an attacker cannot install code, and a task cannot fill its disk.",
    link=f"{_GUIDE}/security-tasks-containers.html",
    checkov=("CKV_AWS_336",),
    good=example('name                   = "web"\nreadonlyRootFilesystem = true'),
    bad=example('name = "web"', 'name                   = "proxy"\nreadonlyRootFilesystem = false'),
)
def root_file_systems_are_read_only(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Ignore Windows, which has no such setting. AWS's default is writable. ECS Exec needs an exception."""

    def check(container: Container) -> Iterator[Violation | Undecided]:
        at = container.at("readonlyRootFilesystem")
        value = container.value("readonlyRootFilesystem")
        if isinstance(value, Unknown):
            yield Undecided(at)
        elif value not in TRUE:
            remedy = (
                "set readonlyRootFilesystem (`read_only` in the catalog), and mount volumes where it writes"
            )
            yield Violation(f"container {container.name} can write to its root file system", remedy, at)

    return iter(()) if on_windows(resource) else each_container(resource, check)


# Capabilities that break isolation: https://man7.org/linux/man-pages/man7/capabilities.7.html
_ESCAPES = frozenset(
    {
        *(
            "ALL",
            "BPF",
            "DAC_READ_SEARCH",
            "MAC_ADMIN",
            "MAC_OVERRIDE",
            "NET_ADMIN",
            "PERFMON",
            "SYSLOG",
            "SYS_ADMIN",
        ),
        *("SYS_BOOT", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_TIME"),
    }
)
# The only capability on Fargate, where tasks do not share a kernel: API_KernelCapabilities.
_FARGATE_CAPABILITIES = frozenset({"SYS_PTRACE"})
_DISKS = re.compile(
    r"/dev/(k?mem|port|sd[a-z]\d*|xvd[a-z]\d*|vd[a-z]\d*|nvme\d+(n\d+(p\d+)?)?|dm-\d+|mapper/.+)"
)
_UNCONFINED = re.compile(r"label[:=]disable|(apparmor|seccomp)[:=]unconfined")


@rule(
    "FF043",
    "Containers are isolated from their host.",
    TASK,
    severity=Severity.HIGH,
    why="These settings let a container reach the memory, disks or network of its host.",
    link=f"{_API}/API_KernelCapabilities.html",
    good=example(
        'name = "web"\nlinuxParameters = {\n  capabilities = { drop = ["ALL"], add = ["NET_BIND_SERVICE"]'
        " }\n}"
    ),
    bad=example(
        'name = "web"\nlinuxParameters = {\n  capabilities = { add = ["NET_BIND_SERVICE", "SYS_ADMIN"] }\n}',
        'name = "agent"\nlinuxParameters = {\n  devices = [{ hostPath = "/dev/nvme0n1" }]\n}',
        'name                  = "tool"\ndockerSecurityOptions = ["label:disable"]',
    ),
)
def containers_are_isolated(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Check capabilities, devices of the host, and options that turn off isolation."""
    escapes = _ESCAPES - (_FARGATE_CAPABILITIES if on_fargate(resource) else frozenset())

    def check(container: Container) -> Iterator[Violation | Undecided]:
        lists = (
            ("linuxParameters", "capabilities", "add"),
            ("linuxParameters", "devices"),
            ("dockerSecurityOptions",),
        )
        for path in lists:
            if isinstance(container.value(*path), Unknown):
                yield Undecided(container.at(*path))
            for index, item in enumerate(container.items(*path)):
                if isinstance(item, Unknown):
                    yield Undecided(container.at(*path, index))
                elif what := _escape(item, escapes):
                    yield Violation(
                        f"container {container.name} has {what}", "remove it", container.at(*path, index)
                    )

    return each_container(resource, check)


def _escape(item: Value, escapes: frozenset[str]) -> str | None:
    """Describe what is wrong with a capability, a device or a security option."""
    if isinstance(item, dict):
        path = str(item.get("hostPath"))
        return f"the host's device {path}" if _DISKS.fullmatch(path) else None
    if str(item).upper().removeprefix("CAP_") in escapes:
        return f"the capability {item}"
    return f"the security option {item}" if _UNCONFINED.fullmatch(str(item)) else None


_LOGGED = (
    'logDriver = "awslogs"\n  options   = {{ awslogs-group = "/ecs/web", awslogs-region ='
    ' "eu-central-1"{more} }}'
)


def _logging(more: str) -> str:
    return f'name = "web"\nlogConfiguration = {{\n  {_LOGGED.format(more=more)}\n}}'


@rule(
    "FF050",
    "Containers have a log configuration.",
    TASK,
    severity=Severity.MEDIUM,
    why="Without logs, you cannot find out why a container failed or who broke in. Fargate keeps nothing.",
    link=f"{_GUIDE}/using_awslogs.html",
    good=example(_logging(', awslogs-stream-prefix = "web"'), fargate=True),
    bad=example('name = "proxy"', _logging(""), fargate=True),
)
def containers_have_a_log_configuration(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Require all options that ECS requires for CloudWatch; on Fargate, that includes a stream prefix."""
    required_options = ["awslogs-group", "awslogs-region"] + (
        ["awslogs-stream-prefix"] if on_fargate(resource) else []
    )

    def check(container: Container) -> Iterator[Violation | Undecided]:
        driver = container.value("logConfiguration", "logDriver")
        if isinstance(driver, Unknown):
            yield Undecided(container.at("logConfiguration"))
        elif driver in (None, "", "none"):
            remedy = "add a logConfiguration"
            yield Violation(
                f"container {container.name} writes no logs", remedy, container.at("logConfiguration")
            )
        elif driver == "awslogs" and not isinstance(container.value("logConfiguration", "options"), Unknown):
            for option in required_options:
                if container.value("logConfiguration", "options", option) in (None, ""):
                    message = f"ECS rejects container {container.name}: its logConfiguration has no {option}"
                    yield Violation(message, f"set {option}", container.at("logConfiguration", "options"))

    return each_container(resource, check)


_MAX_STOP_TIMEOUT = 120  # seconds, on Fargate: API_ContainerDefinition


@rule(
    "FF053",
    "ECS accepts the containers.",
    TASK,
    severity=Severity.MEDIUM,
    why="The plan succeeds, but the apply fails halfway.",
    link=f"{_API}/API_ContainerDefinition.html",
    good=example('name = "web"\nenvironment = [{ name = "MODE", value = "fast" }]', fargate=True),
    bad=example(
        'name        = "web"\nessential   = false\nstopTimeout = 300',
        'name      = "web"\nessential = false',
        fargate=True,
    ),
)
def ecs_accepts_the_containers(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Require an essential container and unique names; Fargate waits at most two minutes for a stop."""
    names: set[Value] = set()

    def check(container: Container) -> Iterator[Violation | Undecided]:
        name = container.value("name")
        if isinstance(name, str) and name in names:
            yield Violation(f"two containers are named {name}", "rename one of them", container.at("name"))
        names.add(name if isinstance(name, str) else None)
        stop = number(container.value("stopTimeout"))
        if on_fargate(resource) and isinstance(stop, float | int) and stop > _MAX_STOP_TIMEOUT:
            message = (
                f"Fargate stops container {container.name} after {_MAX_STOP_TIMEOUT} seconds, not {stop:g}"
            )
            yield Violation(
                message, f"set stopTimeout to {_MAX_STOP_TIMEOUT} or less", container.at("stopTimeout")
            )

    yield from each_container(resource, check)
    all_containers = containers(resource)
    if all_containers and all(container.value("essential") in FALSE for container in all_containers):
        yield Violation(
            "no container is essential",
            "set essential = true on one container",
            all_containers[0].at("essential"),
        )
