"""The containers of a task: the service's own and its sidecars."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from fleetform.catalog.types import (
    EMPTY,
    AccessPointId,
    Boolean,
    CatalogModel,
    Command,
    ContainerPath,
    FileSystemId,
    Image,
    Integer,
    Parameter,
    PartName,
    PortNumber,
    Protocol,
    SecretName,
    ShortForm,
    Text,
    UrlPath,
    User,
    VariableName,
)


class HealthCheck(CatalogModel):
    """The container's health check. ECS ignores the image's `HEALTHCHECK`."""

    command: Command | None = Field(default=None, examples=[["curl", "-f", "http://localhost:8080/healthz"]])
    """Program and arguments, run without a shell. Exit status 0 means healthy. Default with a `path`: a
    request for the path with curl or wget, one of which the image must contain."""
    interval: Annotated[Integer, Field(ge=5, le=300)] = 30
    """Seconds between checks."""
    timeout: Annotated[Integer, Field(ge=2, le=60)] = 5
    """Seconds after which a check fails."""
    retries: Annotated[Integer, Field(ge=1, le=10)] = 3
    """Consecutive failures that make the task unhealthy."""
    start_period: Annotated[Integer, Field(ge=0, le=300)] = 10
    """Seconds after the start during which failures do not count."""
    path: UrlPath | None = Field(default=None, examples=["/healthz"])
    """HTTP path that returns 2xx or 3xx when the service is healthy. `smoke` requests it too."""


class Ulimit(CatalogModel):
    """An operating system limit."""

    soft_limit: Annotated[Integer, Field(ge=0, le=1048576)]
    """The limit that the process starts with."""
    hard_limit: Annotated[Integer, Field(ge=0, le=1048576)]
    """The highest limit that the process may set."""


class Secret(CatalogModel):
    """Where a secret is stored: `parameter`, or `secret` and maybe `json_key`. Short form: `parameter`."""

    parameter: Parameter | None = Field(default=None, examples=["/shop/db/password"])
    """SSM parameter, by name or ARN."""
    secret: SecretName | None = Field(default=None, examples=["shop/db"])
    """Secrets Manager secret, by name or ARN."""
    json_key: Annotated[Text, Field(min_length=1)] | None = Field(default=None, examples=["password"])
    """The key to read from a secret that is a JSON object."""


class Port(CatalogModel):
    """A port that a container listens on. Short form: the `container_port`."""

    container_port: PortNumber
    """Port number."""
    protocol: Protocol = "tcp"
    """Transport protocol."""
    app_protocol: Literal["http", "http2", "grpc"] | None = None
    """Application protocol, which lets Service Connect collect metrics and retry requests."""


Condition = Literal["start", "complete", "success", "healthy"]
"""ECS's container conditions: started, ended, ended with exit status 0, healthy."""


class Container(CatalogModel):
    """The keys that all containers of a task share."""

    image: Image | None = Field(default=None, examples=["public.ecr.aws/nginx/nginx:1.29"])
    """An existing image. Pin a tag or, better, a digest. Either this or `build`."""
    command: Command | None = Field(default=None, examples=[["serve", "--port", "8080"]])
    """Replaces the image's command."""
    entry_point: Command | None = Field(default=None, examples=[["/bin/app"]])
    """Replaces the image's entry point."""
    user: User | None = Field(default=None, examples=["1000", "app:app"])
    """User, and optionally group, that runs the container. Default: the image's user."""
    read_only: Boolean = True
    """Whether the root file system is read-only."""
    environment: Mapping[VariableName, Text] = Field(default=EMPTY, examples=[{"LOG_LEVEL": "info"}])
    """Environment variables. They are committed and visible, so put no secrets here."""
    secrets: Mapping[VariableName, Annotated[Secret, ShortForm("parameter")]] = Field(
        default=EMPTY,
        examples=[{"API_KEY": "/shop/api-key", "DB_PASSWORD": {"secret": "shop/db", "json_key": "password"}}],
    )
    """Environment variables whose values are in SSM or Secrets Manager. ECS reads them when a task starts."""
    health_check: HealthCheck | None = None
    """How ECS checks that the container is healthy."""
    stop_timeout: Annotated[Integer, Field(ge=2, le=120)] = (
        30  # Fargate's maximum: API reference, ContainerDefinition
    )
    """Seconds between SIGTERM and SIGKILL when the container stops."""
    ulimits: Mapping[Literal["nofile"], Ulimit] = Field(  # Fargate has no other: API reference, Ulimit
        default=EMPTY, examples=[{"nofile": {"soft_limit": 65535, "hard_limit": 65535}}]
    )
    """Operating system limits. Fargate supports only `nofile`, the number of open files."""
    depends_on: Mapping[PartName, Condition] = Field(default=EMPTY, examples=[{"proxy": "healthy"}])
    """Sidecars to wait for, and the condition to wait for: `start` (running), `complete` (ended), `success`
    (ended with exit status 0) or `healthy`."""

    @property
    def health_command(self) -> tuple[str, ...]:
        """The health check in ECS's form: `CMD` or `CMD-SHELL` and the command, or nothing."""
        check = self.health_check
        return ("CMD", *check.command) if check is not None and check.command is not None else ()


LOG_ROUTER = "log_router"
"""Name of the container that routes logs."""

LOG_ROUTER_IMAGE = "public.ecr.aws/aws-observability/aws-for-fluent-bit:3.4.16"
"""Image of the log router, unless a sidecar of the same name replaces it."""


class EfsVolume(CatalogModel):
    """An EFS file system to mount as a volume."""

    file_system_id: FileSystemId
    """ID of the file system."""
    root_directory: ContainerPath = "/"
    """Directory of the file system to mount."""
    access_point_id: AccessPointId | None = None
    """Access point to mount through, which sets the directory and the user."""
    iam: Boolean = False
    """Whether to mount with the task role's IAM permissions."""


class Volume(CatalogModel):
    """A directory in the service's container, which sidecars may share. Short form: the `container_path`."""

    container_path: ContainerPath
    """Mount path in the service's container."""
    read_only: Boolean = False
    """Whether the mount is read-only for the service's container."""
    efs: EfsVolume | None = None
    """EFS file system to mount. Default: the task's own storage, which is deleted with the task."""


class Sidecar(Container):
    """A container that runs next to the service's own, in the same task."""

    image: Image = Field(examples=["public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"])
    """Image. Pin a tag or, better, a digest."""
    ports: Mapping[PartName, Annotated[Port, ShortForm("container_port")]] = EMPTY
    """Ports that the container listens on, by name."""
    essential: Boolean = True
    """Whether the task stops when this container ends."""
    cpu: Annotated[Integer, Field(ge=0, le=16384)] = 0
    """CPU units of the task that are reserved for this container."""
    memory: Annotated[Integer, Field(ge=6)] | None = (
        None  # Docker's minimum: API reference, ContainerDefinition
    )
    """MiB of the task's memory that this container may use."""
    mounts: Mapping[PartName, ContainerPath] = Field(default=EMPTY, examples=[{"scratch": "/var/scratch"}])
    """The service's volumes, by name, and their mount paths in this container."""
