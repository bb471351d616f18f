"""What an environment is once its catalog is read: frozen models that the rest of the library works from.

Keys are ECS's and Terraform's own words. Every default here is also the default of the module variable of the same
name; a test holds the two together.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict

SUBNET_PREFIX = 24
"""Every subnet is a /24: 251 addresses, one for each task."""

LOG_RETENTION_IN_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The retentions that CloudWatch Logs has: API reference, PutRetentionPolicy."""

_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))  # RFC 1918


def _text(value: Any) -> Any:  # noqa: ANN401 - anything that YAML can hold
    """Reads a number or a boolean as the text that it was written as: the reader loses nothing of them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def _unchanging(value: str) -> str:
    """Refuses what does not arrive as it was: no process takes NUL, and Terraform composes accents (UAX 15)."""
    if "\0" in value:
        raise ValueError("text without NUL characters is expected")
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError("text is expected whose accents are composed (Unicode's NFC): Terraform would change this")
    return value


def _listed(value: Any) -> Any:  # noqa: ANN401 - anything that YAML can hold
    return tuple(value) if isinstance(value, list) else value


def _matching(pattern: str, expectation: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(expectation)
        return value

    return AfterValidator(check)


def _vpc_cidr(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError:
        raise ValueError("an IPv4 network is expected, such as 10.0.0.0/16") from None
    private = any(map(network.subnet_of, _PRIVATE))
    if not private or not 16 <= network.prefixlen <= SUBNET_PREFIX - 3:  # noqa: PLR2004 - AWS's /16
        raise ValueError(f"a private IPv4 network from /16 (AWS's largest) to /{SUBNET_PREFIX - 3} is expected")
    return value


def _retention(value: int) -> int:
    if value not in LOG_RETENTION_IN_DAYS:
        raise ValueError(f"CloudWatch Logs has these retentions: {', '.join(map(str, LOG_RETENTION_IN_DAYS))}")
    return value


def _relative_path(value: str) -> str:
    if value.startswith("/") or ".." in value.split("/") or not re.fullmatch(r"[\w./-]+", value, re.ASCII):
        raise ValueError("a path inside this repository is expected, of letters, digits and . _ - /")
    return value


Text = Annotated[str, BeforeValidator(_text), AfterValidator(_unchanging)]
Integer = Annotated[int, Strict()]
Boolean = Annotated[bool, Strict()]
Path = Annotated[Text, AfterValidator(_relative_path)]
Command = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1)]

# A DNS label (RFC 1035), in lower case and with no digit in front: it becomes part of a variable's name too.
ServiceName = Annotated[
    str,
    _matching(
        r"[a-z]([a-z0-9]|-(?!-)){0,38}(?<!-)", "lower-case letters, digits and single hyphens are expected, 40 at most"
    ),
]
ApplicationName = Annotated[
    Text,
    _matching(
        r"[a-z]([a-z0-9]|-(?!-)){0,23}(?<!-)", "lower-case letters, digits and single hyphens are expected, 24 at most"
    ),
]
# What ECR (lower case, single separators) and IAM both take.
NamePrefix = Annotated[
    Text,
    _matching(
        r"(?=.{1,40}$)[a-z][a-z0-9]*([_-][a-z0-9]+)*", "lower-case words joined by - or _ are expected, 40 at most"
    ),
]
VariableName = Annotated[
    str, _matching(r"[A-Za-z_][A-Za-z0-9_]*", "letters, digits and _ are expected, not beginning with a digit")
]
# EC2's tag rules, the strictest: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
TagKey = Annotated[
    str,
    _matching(
        r"(?!(?i:aws:))[\w .:/=+@-]{1,128}",
        "a tag key has 1 to 128 letters, digits, spaces and . : / = + - @ _, and no aws: in front",
    ),
]
TagValue = Annotated[
    Text, _matching(r"[\w .:/=+@-]{0,256}", "a tag value has up to 256 letters, digits, spaces and . : / = + - @ _")
]
Domain = Annotated[
    Text,
    _matching(
        r"(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        "a DNS domain of two labels or more is expected, such as dev.shop.internal",
    ),
]
# An absolute path and perhaps a query, of RFC 3986's characters.
UrlPath = Annotated[
    Text,
    _matching(
        r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,1023}",
        "a path is expected that begins with / and has only a URL's characters, 1024 at most, such as /healthz",
    ),
]


def url_variable(callee: str) -> str:
    """The name of the environment variable that carries a callee's URL."""
    return f"{callee.upper().replace('-', '_')}_URL"


class Entry(BaseModel):
    """A mapping of the catalog: frozen, and refusing keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Build(Entry):
    """How a service's image is built."""

    context: Path
    """Folder of the build context, from the repository's root."""
    dockerfile: Path = "Dockerfile"
    """The Dockerfile, from the context."""
    args: Mapping[VariableName, Text] = {}
    """Build arguments, which the Dockerfile takes with ARG. Nothing secret: they are committed and shown."""


