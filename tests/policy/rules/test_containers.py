"""Rules for containers and their tasks, beyond their examples."""

import pytest

from .answers import answers


def task(*containers: str, more: str = "") -> str:
    """Return a task definition with these containers."""
    return (
        f'resource "aws_ecs_task_definition" "web" {{\n{more}\n'
        "  container_definitions ="
        f" jsonencode([{', '.join(f'{{ {container} }}' for container in containers)}])\n}}\n"
    )


FARGATE = 'requires_compatibilities = ["FARGATE"]'
WINDOWS = 'runtime_platform {\n  operating_system_family = "WINDOWS_SERVER_2022_CORE"\n}'


@pytest.mark.parametrize(
    "rule", ["FF040", "FF041", "FF042", "FF043", "FF047", "FF050", "FF053", "FF054", "FF056"]
)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("container_definitions = var.containers", ["? container_definitions"]),
        ("container_definitions = jsonencode([var.container])", ["? container_definitions.0"]),
        ("container_definitions = jsonencode([])", []),
        ('container_definitions = "[]"', []),
        ('container_definitions = "no JSON"', []),
        ("", []),
    ],
)
def test_unknown_values_of_containers_are_open(rule: str, text: str, expected: list[str]) -> None:
    assert answers(rule, f'resource "aws_ecs_task_definition" "web" {{\n  {text}\n}}\n') == expected


@pytest.mark.parametrize(
    ("privileged", "expected"),
    [
        ("false", []),
        ("null", []),
        ('"true"', ["container number 1 is privileged"]),
        ("var.x", ["? container_definitions.0.privileged"]),
    ],
)
def test_privileged(privileged: str, expected: list[str]) -> None:
    assert answers("FF040", task(f"privileged = {privileged}")) == expected


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ('"0:1000"', ["container number 1 runs as root"]),
        ("0", ["container number 1 runs as root"]),
        ('"root:root"', ["container number 1 runs as root"]),
        ('"1000:0"', []),
        ('"rootless"', []),
        ("null", []),
        ("var.user", ["? container_definitions.0.user"]),
        ('"0", firelensConfiguration = { type = "fluentbit" }', []),
    ],
)
def test_users(user: str, expected: list[str]) -> None:
    assert answers("FF041", task(f"user = {user}")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (task('readonlyRootFilesystem = "true"'), []),
        (task("readonlyRootFilesystem = null"), ["container number 1 can write to its root file system"]),
        (task("readonlyRootFilesystem = var.x"), ["? container_definitions.0.readonlyRootFilesystem"]),
        (task('name = "web"', more=WINDOWS), []),
    ],
)
def test_root_file_systems(text: str, expected: list[str]) -> None:
    assert answers("FF042", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (task('linuxParameters = { capabilities = { add = ["NET_BIND_SERVICE", "CHOWN"] } }'), []),
        (task('linuxParameters = { capabilities = { drop = ["ALL"] } }'), []),
        (
            task('linuxParameters = { capabilities = { add = ["ALL"] } }'),
            ["container number 1 has the capability ALL"],
        ),
        (
            task('linuxParameters = { capabilities = { add = ["CAP_SYS_PTRACE"] } }'),
            ["container number 1 has the capability CAP_SYS_PTRACE"],
        ),
        (task('linuxParameters = { capabilities = { add = ["SYS_PTRACE"] } }', more=FARGATE), []),
        (
            task("linuxParameters = { capabilities = { add = [var.x] } }"),
            ["? container_definitions.0.linuxParameters.capabilities.add.0"],
        ),
        (task('linuxParameters = { devices = [{ hostPath = "/dev/fuse" }] }'), []),
        (
            task('linuxParameters = { devices = [{ hostPath = "/dev/mem" }] }'),
            ["container number 1 has the host's device /dev/mem"],
        ),
        (task('dockerSecurityOptions = ["no-new-privileges", "apparmor:web"]'), []),
        (
            task('dockerSecurityOptions = ["apparmor:unconfined"]'),
            ["container number 1 has the security option apparmor:unconfined"],
        ),
    ],
)
def test_confinement(text: str, expected: list[str]) -> None:
    assert answers("FF043", text) == expected


LOGGED = (
    'logConfiguration = { logDriver = "awslogs", options = { awslogs-group = "a", awslogs-region ='
    " var.region } }"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (task(LOGGED), []),
        (
            task(LOGGED, more=FARGATE),
            ["ECS rejects container number 1: its logConfiguration has no awslogs-stream-prefix"],
        ),
        (task('logConfiguration = { logDriver = "awsfirelens" }'), []),
        (task('logConfiguration = { logDriver = "none" }'), ["container number 1 writes no logs"]),
        (task('logConfiguration = { logDriver = "awslogs", options = var.options }'), []),
        (task("logConfiguration = var.logs"), ["? container_definitions.0.logConfiguration"]),
    ],
)
def test_logs(text: str, expected: list[str]) -> None:
    assert answers("FF050", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (task("essential = false", "essential = true"), []),
        (task("essential = false", "essential = null"), []),
        (task("essential = false", "essential = var.x"), []),
        (task("stopTimeout = 300"), []),
        (task('stopTimeout = "120"', more=FARGATE), []),
        (
            task('stopTimeout = "121"', more=FARGATE),
            ["Fargate stops container number 1 after 120 seconds, not 121"],
        ),
        (task("name = var.a", "name = var.a"), []),
    ],
)
def test_what_ecs_accepts(text: str, expected: list[str]) -> None:
    assert answers("FF053", text) == expected


