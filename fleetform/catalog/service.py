"""A service of the catalog."""

import shlex
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from fleetform.catalog.container import LOG_ROUTER, LOG_ROUTER_IMAGE, Container, Port, Sidecar, Volume
from fleetform.catalog.types import (
    NOTHING,
    Alone,
    Boolean,
    Cidr,
    Constant,
    Count,
    DiscoveryServiceId,
    Domain,
    Entry,
    HostPattern,
    Integer,
    Listed,
    LogRetention,
    PartName,
    Path,
    PathPattern,
    Percent,
    PolicyArn,
    PortName,
    PortNumber,
    PortReference,
    Protocol,
    ScheduleExpression,
    ServiceName,
    Short,
    Sid,
    StackName,
    TagKey,
    TagValue,
    Text,
    TimeZone,
    VariableName,
)

Names = Annotated[tuple[Text, ...], Listed]
_Texts = Annotated[tuple[Text, ...], Listed, Field(min_length=1)]


def url_variable(callee: str) -> str:
    """The name of the environment variable that carries a callee's URL."""
    return f"{callee.upper().replace('-', '_')}_URL"


class Build(Entry):
    """How a service's image is built."""

    context: Path = Field(examples=["containers"])
    """Folder of the build context, from the repository's root."""
    dockerfile: Path = "Dockerfile"
    """The Dockerfile, from the context."""
    args: Mapping[VariableName, Text] = Field(default=NOTHING, examples=[{"VERSION": "1.10"}])
    """Build arguments, which the Dockerfile takes with `ARG`. Nothing secret: they are committed and shown."""


class Callee(Entry):
    """Whom a service calls. A name alone is a service of this catalog; a network or host outside needs its `port`."""

    service: Text | None = Field(default=None, examples=["orders"])
    """The service; it may be the caller itself, whose tasks then reach each other."""
    port: PortReference | None = Field(default=None, examples=["admin", 443])
    """Which of the service's ports, by name; of what is outside, the number. Left out: the service's `port`."""
    namespace: Domain | None = Field(default=None, examples=["prod.bank.internal"])
    """The private DNS namespace of another application, if the service is one of its; needs the `cidr` of its VPC,
    which is peered with this one, or the same."""
    host: Domain | None = Field(default=None, examples=["api.example.com"])
    """An existing host outside. Security groups know no names: without a `cidr` the port is open to any address."""
    cidr: Cidr | None = Field(default=None, examples=["192.0.2.0/24"])
    """An existing network outside; with `host` or `namespace`, the one that it is in."""
    protocol: Protocol = "tcp"
    """The protocol; a service's port says its own."""
    variable: VariableName | None = Field(default=None, examples=["PAYMENTS_URL"])
    """The variable that carries the URL. Left out: `<SERVICE>_URL`, for a port by name `<SERVICE>_<PORT>_URL`, and none
    for what is no service. It holds `http://name:port` for a service, `https://name` for port 443 outside, `http://name`
    for port 80 outside, and `name:port` for any other port of a host and for UDP."""

    @property
    def url_variable(self) -> str | None:
        """The variable that carries the URL, if one does."""
        if self.variable is not None or self.service is None:
            return self.variable
        return url_variable(f"{self.service}-{self.port}" if isinstance(self.port, str) else self.service)


class Ingress(Entry):
    """What the environment's load balancer sends to a service."""

    paths: Annotated[tuple[PathPattern, ...], Listed] = Field(default=(), examples=[["/api/*"]])
    """Requests for these paths; `*` and `?` are wildcards. Left out: for any."""
    hosts: Annotated[tuple[HostPattern, ...], Listed] = Field(default=(), examples=[["shop.example.com"]])
    """Requests for these hosts; left out: for any."""
    port: PortName | None = None
    """Which of the `ports`; left out: `port`."""
    priority: Annotated[Integer, Field(ge=1, le=50000)] | None = None
    """Rules are tried from the lowest number on; left out: what is named most exactly comes first, an exact host before
    `*.`, then longer paths before shorter ones."""
    deregistration_delay: Annotated[Integer, Field(ge=0, le=3600)] = 30
    """Seconds that a stopping task may go on answering requests."""