class HealthCheck(Entry):
    """The container's health check; ECS ignores the image's own."""

    command: Command
    """The program and its arguments, run without a shell; exit status 0 is healthy."""
    interval: Annotated[Integer, Field(ge=5, le=300)] = 30
    """Seconds between two checks."""
    timeout: Annotated[Integer, Field(ge=2, le=60)] = 5
    """Seconds that one check may take."""
    retries: Annotated[Integer, Field(ge=1, le=10)] = 3
    """Failures in a row that make the task unhealthy."""
    start_period: Annotated[Integer, Field(ge=0, le=300)] = 10
    """Seconds after the start in which failures do not count."""
    path: UrlPath | None = Field(default=None, exclude=True)  # no part of what the module takes
    """The HTTP path that answers 2xx or 3xx when the service is well; `invoke smoke` asks it."""


class Autoscaling(Entry):
    """Target tracking on the service's average CPU."""

    min: Annotated[Integer, Field(ge=0, le=5000)]
    """Fewest tasks."""
    max: Annotated[Integer, Field(ge=1, le=5000)]
    """Most tasks."""
    cpu: Annotated[Integer, Field(ge=10, le=90)] = 60
    """Average CPU that is kept, in percent."""


class Service(Entry):
    """One ECS service."""

    build: Build | None = None
    """Builds the image from this repository. Either this or `image`."""
    image: (
        Annotated[Text, _matching(r"[\w][\w./:@-]{0,500}", "an image reference is expected, such as nginx:1.29")] | None
    ) = None
    """An image that is built elsewhere."""
    command: Command | None = None
    """Replaces the image's command."""
    port: Annotated[Integer, Field(ge=1, le=65535)] | None = None
    """TCP port that the container listens on; it is told by the variable PORT."""
    public: Boolean = False
    """Reachable from the internet on its port."""
    calls: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = ()
    """Services that this one calls: each gives it the variable <CALLEE>_URL and opens the callee's port to it."""
    environment: Mapping[VariableName, Text] = {}
    """Environment variables. Nothing secret: they are committed and shown."""
    health_check: HealthCheck | None = None
    cpu: Integer = 256
    """CPU units; 1024 are one vCPU."""
    memory: Integer = 512
    """MiB."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    desired_count: Annotated[Integer, Field(ge=0, le=5000)] = 1
    """Tasks that run, where there is no autoscaling."""
    autoscaling: Autoscaling | None = None


class Network(Entry):
    """The VPC."""

    cidr: Annotated[Text, AfterValidator(_vpc_cidr)] = "10.0.0.0/16"


class State(Entry):
    """Where Terraform keeps its state."""

    bucket: Annotated[
        Text,
        _matching(
            r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "a bucket name has 3 to 63 lower-case letters, digits and hyphens"
        ),
    ]


class PolicyException(Entry):
    """A finding that is accepted."""

    rule: Text
    """The rule's id, such as FF001."""
    address: Text
    """The resource's address in its stack; `*` stands for any characters."""
    reason: Annotated[Text, Field(min_length=10)]
    """Why it is accepted, for the reviewer."""


class Environment(Entry):
    """One environment: the catalog with the environment's own YAML laid over it."""

    name: ServiceName
    """The folder in `envs/`; not a key of the YAML."""
    application: ApplicationName
    account: Annotated[Text, _matching(r"[0-9]{12}", "the AWS account's 12 digits are expected")]
    """AWS account; Terraform refuses to work in any other."""
    region: Annotated[Text, _matching(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region is expected, such as ap-northeast-1")]
    zones: Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=2, max_length=6)]
    """Availability zones, one public subnet in each."""
    emulator: Boolean = False
    """Runs against the emulator on this machine, never against AWS."""
    name_prefix: NamePrefix | None = None
    """Begins every resource's name. Left out: `<application>-<name>`."""
    namespace: Domain | None = None
    """Private DNS namespace. Left out: `<name>.<application>.internal`."""
    network: Network = Network()
    security: Literal["edges", "shared"] = "edges"
    """`edges`: a security group for each service, opened by `calls` alone. `shared`: one group for all services."""
    container_insights: Literal["enhanced", "enabled", "disabled"] = "enabled"
    log_retention_in_days: Annotated[Integer, AfterValidator(_retention)] = 365
    tags: Mapping[TagKey, TagValue] = {}
    """Set on every resource, over `application` and `environment`."""
    state: State | None = None
    """Left out: the bucket `<application>-<name>-tfstate-<account>`."""
    exceptions: Annotated[tuple[PolicyException, ...], BeforeValidator(_listed)] = ()
    services: Annotated[Mapping[ServiceName, Service], Field(min_length=1)]

    @property
    def prefix(self) -> str:
        """What every resource's name begins with."""
        return self.name_prefix or f"{self.application}-{self.name}"

    @property
    def state_bucket(self) -> str:
        """The S3 bucket that holds the state of this environment's stacks."""
        return self.state.bucket if self.state else f"{self.application}-{self.name}-tfstate-{self.account}"
