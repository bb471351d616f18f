"""A service of the catalog."""

import shlex
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from fleetform.catalog.constants import DOCKERFILE
from fleetform.catalog.container import LOG_ROUTER, LOG_ROUTER_IMAGE, Container, Port, Sidecar, Volume
from fleetform.catalog.types import (
    EMPTY,
    AsTuple,
    Boolean,
    CatalogModel,
    Cidr,
    Count,
    DiscoveryServiceId,
    Domain,
    FixedMapping,
    HostPattern,
    Integer,
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
    ShortForm,
    Sid,
    SingleOrList,
    StackName,
    TagKey,
    TagValue,
    Text,
    TimeZone,
    VariableName,
)

TextList = Annotated[tuple[Text, ...], AsTuple]
_TextList = Annotated[tuple[Text, ...], AsTuple, Field(min_length=1)]


def url_variable(callee: str) -> str:
    """Return the environment variable that holds a callee's URL."""
    return f"{callee.upper().replace('-', '_')}_URL"


class Build(CatalogModel):
    """How to build a service's image."""

    context: Path = Field(examples=["containers"])
    """Build context, relative to the repository's root."""
    dockerfile: Path = DOCKERFILE
    """Dockerfile, relative to the context."""
    args: Mapping[VariableName, Text] = Field(default=EMPTY, examples=[{"VERSION": "1.10"}])
    """Build arguments, which the Dockerfile reads with `ARG`. They are committed and visible, so put no
    secrets here."""


class CallTarget(CatalogModel):
    """What a service calls. Short form: the `service`. An external network or host needs a `port`."""

    service: Text | None = Field(default=None, examples=["orders"])
    """Service to call. It may be the caller itself, so that its tasks can reach each other."""
    port: PortReference | None = Field(default=None, examples=["admin", 443])
    """Name of one of the service's `ports`, or the port number of an external target. Default: the service's
    `port`."""
    namespace: Domain | None = Field(default=None, examples=["prod.bank.internal"])
    """Private DNS namespace, for a service of another application. Needs the `cidr` of that application's
    VPC, which must be peered with this one or be the same."""
    host: Domain | None = Field(default=None, examples=["api.example.com"])
    """External host. Security groups cannot match names, so without a `cidr` the port is open to any
    address."""
    cidr: Cidr | None = Field(default=None, examples=["192.0.2.0/24"])
    """External network. With `host` or `namespace`, the network that contains the target."""
    protocol: Protocol = "tcp"
    """Protocol of an external target. The port of a service sets its own."""
    variable: VariableName | None = Field(default=None, examples=["PAYMENTS_URL"])
    """Environment variable that holds the URL. Default: `<SERVICE>_URL`, or `<SERVICE>_<PORT>_URL` for a
    named port; none for an external target. The value is `http://name:port` for a service, `https://name` for
    external port 443, `http://name` for external port 80, and `name:port` for any other port of a host and
    for UDP."""

    @property
    def url_variable(self) -> str | None:
        """The environment variable that holds the URL, if there is one."""
        if self.variable is not None or self.service is None:
            return self.variable
        return url_variable(f"{self.service}-{self.port}" if isinstance(self.port, str) else self.service)


class Ingress(CatalogModel):
    """The requests that the environment's load balancer forwards to a service."""

    paths: Annotated[tuple[PathPattern, ...], AsTuple] = Field(default=(), examples=[["/api/*"]])
    """Paths to forward; `*` and `?` are wildcards. Default: any path."""
    hosts: Annotated[tuple[HostPattern, ...], AsTuple] = Field(default=(), examples=[["shop.example.com"]])
    """Hosts to forward. Default: any host."""
    port: PortName | None = None
    """Name of one of the `ports`. Default: `port`."""
    priority: Annotated[Integer, Field(ge=1, le=50000)] | None = None
    """Priority of the rule; the lowest number is tried first. Default: the most specific rule comes first,
    with an exact host before `*.`, then longer paths before shorter ones."""
    deregistration_delay: Annotated[Integer, Field(ge=0, le=3600)] = 30
    """Seconds that a stopping task may still answer requests."""


class Schedule(CatalogModel):
    """When to start a task. Short form: the `expression`."""

    expression: ScheduleExpression = Field(examples=["cron(0 3 * * ? *)", "rate(1 hour)"])
    """EventBridge Scheduler expression: `cron(minutes hours day-of-month month day-of-week year)`,
    `rate(...)` or `at(...)`."""
    time_zone: TimeZone = "UTC"
    """Time zone of the expression."""
    retries: Annotated[Integer, Field(ge=0, le=185)] = 3
    """Number of retries after a failed start."""
    maximum_event_age: Annotated[Integer, Field(ge=60, le=86400)] = 3600
    """Seconds after which a failed start is not retried."""