class Schedule(Entry):
    """When a task is started. An expression alone is its `expression`."""

    expression: ScheduleExpression = Field(examples=["cron(0 3 * * ? *)", "rate(1 hour)"])
    """EventBridge Scheduler's: `cron(minutes hours day-of-month month day-of-week year)`, `rate(...)` or `at(...)`."""
    time_zone: TimeZone = "UTC"
    """The time zone of the expression."""
    retries: Annotated[Integer, Field(ge=0, le=185)] = 3
    """How often a start that failed is tried again."""
    maximum_event_age: Annotated[Integer, Field(ge=60, le=86400)] = 3600
    """Seconds after which a start that failed is given up."""


class ScheduledBounds(Entry):
    """Bounds of the number of tasks, from a time on."""

    expression: ScheduleExpression = Field(examples=["cron(0 8 ? * MON-FRI *)"])
    """When they begin to hold; `at(...)`, `cron(...)` or `rate(...)`."""
    time_zone: TimeZone = "UTC"
    """The time zone of the expression."""
    min: Count
    """Fewest tasks."""
    max: Count
    """Most tasks."""


class Autoscaling(Entry):
    """Target tracking: as many tasks as keep each figure near its target."""

    min: Count
    """Fewest tasks."""
    max: Annotated[Integer, Field(ge=1, le=5000)]
    """Most tasks."""
    cpu: Percent = 60
    """Average CPU that is kept, in percent."""
    memory: Percent | None = None
    """Average memory that is kept, in percent."""
    requests_per_target: Annotated[Integer, Field(ge=1)] | None = None
    """Requests a minute to each task that are kept; needs the environment's load balancer."""
    schedule: Mapping[PartName, ScheduledBounds] = NOTHING
    """Other bounds at certain times, by a name of yours. Each hold until the next; `min` and `max` until the first."""


class CapacityProvider(Entry):
    """A capacity provider's share of the tasks. A number alone is its `weight`."""

    weight: Annotated[Integer, Field(ge=0, le=1000)]
    """Its share, beside the others' weights."""
    base: Annotated[Integer, Field(ge=0, le=100000)] = 0
    """Tasks that it runs before weights count; only one provider may have a base."""


class Deployment(Entry):
    """How new tasks take the place of old ones."""

    minimum_healthy_percent: Annotated[Integer, Field(ge=0, le=100)] = 100
    """Healthy tasks that are kept, in percent of those wanted."""
    # ECS takes 100 too; rebalancing between zones, which is on, needs more.
    maximum_percent: Annotated[Integer, Field(ge=101, le=200)] = 200
    """Most tasks that run meanwhile, in percent of those wanted."""
    circuit_breaker: Boolean = True
    """Whether ECS gives up, and rolls back, when new tasks do not become healthy."""
    alarms: Names = Field(default=(), examples=[["shop-prod-errors"]])
    """CloudWatch alarms, by name, that roll it back too. Taken away all at once they stay in force, as Terraform's
    provider cannot send an empty list; `invoke verify` says so."""
    wait_for_steady_state: Boolean = True
    """Whether an apply waits until the new tasks run and fails when they do not."""


class Logs(Entry):
    """Where what the containers print goes."""

    retention_in_days: LogRetention | None = None
    """Left out: the environment's `log_retention_in_days`."""
    mode: Literal["blocking", "non-blocking"] = "blocking"
    """Whether a container waits when its output cannot be taken, or some is lost."""
    max_buffer_size_mib: Annotated[Integer, Field(ge=1, le=1024)] | None = None
    """MiB that are kept in `non-blocking` mode before output is lost."""
    routing: Mapping[Text, Text] = Field(
        default=NOTHING, examples=[{"Name": "kinesis_firehose", "delivery_stream": "shop"}]
    )
    """Options of a FireLens output of Fluent Bit, which gets the output instead of CloudWatch Logs. A container
    `log_router` is added for it; a sidecar of that name takes its place."""


class PolicyCondition(Entry):
    """When a statement holds."""

    test: Annotated[Text, Field(min_length=1)] = Field(examples=["StringEquals"])
    """IAM's operator."""
    variable: Annotated[Text, Field(min_length=1)] = Field(examples=["s3:prefix"])
    """What is compared."""
    values: _Texts = Field(examples=[["orders/"]])
    """With what."""


class Statement(Entry):
    """A statement of an IAM policy."""

    sid: Sid | None = Field(default=None, examples=["ReadOrders"])
    """Its name."""
    effect: Literal["allow", "deny"] = "allow"
    """What it does."""
    actions: _Texts = Field(examples=[["s3:GetObject"]])
    """The actions."""
    resources: _Texts = Field(examples=[["arn:aws:s3:::shop-orders/*"]])
    """The resources, by ARN."""
    conditions: Annotated[tuple[PolicyCondition, ...], Listed] = ()
    """All of them have to hold."""


