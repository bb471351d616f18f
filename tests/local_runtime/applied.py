"""Environments as they would be applied: what the document is made from."""

from collections.abc import Sequence
from typing import Any

from fleetform.aws.live_state import AppliedEnvironment, AppliedService
from fleetform.topology.applied_rule import AppliedRule

ANYWHERE = "0.0.0.0/0"
ECR = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"
NETWORK = "10.0.0.0/16"


def container(name: str, **keys: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A container definition, with what the API adds to each."""
    empty: dict[str, Any] = {
        "cpu": 0,
        "environment": [],
        "essential": True,
        "mountPoints": [],
        "volumesFrom": [],
    }
    return {**empty, "name": name, "image": f"{ECR}/shop-local-{name}:0a7c9e4d1b2f3a68", **keys}


def listening(port: int) -> list[dict[str, Any]]:
    """The port mappings of a container that listens on one port."""
    return [{"containerPort": port, "hostPort": port, "protocol": "tcp"}]


def definition(name: str, containers: Sequence[dict[str, Any]], **keys: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A task definition, with what the API adds to each."""
    return {
        "compatibilities": ["EC2", "FARGATE"],
        "containerDefinitions": list(containers),
        "cpu": "256",
        "executionRoleArn": f"arn:aws:iam::123456789012:role/shop-local-{name}-execution",
        "family": f"shop-local-{name}",
        "memory": "512",
        "networkMode": "awsvpc",
        "placementConstraints": [],
        "revision": 3,
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "status": "ACTIVE",
        "volumes": [],
        **keys,
    }


def service(name: str, port: int | None, tasks: int = 1, group: str | None = None) -> AppliedService:
    """A service with one container and, if it has a port, a DNS name.

    In a group of its own, or in another.
    """
    containers = [container(name, portMappings=listening(port) if port else [])]
    dns_name = f"{name}.local.shop.internal" if port else None
    return AppliedService(name, tasks, definition(name, containers), dns_name, (group or name,))


def call(caller: str, callee: str, port: int) -> set[AppliedRule]:
    """The two rules of a call between groups."""
    return {
        AppliedRule("egress", caller, "tcp", port, port, peer=callee),
        AppliedRule("ingress", callee, "tcp", port, port, peer=caller),
    }


def everyone(group: str, port: int) -> AppliedRule:
    """The rule that opens a port to everyone."""
    return AppliedRule("ingress", group, "tcp", port, port, cidr=ANYWHERE)


def https(group: str) -> AppliedRule:
    """The rule that lets a group call AWS."""
    return AppliedRule("egress", group, "tcp", 443, 443, cidr=ANYWHERE)


OPEN_GROUP = frozenset(
    {
        AppliedRule("ingress", "app", "-1", peer="app"),
        AppliedRule("egress", "app", "-1", cidr=ANYWHERE),
        everyone("app", 80),
    }
)
"""The rules of `shared`."""


def environment(
    services: Sequence[AppliedService], rules: set[AppliedRule] | frozenset[AppliedRule]
) -> AppliedEnvironment:
    """An environment, its services sorted."""
    return AppliedEnvironment(tuple(sorted(services, key=lambda each: each.name)), frozenset(rules), NETWORK)


def sample_container(name: str, port: int, **variables: str) -> dict[str, Any]:
    """The container of a service of the sample, as its module writes it."""
    low = [{"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "0"}] if port == 80 else []
    pairs = {"PORT": str(port), **variables}
    return container(
        name,
        environment=[{"name": key, "value": value} for key, value in sorted(pairs.items())],
        healthCheck={
            "command": ["CMD", "python3", "-m", "common.healthcheck"],
            "interval": 30,
            "retries": 3,
            "startPeriod": 10,
            "timeout": 5,
        },
        logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": f"/ecs/shop-local-{name}"}},
        portMappings=listening(port),
        readonlyRootFilesystem=True,
        stopTimeout=30,
        systemControls=low,
    )


def sample(*, shared: bool) -> AppliedEnvironment:
    """The three services of the sample: `web`, from the internet, calls `orders`, which calls `stock`."""
    domain = "local.shop.internal"
    containers = (
        (1, sample_container("web", 80, ORDERS_URL=f"http://orders.{domain}:8080")),
        (2, sample_container("orders", 8080, STOCK_URL=f"http://stock.{domain}:8080")),
        (1, sample_container("stock", 8080)),
    )
    services = [
        AppliedService(
            name, tasks, definition(name, [made]), f"{name}.{domain}", ("app" if shared else name,)
        )
        for tasks, made in containers
        for name in [made["name"]]
    ]
    edges = {
        *call("web", "orders", 8080),
        *call("orders", "stock", 8080),
        everyone("web", 80),
        *map(https, ("web", "orders", "stock")),
    }
    return environment(services, OPEN_GROUP if shared else edges)


PYTHON = "public.ecr.aws/docker/library/python:3.13-slim"
API_CONTAINERS = (
    container(
        "api",
        image=f"{ECR}/shop-local-api@sha256:{'5b' * 32}",
        entryPoint=["python3", "-m"],
        command=["http.server", "8080"],
        user="10001:10001",
        workingDirectory="/srv",
        cpu=192,
        memory=384,
        memoryReservation=128,
        environment=[
            {"name": "GREETING", "value": 'Grüße, "$USER"\n${HOME}: 100 %'},
            {"name": "EMPTY", "value": ""},
            {"name": "NUMBER", "value": "1e3"},
            {"name": "OCTAL", "value": "0o17"},
            {"name": "WORD", "value": "yes"},
        ],
        secrets=[
            {"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:ap-northeast-1:123456789012:parameter/db"},
            {"name": "api.key", "valueFrom": "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:key"},
        ],
        portMappings=[{**listening(8080)[0], "name": "http", "appProtocol": "http"}],
        healthCheck={"command": ["CMD-SHELL", "test -e /scratch/$HOSTNAME || true"], "startPeriod": 2},
        dependsOn=[
            {"containerName": "migrate", "condition": "SUCCESS"},
            {"containerName": "proxy", "condition": "HEALTHY"},
        ],
        mountPoints=[
            {"sourceVolume": "scratch", "containerPath": "/scratch"},
            {"sourceVolume": "uploads", "containerPath": "/uploads", "readOnly": False},
            {"sourceVolume": "models", "containerPath": "/models", "readOnly": True},
        ],
        readonlyRootFilesystem=True,
        linuxParameters={
            "initProcessEnabled": True,
            "capabilities": {"add": ["SYS_PTRACE"], "drop": ["NET_RAW"]},
            "tmpfs": [{"containerPath": "/tmp", "size": 64, "mountOptions": ["noexec", "mode=1777"]}],  # noqa: S108
        },
        ulimits=[{"name": "nofile", "softLimit": 4096, "hardLimit": 8192}],
        systemControls=[{"namespace": "net.ipv4.tcp_keepalive_time", "value": "300"}],
        dockerLabels={"team": "a $hop"},
        stopTimeout=5,
        pseudoTerminal=True,
        interactive=True,
        logConfiguration={"logDriver": "awslogs"},
    ),
    container(
        "migrate",
        image=PYTHON,
        command=["python3", "-c", "print('migrated')"],
        essential=False,
        healthCheck={"command": ["NONE"]},
        mountPoints=[{"sourceVolume": "scratch", "containerPath": "/scratch"}],
    ),
    container(
        "proxy",
        image=PYTHON,
        command=["python3", "-m", "http.server", "9901"],
        portMappings=listening(9901),
        healthCheck={"command": ["CMD", "python3", "-c", "pass"], "interval": 5, "timeout": 2, "retries": 2},
        systemControls=[{"namespace": "fs.mqueue.msg_max", "value": "20"}],
        stopTimeout=2,
    ),
    container(
        "metrics",
        image=PYTHON,
        command=["python3", "-m", "http.server", "9100"],
        essential=False,
        restartPolicy={"enabled": True, "restartAttemptPeriod": 60},
        dependsOn=[{"containerName": "api", "condition": "START"}],
        stopTimeout=2,
    ),
)


def everything() -> AppliedEnvironment:
    """One service whose task definition says all that can be translated."""
    file_system = {"fileSystemId": "fs-0123", "transitEncryption": "ENABLED"}
    volumes = [
        {"name": "scratch", "host": {}},
        {"name": "uploads", "efsVolumeConfiguration": {**file_system, "rootDirectory": "/data/uploads"}},
        {
            "name": "models",
            "efsVolumeConfiguration": {
                **file_system,
                "rootDirectory": "/",
                "authorizationConfig": {"accessPointId": "fsap-4567", "iam": "ENABLED"},
            },
        },
    ]
    made = definition("api", API_CONTAINERS, cpu="1024", memory="2048", volumes=volumes)
    return environment(
        [AppliedService("api", 1, made, "api.local.shop.internal", ("api",))], {everyone("api", 8080)}
    )
