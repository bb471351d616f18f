"""A container of a task: the service's own, and those beside it."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from fleetform.catalog.types import (
    NOTHING,
    AccessPointId,
    Boolean,
    Command,
    ContainerPath,
    Entry,
    FileSystemId,
    Image,
    Integer,
    Parameter,
    PartName,
    PortNumber,
    Protocol,
    SecretName,
    Short,
    Text,
    UrlPath,
    User,
    VariableName,
)


class HealthCheck(Entry):
    """The container's health check; ECS ignores the image's own."""

    command: Command | None = Field(default=None, examples=[["curl", "-f", "http://localhost:8080/healthz"]])
    """The program and its arguments, run without a shell; exit status 0 is healthy. Left out, with a `path`: curl, or
    else wget, asks the service for the path; the image has to have one of them."""
    interval: Annotated[Integer, Field(ge=5, le=300)] = 30
    """Seconds between two checks."""
    timeout: Annotated[Integer, Field(ge=2, le=60)] = 5
    """Seconds that one check may take."""
    retries: Annotated[Integer, Field(ge=1, le=10)] = 3
    """Failures in a row that make the task unhealthy."""
    start_period: Annotated[Integer, Field(ge=0, le=300)] = 10
    """Seconds after the start in which failures do not count."""
    path: UrlPath | None = Field(default=None, exclude=True, examples=["/healthz"])  # no part of what the module takes
    """The HTTP path that answers 2xx or 3xx when the service is well; `invoke smoke` asks it."""


class Ulimit(Entry):
    """A limit of the operating system."""

    soft_limit: Annotated[Integer, Field(ge=0, le=1048576)]
    """What the process starts with."""
    hard_limit: Annotated[Integer, Field(ge=0, le=1048576)]
    """What it may raise it to."""


class Secret(Entry):
    """Where a secret is kept: `parameter`, or `secret` with perhaps a `json_key`. A name alone is a parameter's."""

    parameter: Parameter | None = Field(default=None, examples=["/shop/db/password"])
    """SSM parameter, by name or ARN."""
    secret: SecretName | None = Field(default=None, examples=["shop/db"])
    """Secret of Secrets Manager, by name or ARN."""
    json_key: Annotated[Text, Field(min_length=1)] | None = Field(default=None, examples=["password"])
    """The key whose value is taken, where the secret is a JSON object."""


class Port(Entry):
    """A port that a container listens on. A number alone is its `container_port`."""

    container_port: PortNumber
    """The port's number."""
    protocol: Protocol = "tcp"
    """Its protocol."""
    app_protocol: Literal["http", "http2", "grpc"] | None = None
    """What Service Connect takes the traffic for, so that it can measure and retry it."""


Condition = Literal["start", "complete", "success", "healthy"]
"""ECS's: started; ended; ended with exit status 0; healthy."""


class Container(Entry):
    """What the containers of a task have in common."""

    image: Image | None = Field(default=None, examples=["public.ecr.aws/nginx/nginx:1.29"])
    """An image that is built elsewhere; name its tag or, better, its digest."""
    command: Command | None = Field(default=None, examples=[["serve", "--port", "8080"]])
    """Replaces the image's command."""
    entry_point: Command | None = Field(default=None, examples=[["/bin/app"]])
    """Replaces the image's entry point."""
    user: User | None = Field(default=None, examples=["1000", "app:app"])
    """Who runs it, and perhaps in which group; left out: the image says."""
    read_only: Boolean = True
    """Its root file system cannot be written to."""
    environment: Mapping[VariableName, Text] = Field(default=NOTHING, examples=[{"LOG_LEVEL": "info"}])
    """Environment variables. Nothing secret: they are committed and shown."""
    secrets: Mapping[VariableName, Annotated[Secret, Short("parameter")]] = Field(
        default=NOTHING,
        examples=[{"API_KEY": "/shop/api-key", "DB_PASSWORD": {"secret": "shop/db", "json_key": "password"}}],
    )
    """Environment variables whose values are kept in SSM or Secrets Manager; ECS reads them when a task starts."""
    health_check: HealthCheck | None = None
    """How ECS tells whether it is well."""
    stop_timeout: Annotated[Integer, Field(ge=2, le=120)] = 30  # Fargate's most: API reference, ContainerDefinition
    """Seconds from SIGTERM to SIGKILL when it is stopped."""
    ulimits: Mapping[Literal["nofile"], Ulimit] = Field(  # Fargate has no other: API reference, Ulimit
        default=NOTHING, examples=[{"nofile": {"soft_limit": 65535, "hard_limit": 65535}}]
    )
    """Limits of the operating system; Fargate lets `nofile`, the number of open files, be set."""
    depends_on: Mapping[PartName, Condition] = Field(default=NOTHING, examples=[{"proxy": "healthy"}])
    """Sidecars that go before, and what they have to be by then: `start` (they run), `complete` (they have ended),
    `success` (with exit status 0), `healthy`."""

    @property
    def health_command(self) -> tuple[str, ...]:
        """The health check as ECS has it: `CMD` or `CMD-SHELL`, and what is run; empty without one."""
        check = self.health_check
        return ("CMD", *check.command) if check is not None and check.command is not None else ()


LOG_ROUTER = "log_router"
"""The container that output is routed through."""

LOG_ROUTER_IMAGE = "public.ecr.aws/aws-observability/aws-for-fluent-bit:3.4.16"
"""What it runs, unless a sidecar of its name says otherwise."""


class EfsVolume(Entry):
    """An EFS file system, of which a volume is made."""

    file_system_id: FileSystemId
    """The file system."""
    root_directory: ContainerPath = "/"
    """The folder of the file system that is mounted."""
    access_point_id: AccessPointId | None = None
    """The access point that it is mounted through; it sets the folder and the user."""
    iam: Boolean = False
    """Whether the task role says who may mount it."""


class Volume(Entry):
    """A folder in the service's container. A path alone is its `container_path`: a folder that sidecars may share."""

    container_path: ContainerPath
    """Where it is in the container."""
    read_only: Boolean = False
    """Whether the container may only read it."""
    efs: EfsVolume | None = None
    """The EFS file system that it is on; left out: the task's own storage, gone when the task is."""


class Sidecar(Container):
    """A container that runs beside the service's own, in the same task."""

    image: Image = Field(examples=["public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"])
    """Its image; name its tag or, better, its digest."""
    ports: Mapping[PartName, Annotated[Port, Short("container_port")]] = NOTHING
    """Ports that it listens on, by name."""
    essential: Boolean = True
    """Whether the task stops when it ends."""
    cpu: Annotated[Integer, Field(ge=0, le=16384)] = 0
    """CPU units of the task's that are kept for it."""
    memory: Annotated[Integer, Field(ge=6)] | None = None  # Docker's least: API reference, ContainerDefinition
    """MiB of the task's that it may use."""
    mounts: Mapping[PartName, ContainerPath] = Field(default=NOTHING, examples=[{"scratch": "/var/scratch"}])
    """Volumes of the service by name, and where they are in this container."""