class TaskRole(Entry):
    """What the service may do with AWS."""

    statements: Annotated[tuple[Statement, ...], Listed] = ()
    """Statements of a policy of its own."""
    policies: Annotated[tuple[PolicyArn, ...], Listed] = ()
    """Managed policies, by ARN."""


class Discovery(Entry):
    """The service's DNS record in Cloud Map."""

    record_type: Literal["A", "SRV"] = "A"
    """`A`: the tasks' addresses. `SRV`: names of tasks and their ports; callers get `http+srv://<name>` without a port,
    and have to look the record up."""
    ttl: Annotated[Integer, Field(ge=0, le=2147483647)] = 10
    """Seconds that callers may go on with an address: a stopped task's is gone by then."""


class ServiceConnect(Entry):
    """The service in ECS Service Connect, where the environment has that for discovery."""

    port: PortName | None = None
    """Which of the `ports`; left out: `port`."""
    alias: ServiceName | None = None
    """The name that callers use; left out: the service's."""
    idle_timeout: Annotated[Integer, Field(ge=0)] | None = None
    """Seconds after which a connection that is not used is closed; 0 for never."""
    request_timeout: Annotated[Integer, Field(ge=0)] | None = None
    """Seconds that a request may take; 0 for any."""


class AdoptedOfService(Entry):
    """Resources of a service that exist already: Terraform imports them instead of making them.

    AWS renames none of them, so each has to have the name that it would be made with.
    """

    repository: Text | None = Field(default=None, examples=["shop-prod-web"])
    """The ECR repository, by name: `<prefix>-<service>`."""
    discovery_service: DiscoveryServiceId | None = Field(default=None, examples=["srv-0123456789abcdef"])
    """The Cloud Map service, by ID; it has the service's name, in the namespace of the environment."""
    log_group: Text | None = Field(default=None, examples=["/ecs/shop-prod-web"])
    """The log group, by name: `/ecs/<prefix>-<service>`."""
    execution_role: Text | None = Field(default=None, examples=["shop-prod-web-execution"])
    """The role that ECS starts tasks with, by name: `<prefix>-<service>-execution`."""
    task_role: Text | None = Field(default=None, examples=["shop-prod-web-task"])
    """The role that the containers have, by name: `<prefix>-<service>-task`."""
    ecs_service: Text | None = Field(default=None, examples=["shop-prod-web"])
    """The ECS service, by name: `<prefix>-<service>`, in the environment's cluster."""


