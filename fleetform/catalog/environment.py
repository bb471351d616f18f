"""An environment: the catalog with the environment's own YAML laid over it."""

from collections.abc import Mapping
from itertools import count
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr

from fleetform.catalog.constants import MIN_REASON_LENGTH
from fleetform.catalog.patterns import TextPattern
from fleetform.catalog.service import Service
from fleetform.catalog.types import (
    EMPTY,
    Account,
    ApplicationName,
    AsTuple,
    Boolean,
    Bucket,
    CatalogModel,
    Certificate,
    Cidr,
    Day,
    Domain,
    EndpointName,
    HostedZone,
    Integer,
    InternetGatewayId,
    KmsKey,
    LogRetention,
    NamePrefix,
    Namespace,
    NamespaceId,
    Percent,
    RoleArn,
    ServiceName,
    ShortForm,
    SingleOrList,
    SubnetId,
    TagKey,
    TagValue,
    Text,
    TopicArn,
    VpcCidr,
    VpcId,
    WebAcl,
)

Tags = Mapping[TagKey, TagValue]


class Vpc(CatalogModel):
    """An existing VPC and its subnets, each by ID or by tags."""

    id: VpcId | None = None
    """ID of the VPC."""
    tags: Tags = Field(default=EMPTY, examples=[{"Name": "shared"}])
    """Tags of the VPC, which must match only one VPC in the region."""
    public_subnets: Annotated[tuple[SubnetId, ...], AsTuple] = ()
    """Public subnets, one per zone, for load balancers and, with `subnets: public`, for tasks."""
    public_subnet_tags: Tags = Field(default=EMPTY, examples=[{"tier": "public"}])
    """Tags of the public subnets. All subnets of the VPC with these tags are used."""
    private_subnets: Annotated[tuple[SubnetId, ...], AsTuple] = ()
    """Private subnets, one per zone, for tasks."""
    private_subnet_tags: Tags = Field(default=EMPTY, examples=[{"tier": "private"}])
    """Tags of the private subnets. All subnets of the VPC with these tags are used."""


class Network(CatalogModel):
    """The VPC."""

    cidr: VpcCidr = "10.0.0.0/16"
    """CIDR block of the VPC. Public subnets are its /24s starting with the second, private subnets the /24s
    of its upper half."""
    subnets: Literal["public", "private"] = "public"
    """Where tasks run: in `public` subnets, each with its own public address, or in `private` subnets behind
    public ones."""
    nat: Literal["none", "single", "per_zone"] = "none"
    """NAT gateways, through which private subnets reach the internet. A `single` one costs less; one
    `per_zone` survives the loss of a zone."""
    endpoints: Annotated[tuple[EndpointName, ...], AsTuple] | None = Field(
        default=None, examples=[["ecr.api", "ecr.dkr", "logs"]]
    )
    """AWS services that private subnets reach inside the VPC, by the last part of the endpoint's name.
    Default: none with NAT gateways, otherwise those that the services need to start. The `s3` gateway is free
    and always present."""
    flow_logs: Boolean = True
    """Whether all traffic is recorded in CloudWatch Logs, for `log_retention_in_days`."""
    vpc: Vpc | None = None
    """An existing VPC to use instead of a new one. Its owner provides NAT gateways, endpoints and flow
    logs."""


class IngressConfig(CatalogModel):
    """How requests from outside reach the public services."""

    type: Literal["direct", "alb", "internal_alb", "none"] = "direct"
    """`direct`: at each task's public address. `alb`: through a load balancer that faces the internet.
    `internal_alb`: through one inside the VPC. `none`: not at all."""
    certificate: Certificate | None = None
    """Certificate of the load balancer. It enables HTTPS and redirects HTTP to it."""
    domain: Domain | None = Field(default=None, examples=["shop.example.com"])
    """DNS name of the load balancer. With a `hosted_zone`, a record is created for it."""
    hosted_zone: HostedZone | None = Field(default=None, examples=["Z0123456789ABCDEFGHIJ"])
    """Route 53 hosted zone of `domain`. Default: you manage the record elsewhere."""
    cidrs: Annotated[tuple[Cidr, ...], AsTuple] = ("0.0.0.0/0",)
    """Networks that may connect."""
    idle_timeout: Annotated[Integer, Field(ge=1, le=4000)] = 60
    """Seconds after which an idle connection is closed."""
    access_logs: Boolean = True
    """Whether every request is logged in an S3 bucket created for it, for `log_retention_in_days`."""
    web_acl: WebAcl | None = None
    """AWS WAF web ACL that filters requests."""

    @property
    def has_load_balancer(self) -> bool:
        """Whether requests go through a load balancer."""
        return self.type in ("alb", "internal_alb")


class Registry(CatalogModel):
    """The image repositories."""

    pull_accounts: Annotated[tuple[Account, ...], AsTuple] = Field(default=(), examples=[["210987654321"]])
    """Other AWS accounts that may pull the images."""


