"""An environment: the catalog with the environment's own YAML laid over it."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from fleetform.catalog.forms import Matching
from fleetform.catalog.service import Service
from fleetform.catalog.types import (
    NOTHING,
    ApplicationName,
    Boolean,
    Bucket,
    Certificate,
    Cidr,
    Domain,
    Entry,
    Integer,
    InternetGatewayId,
    KmsKey,
    Listed,
    LogRetention,
    NamePrefix,
    NamespaceId,
    RoleArn,
    ServiceName,
    SubnetId,
    TagKey,
    TagValue,
    Text,
    VpcCidr,
    VpcId,
)

FOUNDATION_NAME = "foundation"
"""The stack that no service is in: what services have in common."""


class Vpc(Entry):
    """A VPC that exists already."""

    id: VpcId
    """The VPC."""
    public_subnets: Annotated[tuple[SubnetId, ...], Listed] = ()
    """Its public subnets, in different zones: for load balancers, and for tasks where there are no private ones."""
    private_subnets: Annotated[tuple[SubnetId, ...], Listed] = ()
    """Its private subnets, in different zones: for tasks."""


class Network(Entry):
    """The VPC."""

    cidr: VpcCidr = "10.0.0.0/16"
    """Its network. Subnets are its /24s, from the second on."""
    subnets: Literal["public", "private"] = "public"
    """Where tasks run: `public`, in public subnets, with an address of their own each; `private`, in private subnets
    behind public ones."""
    nat: Literal["none", "single", "per_zone"] = "none"
    """NAT gateways, through which private subnets reach the internet: one costs less, one a zone outlasts a zone."""
    endpoints: Annotated[tuple[Text, ...], Listed] = Field(default=(), examples=[["s3", "ecr.api", "ecr.dkr", "logs"]])
    """AWS services that are reached inside the VPC, by the end of the endpoint's name."""
    vpc: Vpc | None = None
    """A VPC that exists already, instead of one of its own."""


class Front(Entry):
    """The way from outside to the public services."""

    type: Literal["direct", "alb", "internal_alb", "none"] = "direct"
    """`direct`: each task's own public address. `alb`: a load balancer that faces the internet. `internal_alb`: one
    inside the VPC. `none`: no way."""
    certificate: Certificate | None = None
    """The load balancer's certificate; with it HTTPS, to which HTTP is redirected."""
    domain: Domain | None = Field(default=None, examples=["shop.example.com"])
    """The name that leads to the load balancer."""
    cidrs: Annotated[tuple[Cidr, ...], Listed] = ("0.0.0.0/0",)
    """Who may come: networks."""
    idle_timeout: Annotated[Integer, Field(ge=1, le=4000)] = 60
    """Seconds without traffic after which a connection is closed."""


class Adopted(Entry):
    """Resources of the environment that exist already: Terraform imports them instead of making them."""

    cluster: Text | None = Field(default=None, examples=["shop-prod"])
    """The ECS cluster, by name: the environment's prefix, as AWS does not rename it."""
    vpc: VpcId | None = Field(default=None, examples=["vpc-0123456789abcdef0"])
    """The VPC, by ID; its network is `network.cidr`."""
    internet_gateway: InternetGatewayId | None = Field(default=None, examples=["igw-0123456789abcdef0"])
    """The VPC's internet gateway, by ID."""
    namespace: NamespaceId | None = Field(default=None, examples=["ns-0123456789abcdef"])
    """The private DNS namespace, by ID; its name is the environment's, and its VPC is adopted or existing too."""


class State(Entry):
    """Where Terraform keeps its state."""

    bucket: Bucket
    """The S3 bucket."""


class PolicyException(Entry):
    """A finding that is accepted."""

    rule: Text = Field(examples=["FF006"])
    """The rule's id, such as `FF001`."""
    address: Text = Field(examples=["module.security.*"])
    """The resource's address in its stack; `*` stands for any characters."""
    reason: Annotated[Text, Field(min_length=10)]
    """Why it is accepted, for the reviewer."""


class Environment(Entry):
    """One environment: the catalog with the environment's own YAML laid over it."""

    name: ServiceName
    """The folder in `envs/`; not a key of the YAML."""
    application: ApplicationName = Field(examples=["shop"])
    """Begins the name of every resource."""
    account: Annotated[Text, Matching(r"[0-9]{12}", "the AWS account's 12 digits are expected")] = Field(
        examples=["123456789012"]
    )
    """AWS account; Terraform refuses to work in any other."""
    role: RoleArn | None = Field(default=None, examples=["arn:aws:iam::123456789012:role/deploy"])
    """The role that Terraform takes on to work in the account; left out: whose credentials are there."""
    region: Annotated[Text, Matching(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region is expected, such as ap-northeast-1")] = (
        Field(examples=["ap-northeast-1"])
    )
    """AWS region."""
    zones: Annotated[tuple[Text, ...], Listed, Field(min_length=2, max_length=6)] = Field(
        examples=[["ap-northeast-1a", "ap-northeast-1c"]]
    )
    """Availability zones, one public subnet in each. Add new ones at the end: none moves."""
    emulator: Boolean = False
    """Runs against the emulator on this machine, never against AWS."""
    name_prefix: NamePrefix | None = None
    """Begins every resource's name. Left out: `<application>-<name>`."""
    namespace: Domain | None = None
    """Private DNS namespace. Left out: `<name>.<application>.internal`."""
    network: Network = Network()
    """The VPC."""
    ingress: Front = Front()
    """The way from outside to the public services."""
    discovery: Literal["dns", "service_connect"] = "dns"
    """How services find each other: `dns`, by names of Cloud Map; `service_connect`, through ECS's own proxies."""
    security: Literal["edges", "shared"] = "edges"
    """`edges`: a security group for each service, opened by `calls` alone. `shared`: one group for all services."""
    kms_key: KmsKey | None = None
    """The key that logs, images and secrets are encrypted with; left out: AWS's own keys."""
    protection: Boolean = False
    """Whether `invoke destroy` refuses, and load balancers refuse to be deleted."""
    adopt: Adopted = Adopted()
    """What of it exists already."""
    container_insights: Literal["enhanced", "enabled", "disabled"] = "enabled"
    """CloudWatch Container Insights of the cluster."""
    log_retention_in_days: LogRetention = 365
    """Days that the services' logs are kept."""
    tags: Mapping[TagKey, TagValue] = Field(default=NOTHING, examples=[{"team": "platform"}])
    """Set on every resource, over `application` and `environment`."""
    state: State | None = None
    """Where Terraform keeps its state. Left out: the bucket `<application>-<name>-tfstate-<account>`."""
    exceptions: Annotated[tuple[PolicyException, ...], Listed] = ()
    """Findings that are accepted."""
    services: Annotated[Mapping[ServiceName, Service], Field(min_length=1)]
    """The services by name: a DNS label of 40 characters at most."""

    @property
    def prefix(self) -> str:
        """What every resource's name begins with."""
        return self.name_prefix or f"{self.application}-{self.name}"

    def first_name(self, service: str) -> str:
        """The name that a service began with, which what it has on AWS keeps: AWS renames none of it."""
        known = self.services.get(service)
        return (*known.renamed_from, service)[0] if known else service

    def full_name(self, service: str) -> str:
        """What a service's repository and its ECS service are named."""
        return f"{self.prefix}-{self.first_name(service)}"

    @property
    def state_bucket(self) -> str:
        """The S3 bucket that holds the state of this environment's stacks."""
        return self.state.bucket if self.state else f"{self.application}-{self.name}-tfstate-{self.account}"