class Service(Container):
    """One ECS service.

    Its keys say of what kind it is: `public`, or with a `port` for other services, or without one a worker; with
    `schedule` a task that is started at times, with `run_before` one that is run once before services are updated.
    """

    build: Build | None = None
    """Builds the image from this repository. Either this or `image`."""
    port: PortNumber | None = Field(default=None, examples=[8080])
    """TCP port that the container listens on; it is told by the variable `PORT`."""
    ports: Mapping[PortName, Annotated[Port, Short("container_port")]] = Field(
        default=NOTHING, examples=[{"admin": 9090, "dns": {"container_port": 53, "protocol": "udp"}}]
    )
    """More ports, by name."""
    public: Boolean = False
    """Reachable from the internet on its port."""
    ingress: Ingress | None = None
    """What the environment's load balancer sends here; left out, for a `public` service: everything."""
    calls: Annotated[tuple[Annotated[Callee, Short("service")], ...], Listed] = Field(
        default=(),
        examples=[["orders", {"service": "stock", "port": "admin"}, {"host": "api.example.com", "port": 443}]],
    )
    """Whom this one calls: each service gives it the variable `<CALLEE>_URL`, and each call opens the port to it."""
    cpu: Integer = Field(default=256, examples=[256, 512, 1024])
    """CPU units; 1024 are one vCPU."""
    memory: Integer = Field(default=512, examples=[512, 1024, 2048])
    """MiB, one of the sizes that Fargate has for the `cpu`."""
    ephemeral_storage: Annotated[Integer, Field(ge=21, le=200)] | None = None
    """GiB of storage that a task has and loses; left out: Fargate's 20."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """The processors that the image is built for and runs on."""
    desired_count: Count = 1
    """Tasks that run, where there is no autoscaling."""
    autoscaling: Autoscaling | None = Field(default=None, examples=[{"min": 2, "max": 10, "cpu": 60}])
    """How the number of tasks follows the load; instead of `desired_count`."""
    capacity_providers: Mapping[Literal["FARGATE", "FARGATE_SPOT"], Annotated[CapacityProvider, Short("weight")]] = (
        Field(
            default=Constant({"FARGATE": CapacityProvider(weight=1)}),
            examples=[{"FARGATE": {"weight": 1, "base": 2}, "FARGATE_SPOT": 3}],
        )
    )
    """Which share of the tasks each runs; left out: FARGATE all. Spot is cheaper and may be taken away."""
    deployment: Deployment = Deployment()
    """How new tasks take the place of old ones."""
    schedule: Annotated[Schedule, Short("expression")] | None = Field(default=None, examples=["cron(0 3 * * ? *)"])
    """Starts a task at these times, instead of keeping tasks running."""
    run_before: Names = Field(default=(), examples=[["orders"]])
    """Runs a task once, to its end, before these services are updated: a migration. It runs again when anything of it
    changes, and where it fails the apply ends there. It is in the stack `tasks`, and in no `group`."""
    volumes: Mapping[PartName, Annotated[Volume, Short("container_path")]] = Field(
        default=NOTHING,
        examples=[
            {
                "scratch": "/var/scratch",
                "data": {"container_path": "/data", "efs": {"file_system_id": "fs-0123456789abcdef0"}},
            }
        ],
    )
    """Folders that are kept on EFS or shared with sidecars, by name."""
    sidecars: Mapping[PartName, Sidecar] = NOTHING
    """Containers that run beside the service's own, by name."""
    logs: Logs = Logs()
    """Where what the containers print goes."""
    task_role: TaskRole = TaskRole()
    """What the service may do with AWS; left out: nothing."""
    exec: Boolean = False
    """Whether ECS Exec may open a shell in its containers; that needs `read_only: false`."""
    discovery: Discovery = Discovery()
    """Its DNS record."""
    service_connect: ServiceConnect | None = None
    """Its place in Service Connect."""
    tags: Mapping[TagKey, TagValue] = Field(default=NOTHING, examples=[{"team": "orders"}])
    """Tags of its resources, over the environment's."""
    group: StackName | None = None
    """The stack that it is in; left out: `services`. What a service has goes with it only as docs/upgrading.md says."""
    renamed_from: Annotated[tuple[ServiceName, ...], Alone()] = Field(default=(), examples=["shop", ["shop", "front"]])
    """Its name before, or its names, the first one first. AWS renames nothing: its resources and its DNS name keep the
    first one, so that nothing is made anew. It stays for as long as the service does."""
    adopt: AdoptedOfService = AdoptedOfService()
    """What of it exists already."""

    @property
    def callees(self) -> tuple[str, ...]:
        """The services of this catalog that it calls."""
        return tuple(call.service for call in self.calls if call.service is not None and call.namespace is None)

    @property
    def health_command(self) -> tuple[str, ...]:
        """The health check as ECS has it: `CMD` or `CMD-SHELL`, and what is run; empty without one.

        The command for a path asks 127.0.0.1: `localhost` may be IPv6 first, where most servers do not listen.
        """
        check = self.health_check
        if check is None or check.command is not None:
            return super().health_command
        url = shlex.quote(f"http://127.0.0.1:{self.port}{check.path}")
        return ("CMD-SHELL", f"curl -fsS -o /dev/null {url} || wget -q -O /dev/null {url} || exit 1")

    @property
    def beside(self) -> Mapping[str, Sidecar]:
        """The containers beside the service's own: its sidecars and, with `logs.routing`, the log router."""
        router = {LOG_ROUTER: Sidecar(image=LOG_ROUTER_IMAGE)} if self.logs.routing else {}
        return router | dict(self.sidecars)

    @property
    def connect_port(self) -> int | None:
        """The port that it offers in Service Connect, if it offers any."""
        name = self.service_connect.port if self.service_connect is not None else None
        return self.ports[name].container_port if name is not None else self.port

    @property
    def is_task(self) -> bool:
        """Whether its tasks run to their end, instead of being kept running."""
        return self.schedule is not None or bool(self.run_before)


Services: TypeAlias = Mapping[str, Service]
"""Services by name."""