class Monitoring(CatalogModel):
    """Alarms for each service, and a dashboard for all of them. Short form: `enabled`."""

    enabled: Boolean = True
    """Whether to create alarms and a dashboard."""
    topics: Annotated[tuple[TopicArn, ...], AsTuple] = Field(
        default=(), examples=[["arn:aws:sns:ap-northeast-1:123456789012:on-call"]]
    )
    """SNS topics to notify when an alarm starts and when it ends."""
    cpu: Percent = 90
    """Average CPU of a service's tasks that raises an alarm, in percent."""
    memory: Percent = 90
    """Average memory of a service's tasks that raises an alarm, in percent."""
    errors: Annotated[Integer, Field(ge=1, le=100)] = 1
    """Share of requests to a public service answered with an error (5xx), by it or by the load balancer, that
    raises an alarm, in percent."""
    p99_milliseconds: Annotated[Integer, Field(ge=1, le=4_000_000)] = 1000
    """99th percentile of a public service's response time that raises an alarm, in milliseconds."""


class AdoptedSubnets(CatalogModel):
    """Existing subnets of an adopted VPC, by availability zone."""

    public: Mapping[Text, SubnetId] = Field(
        default=EMPTY, examples=[{"ap-northeast-1a": "subnet-0123456789abcdef0"}]
    )
    """IDs of the public subnets, by zone."""
    private: Mapping[Text, SubnetId] = Field(
        default=EMPTY, examples=[{"ap-northeast-1a": "subnet-0123456789abcdef1"}]
    )
    """IDs of the private subnets, by zone."""


class AdoptedResources(CatalogModel):
    """Existing resources of the environment, which Terraform imports instead of creating them."""

    cluster: Text | None = Field(default=None, examples=["shop-prod"])
    """ECS cluster, by name. AWS cannot rename it, so it must have the environment's prefix as its name."""
    vpc: VpcId | None = Field(default=None, examples=["vpc-0123456789abcdef0"])
    """VPC, by ID. Its CIDR block is `network.cidr`."""
    internet_gateway: InternetGatewayId | None = Field(default=None, examples=["igw-0123456789abcdef0"])
    """Internet gateway of the VPC, by ID."""
    subnets: AdoptedSubnets = AdoptedSubnets()
    """Subnets of the adopted VPC. AWS cannot change a subnet's CIDR block, so each must have that of the
    subnet it becomes. For other subnets use `network.vpc` instead."""
    namespace: NamespaceId | None = Field(default=None, examples=["ns-0123456789abcdef"])
    """Private DNS namespace, by ID. It has the name of the environment's namespace, and its VPC is adopted or
    existing too."""


class State(CatalogModel):
    """Where Terraform stores its state."""

    bucket: Bucket
    """S3 bucket."""


class PolicyException(CatalogModel):
    """A policy finding that you accept."""

    rule: Text = Field(examples=["FF006"])
    """ID of the rule, such as `FF001`."""
    address: Text = Field(examples=["module.security.*"])
    """Address of the resource in its stack; `*` matches any characters."""
    reason: Annotated[Text, Field(min_length=MIN_REASON_LENGTH)]
    """Why the finding is accepted, for the reviewer."""
    until: Day | None = None
    """Last day on which the finding is accepted, in UTC. From the next day on, `check` fails. Default:
    no end."""