class ScheduledBounds(CatalogModel):
    """Bounds of the number of tasks, starting at a scheduled time."""

    expression: ScheduleExpression = Field(examples=["cron(0 8 ? * MON-FRI *)"])
    """When the bounds take effect: `at(...)`, `cron(...)` or `rate(...)`."""
    time_zone: TimeZone = "UTC"
    """Time zone of the expression."""
    min: Count
    """Minimum number of tasks."""
    max: Count
    """Maximum number of tasks."""


class Autoscaling(CatalogModel):
    """Target tracking: ECS runs as many tasks as needed to keep each metric near its target."""

    min: Count
    """Minimum number of tasks."""
    max: Annotated[Integer, Field(ge=1, le=5000)]
    """Maximum number of tasks."""
    cpu: Percent = 60
    """Target for the average CPU, in percent."""
    memory: Percent | None = None
    """Target for the average memory, in percent."""
    requests_per_target: Annotated[Integer, Field(ge=1)] | None = None
    """Target for the requests per minute to each task. Needs the environment's load balancer."""
    schedule: Mapping[PartName, ScheduledBounds] = EMPTY
    """Different bounds at scheduled times, by names that you choose. Each entry applies until the next one;
    `min` and `max` apply until the first."""


class CapacityProvider(CatalogModel):
    """A capacity provider's share of the tasks. Short form: the `weight`."""

    weight: Annotated[Integer, Field(ge=0, le=1000)]
    """Share of the tasks, relative to the other weights."""
    base: Annotated[Integer, Field(ge=0, le=100000)] = 0
    """Number of tasks to run here before weights apply. Only one provider may have a base."""


class Deployment(CatalogModel):
    """How new tasks replace old ones."""

    minimum_healthy_percent: Annotated[Integer, Field(ge=0, le=100)] = 100
    """Minimum number of healthy tasks during a deployment, in percent of the desired count."""
    # ECS allows 100 too, but rebalancing between zones, which is on, needs more.
    maximum_percent: Annotated[Integer, Field(ge=101, le=200)] = 200
    """Maximum number of tasks during a deployment, in percent of the desired count."""
    circuit_breaker: Boolean = True
    """Whether ECS stops the deployment and rolls back when new tasks do not become healthy."""
    alarms: TextList = Field(default=(), examples=[["shop-prod-errors"]])
    """CloudWatch alarms, by name, that also roll back a deployment. Removing all of them at once leaves them
    in force, because Terraform's provider cannot send an empty list; `verify` reports it."""
    wait_for_steady_state: Boolean = True
    """Whether an apply waits for the new tasks to run, and fails if they do not."""


class Logs(CatalogModel):
    """Where the output of the containers goes."""

    retention_in_days: LogRetention | None = None
    """Days to keep the logs. Default: the environment's `log_retention_in_days`."""
    mode: Literal["blocking", "non-blocking"] = "blocking"
    """What happens when output cannot be delivered: the container waits (`blocking`), or output is lost
    (`non-blocking`)."""
    max_buffer_size_mib: Annotated[Integer, Field(ge=1, le=1024)] | None = None
    """MiB to buffer in `non-blocking` mode before output is lost."""
    routing: Mapping[Text, Text] = Field(
        default=EMPTY, examples=[{"Name": "kinesis_firehose", "delivery_stream": "shop"}]
    )
    """Options of a FireLens output of Fluent Bit, which receives the logs instead of CloudWatch Logs. A
    container named `log_router` is added for it, unless a sidecar of that name replaces it."""


class PolicyCondition(CatalogModel):
    """A condition of an IAM policy statement."""

    test: Annotated[Text, Field(min_length=1)] = Field(examples=["StringEquals"])
    """IAM condition operator."""
    variable: Annotated[Text, Field(min_length=1)] = Field(examples=["s3:prefix"])
    """IAM condition key."""
    values: _TextList = Field(examples=[["orders/"]])
    """Values to compare the key with."""


class Statement(CatalogModel):
    """A statement of an IAM policy."""

    sid: Sid | None = Field(default=None, examples=["ReadOrders"])
    """Statement ID."""
    effect: Literal["allow", "deny"] = "allow"
    """Whether the statement allows or denies the actions."""
    actions: _TextList = Field(examples=[["s3:GetObject"]])
    """IAM actions."""
    resources: _TextList = Field(examples=[["arn:aws:s3:::shop-orders/*"]])
    """Resources, by ARN."""
    conditions: Annotated[tuple[PolicyCondition, ...], AsTuple] = ()
    """Conditions, all of which must be met."""


class TaskRole(CatalogModel):
    """The permissions of a service's containers on AWS."""

    statements: Annotated[tuple[Statement, ...], AsTuple] = ()
    """Statements of the role's inline policy."""
    policies: Annotated[tuple[PolicyArn, ...], AsTuple] = ()
    """Managed policies, by ARN."""