def volume(path: str) -> str:
    return f'resource "aws_ecs_task_definition" "web" {{\n  volume {{\n    host_path = {path}\n  }}\n}}\n'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ('"/"', ["/ of the host is mounted"]),
        ('"/etc/"', ["/etc/ of the host is mounted"]),
        ('"/run/containerd/containerd.sock"', ["/run/containerd/containerd.sock of the host is mounted"]),
        ('"/etc/localtime"', []),
        ('"/sys/fs/cgroup"', []),
        ('"/data"', []),
        ('""', []),
        ("null", []),
        ("var.path", ["? volume.0.host_path"]),
    ],
)
def test_mounts_of_the_host(path: str, expected: list[str]) -> None:
    assert answers("FF044", volume(path)) == expected


def settings(*lines: str) -> str:
    return 'resource "aws_ecs_task_definition" "web" {\n' + "\n".join(lines) + "\n}\n"


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ("FF045", settings('ipc_mode = "none"'), []),
        ("FF045", settings("pid_mode = var.mode"), ["? pid_mode"]),
        ("FF046", settings(), ["tasks use the instance's network interface"]),
        ("FF046", settings('network_mode = "bridge"'), ["tasks use the instance's network interface"]),
        ("FF046", settings('network_mode = "none"'), []),
        ("FF046", settings("network_mode = var.mode"), ["? network_mode"]),
        ("FF052", settings("cpu = 100", "memory = 100"), []),
        ("FF052", settings(FARGATE, 'cpu = "1024"', "memory = 8192"), []),
        ("FF052", settings(FARGATE, 'cpu = "1 vCPU"', 'memory = "2 GB"'), []),
        ("FF052", settings(FARGATE, "cpu = 1024"), ["Fargate requires memory for the task"]),
        ("FF052", settings(FARGATE, "cpu = 300", "memory = 512"), ["Fargate does not offer 300 CPU units"]),
        ("FF052", settings(FARGATE, "cpu = var.cpu", "memory = 512"), ["? cpu"]),
        ("FF067", settings('execution_role_arn = "arn:a"'), []),
        ("FF067", settings('execution_role_arn = "arn:a"', "task_role_arn = null"), []),
        (
            "FF067",
            settings('execution_role_arn = "arn:a"', 'task_role_arn = "arn:a"'),
            ["the containers have the rights of the execution role"],
        ),
        ("FF067", settings('execution_role_arn = "arn:a"', "task_role_arn = var.role"), ["? task_role_arn"]),
    ],
)
def test_tasks(rule: str, text: str, expected: list[str]) -> None:
    assert answers(rule, text) == expected


DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("image", "version", "digest", "pull"),
    [
        ("nginx", True, False, True),
        ("nginx:latest", True, False, True),
        ("bitnami/nginx:1.29", False, True, True),
        (f"nginx:latest@{DIGEST}", False, False, True),
        ("localhost:5000/web", True, False, False),
        ("localhost/web:1.0", False, True, False),
        ("public.ecr.aws/aws-observability/aws-for-fluent-bit:init-latest", True, False, False),
        ("public.ecr.aws/aws-observability/aws-for-fluent-bit:stable", True, False, False),
        ("gcr.io/web:1.0-stable.2", False, True, False),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:unbuilt", False, False, False),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/web:1.0", False, False, False),
        ("123456789012.dkr-ecr.eu-central-1.on.aws/web:1.0", False, False, False),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/web", True, False, False),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com.example.com/web:1.0", False, True, False),
        ("", False, False, False),
    ],
)
def test_images(image: str, version: bool, digest: bool, pull: bool) -> None:  # noqa: FBT001 - parameters
    found = [bool(answers(rule, task(f'image = "{image}"'))) for rule in ("FF047", "FF048", "FF049")]
    assert found == [version, digest, pull]


@pytest.mark.parametrize("rule", ["FF047", "FF048", "FF049"])
def test_an_unknown_image_is_open(rule: str) -> None:
    text = task('image = "${var.repository}:1.0"', "image = null")
    assert answers(rule, text) == ["? container_definitions.0.image"]


def test_docker_hub_with_a_login_is_accepted() -> None:
    text = task('image = "nginx:1.29", repositoryCredentials = { credentialsParameter = "arn:a" }')
    assert answers("FF049", text) == []