class Environment(CatalogModel):
    """One environment: the catalog with the environment's own YAML laid over it."""

    name: ServiceName
    """Folder in `envs/`; not a key of the YAML."""
    application: ApplicationName = Field(examples=["shop"])
    """Name of the application, with which the name of every resource begins."""
    account: Account = Field(examples=["123456789012"])
    """AWS account. Terraform refuses to work in any other."""
    role: RoleArn | None = Field(default=None, examples=["arn:aws:iam::123456789012:role/deploy"])
    """IAM role that Terraform assumes in the account. Default: the credentials in use."""
    region: Annotated[
        Text, TextPattern(r"[a-z]{2}(-[a-z]+)+-[0-9]", "expected a region, such as ap-northeast-1")
    ] = Field(examples=["ap-northeast-1"])
    """AWS region."""
    zones: Annotated[tuple[Text, ...], AsTuple, Field(min_length=2, max_length=6)] = Field(
        examples=[["ap-northeast-1a", "ap-northeast-1c"]]
    )
    """Availability zones, with one public subnet in each. A zone keeps its subnets wherever it is in the
    list: `network.lock.yaml` has their numbers."""
    emulator: Boolean = False
    """Whether the environment runs against the emulator on this machine, never against AWS."""
    name_prefix: NamePrefix | None = None
    """Prefix of every resource's name. Default: `<application>-<name>`."""
    namespace: Domain | None = None
    """Private DNS namespace. Default: `<name>.<application>.internal`."""
    namespace_arn: Namespace | None = None
    """ARN of an existing namespace, whose name is `namespace`. For `discovery: dns` it must belong to the VPC
    that the tasks are in."""
    network: Network = Network()
    """The VPC."""
    ingress: IngressConfig = IngressConfig()
    """How requests from outside reach the public services."""
    discovery: Literal["dns", "service_connect"] = "dns"
    """How services find each other: `dns`, by Cloud Map names; `service_connect`, by the same names through
    proxies that ECS runs. A proxy knows only the services that existed when its task started, so callees are
    created before callers, except in a call cycle."""
    security: Literal["edges", "shared"] = "edges"
    """`edges`: one security group for each service, opened only by `calls`. `shared`: one group for all
    services."""
    kms_key: KmsKey | None = None
    """KMS key that encrypts logs, images, secrets and schedules. Default: AWS's own keys.

    An existing repository keeps its encryption, which ECR cannot change; new ones get the key.

    You manage its policy, which must let `logs.<region>.amazonaws.com` use the key for log groups, and let
    the role that applies use it for schedules."""
    protection: Boolean = False
    """Whether to protect the environment: AWS refuses to delete the load balancer, and `destroy`
    refuses to run."""
    applied_after: Annotated[tuple[ServiceName, ...], SingleOrList()] = Field(
        default=(), examples=["dev", ["dev", "staging"]]
    )
    """The environment, or list of environments, that a pipeline applies before this one. See
    docs/pipelines.md."""
    adopt: AdoptedResources = AdoptedResources()
    """Existing resources to import."""
    container_insights: Literal["enhanced", "enabled", "disabled"] = "enabled"
    """CloudWatch Container Insights of the cluster."""
    log_retention_in_days: LogRetention = 365
    """Days to keep the services' logs and the flow logs."""
    monitoring: Annotated[Monitoring, ShortForm("enabled")] = Monitoring()
    """Alarms for each service and a dashboard. An alarm reports too few running tasks (needs
    `container_insights`), high CPU or memory use, and failed or slow requests through the load balancer."""
    registry: Registry = Registry()
    """The image repositories."""
    tags: Tags = Field(default=EMPTY, examples=[{"team": "platform"}])
    """Tags of every resource. They override `application` and `environment`."""
    state: State | None = None
    """Where Terraform stores its state. Default: the bucket `<application>-<name>-tfstate-<account>`."""
    exceptions: Annotated[tuple[PolicyException, ...], AsTuple] = ()
    """Policy findings that you accept."""
    services: Annotated[Mapping[ServiceName, Service], Field(min_length=1)]
    """The services, by name: a DNS label of at most 40 characters."""

    # Not a key: the numbers of zones in `network.lock.yaml`.
    _locked_zone_numbers: Mapping[str, int] = PrivateAttr(default=EMPTY)

    def with_zone_numbers(self, numbers: Mapping[str, int]) -> Self:
        """Return the environment with the zones' numbers of its lock."""
        locked = self.model_copy()
        locked._locked_zone_numbers = dict(numbers)  # noqa: SLF001 - of its own class
        return locked

    @property
    def locked_zone_numbers(self) -> Mapping[str, int]:
        """The zones' numbers in the lock, also of zones that are not used any more."""
        return self._locked_zone_numbers

    @property
    def zone_numbers(self) -> Mapping[str, int]:
        """The number of each zone's subnets, from 1: that of the lock, or else the next free one."""
        locked = self._locked_zone_numbers
        free = (number for number in count(1) if number not in locked.values())
        return {zone: locked[zone] if zone in locked else next(free) for zone in self.zones}

    @property
    def prefix(self) -> str:
        """The prefix of every resource's name."""
        return self.name_prefix or f"{self.application}-{self.name}"

    def original_name(self, service: str) -> str:
        """Return a service's original name, which its resources keep because AWS cannot rename them."""
        renamed = self.services.get(service)
        return renamed.original_name(service) if renamed else service

    @property
    def names_by_original(self) -> Mapping[str, str]:
        """The services' names, by the original names that their resources keep."""
        return {service.original_name(name): name for name, service in self.services.items()}

    def full_name(self, service: str) -> str:
        """Return the name of a service's repository and of its ECS service."""
        return f"{self.prefix}-{self.original_name(service)}"

    @property
    def allows_exec(self) -> bool:
        """Whether ECS Exec may open a shell in any service."""
        return any(service.exec for service in self.services.values())

    @property
    def running(self) -> Mapping[str, Service]:
        """The services that are kept running, by name: all but tasks that run to completion."""
        return {name: service for name, service in self.services.items() if not service.is_task}

    @property
    def state_bucket(self) -> str:
        """The S3 bucket that holds the state of this environment's stacks."""
        return self.state.bucket if self.state else f"{self.application}-{self.name}-tfstate-{self.account}"