class Discovery(CatalogModel):
    """The service's DNS record in Cloud Map."""

    record_type: Literal["A", "SRV"] = "A"
    """`A`: the addresses of the tasks. `SRV`: the names and ports of the tasks; callers get
    `http+srv://<name>` without a port and must look up the record."""
    ttl: Annotated[Integer, Field(ge=0, le=2147483647)] = 10
    """Seconds that callers may cache an address. After that they stop using a stopped task's address."""


class ServiceConnect(CatalogModel):
    """The service in ECS Service Connect, in environments with `discovery: service_connect`."""

    port: PortName | None = None
    """Name of one of the `ports`. Default: `port`."""
    alias: ServiceName | None = None
    """Name that callers use. Default: the service's name."""
    idle_timeout: Annotated[Integer, Field(ge=0)] | None = None
    """Seconds after which an idle connection is closed; 0 means never."""
    request_timeout: Annotated[Integer, Field(ge=0)] | None = None
    """Seconds after which a request fails; 0 means never."""


class AdoptedServiceResources(CatalogModel):
    """Existing resources of a service, which Terraform imports instead of creating them.

    AWS cannot rename them, so each must already have the name that Fleetform would give it.
    """

    repository: Text | None = Field(default=None, examples=["shop-prod-web"])
    """ECR repository, by name: `<prefix>-<service>`."""
    discovery_service: DiscoveryServiceId | None = Field(default=None, examples=["srv-0123456789abcdef"])
    """Cloud Map service, by ID. It has the service's name and is in the environment's namespace."""
    log_group: Text | None = Field(default=None, examples=["/ecs/shop-prod-web"])
    """Log group, by name: `/ecs/<prefix>-<service>`."""
    execution_role: Text | None = Field(default=None, examples=["shop-prod-web-execution"])
    """Role that ECS starts tasks with, by name: `<prefix>-<service>-execution`."""
    task_role: Text | None = Field(default=None, examples=["shop-prod-web-task"])
    """Role of the containers, by name: `<prefix>-<service>-task`."""
    ecs_service: Text | None = Field(default=None, examples=["shop-prod-web"])
    """ECS service in the environment's cluster, by name: `<prefix>-<service>`. If it was created with a
    launch type, set `launch_type` too, because AWS cannot change that."""
    scalable_target: Boolean = False
    """Whether the ECS service has a scalable target already, which `autoscaling` takes over."""


class Service(Container):
    """One ECS service.

    Its keys determine its kind. `public` makes it reachable from the internet, a `port` makes it reachable
    for other services, and without a port it is a worker. With `schedule` it is a scheduled task, and with
    `run_before` a task that runs once before services are updated.
    """

    build: Build | None = None
    """How to build the image from this repository. Either this or `image`."""
    port: PortNumber | None = Field(default=None, examples=[8080])
    """TCP port that the container listens on. The container gets it in the variable `PORT`."""
    ports: Mapping[PortName, Annotated[Port, ShortForm("container_port")]] = Field(
        default=EMPTY, examples=[{"admin": 9090, "dns": {"container_port": 53, "protocol": "udp"}}]
    )
    """Additional ports, by name."""
    public: Boolean = False
    """Whether the service is reachable from the internet on its port."""
    ingress: Ingress | None = None
    """The requests that the environment's load balancer forwards to the service. Default for a `public`
    service: all."""
    calls: Annotated[tuple[Annotated[CallTarget, ShortForm("service")], ...], AsTuple] = Field(
        default=(),
        examples=[
            ["orders", {"service": "stock", "port": "admin"}, {"host": "api.example.com", "port": 443}]
        ],
    )
    """What this service calls. Each called service adds the variable `<CALLEE>_URL`, and each call opens the
    callee's port to this service."""
    cpu: Integer = Field(default=256, examples=[256, 512, 1024])
    """CPU units; 1024 units are one vCPU."""
    memory: Integer = Field(default=512, examples=[512, 1024, 2048])
    """Memory in MiB: one of the sizes that Fargate offers for the `cpu`."""
    ephemeral_storage: Annotated[Integer, Field(ge=21, le=200)] | None = None
    """Temporary storage of each task, in GiB. Default: Fargate's 20."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """CPU architecture that the image is built for and runs on."""
    desired_count: Count = 1
    """Number of tasks to run, without autoscaling."""
    autoscaling: Autoscaling | None = Field(default=None, examples=[{"min": 2, "max": 10, "cpu": 60}])
    """How the number of tasks follows the load, instead of `desired_count`."""
    capacity_providers: Mapping[
        Literal["FARGATE", "FARGATE_SPOT"], Annotated[CapacityProvider, ShortForm("weight")]
    ] = Field(
        default=FixedMapping({"FARGATE": CapacityProvider(weight=1)}),
        examples=[{"FARGATE": {"weight": 1, "base": 2}, "FARGATE_SPOT": 3}],
    )
    """Each capacity provider's share of the tasks. Default: all on FARGATE. FARGATE_SPOT is cheaper, but AWS
    may interrupt its tasks."""
    launch_type: Literal["FARGATE"] | None = None
    """The launch type of an adopted ECS service that has one, instead of `capacity_providers`. AWS cannot
    change it: adding or removing this key later replaces the service."""
    deployment: Deployment = Deployment()
    """How new tasks replace old ones."""
    schedule: Annotated[Schedule, ShortForm("expression")] | None = Field(
        default=None, examples=["cron(0 3 * * ? *)"]
    )
    """When to start a task, instead of keeping tasks running."""
    run_before: TextList = Field(default=(), examples=[["orders"]])
    """Runs a task once, to completion, before these services are updated, such as a database migration. It
    runs again when anything about it changes, and if it fails, the apply stops. It is in the stack `tasks`
    and has no `group`."""
    volumes: Mapping[PartName, Annotated[Volume, ShortForm("container_path")]] = Field(
        default=EMPTY,
        examples=[
            {
                "scratch": "/var/scratch",
                "data": {"container_path": "/data", "efs": {"file_system_id": "fs-0123456789abcdef0"}},
            }
        ],
    )
    """Directories on EFS or shared with sidecars, by name."""
    sidecars: Mapping[PartName, Sidecar] = EMPTY
    """Containers that run next to the service's own, by name."""
    logs: Logs = Logs()
    """Where the output of the containers goes."""
    task_role: TaskRole = TaskRole()
    """The permissions of the containers on AWS. Default: none."""
    exec: Boolean = False
    """Whether ECS Exec may open a shell in the containers. Needs `read_only: false`."""
    discovery: Discovery = Discovery()
    """The DNS record in Cloud Map."""
    service_connect: ServiceConnect | None = None
    """Settings for ECS Service Connect."""
    tags: Mapping[TagKey, TagValue] = Field(default=EMPTY, examples=[{"team": "orders"}])
    """Tags of the service's resources. They override the environment's."""
    group: StackName | None = None
    """Stack that the service is in. Default: `services`. To move existing resources, follow
    docs/upgrading.md."""
    renamed_from: Annotated[tuple[ServiceName, ...], SingleOrList()] = Field(
        default=(), examples=["shop", ["shop", "front"]]
    )
    """Previous name, or previous names from the first to the latest. AWS cannot rename resources, so they and
    the DNS name keep the first name and nothing is recreated. Keep this key for as long as the service
    exists."""
    adopt: AdoptedServiceResources = AdoptedServiceResources()
    """Existing resources to import."""

    def original_name(self, name: str) -> str:
        """Return the original name of the service that has a name now."""
        return (*self.renamed_from, name)[0]

    @property
    def callees(self) -> tuple[str, ...]:
        """The services of this catalog that the service calls."""
        return tuple(
            call.service for call in self.calls if call.service is not None and call.namespace is None
        )

    @property
    def health_command(self) -> tuple[str, ...]:
        """The health check in ECS's form: `CMD` or `CMD-SHELL` and the command; empty without a health check.

        The command for a path connects to 127.0.0.1, because `localhost` may resolve to IPv6, where most
        servers do not listen.
        """
        check = self.health_check
        if check is None or check.command is not None:
            return super().health_command
        url = shlex.quote(f"http://127.0.0.1:{self.port}{check.path}")
        return ("CMD-SHELL", f"curl -fsS -o /dev/null {url} || wget -q -O /dev/null {url} || exit 1")

    @property
    def containers(self) -> Mapping[tuple[str, ...], Container]:
        """The containers in the catalog, by the path to their keys: the service's own and its sidecars."""
        return {(): self} | {("sidecars", name): sidecar for name, sidecar in self.sidecars.items()}

    @property
    def other_containers(self) -> Mapping[str, Sidecar]:
        """The task's other containers: the sidecars and, with `logs.routing`, the log router."""
        router = {LOG_ROUTER: Sidecar(image=LOG_ROUTER_IMAGE)} if self.logs.routing else {}
        return router | dict(self.sidecars)

    @property
    def connect_port(self) -> int | None:
        """The port that the service offers in Service Connect, if any."""
        name = self.service_connect.port if self.service_connect is not None else None
        return self.ports[name].container_port if name is not None else self.port

    @property
    def listens(self) -> bool:
        """Whether the service listens on a port, so that it has a DNS name."""
        return self.port is not None or bool(self.ports)

    @property
    def is_task(self) -> bool:
        """Whether its tasks run to completion instead of being kept running."""
        return self.schedule is not None or bool(self.run_before)


Services: TypeAlias = Mapping[str, Service]
"""Services by name."""
