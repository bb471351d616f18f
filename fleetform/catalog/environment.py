"""An environment: the catalog with the environment's own YAML laid over it."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from fleetform.catalog.constants import SHORTEST_REASON
from fleetform.catalog.forms import Matching
from fleetform.catalog.service import Service
from fleetform.catalog.types import (
    NOTHING,
    Account,
    Alone,
    ApplicationName,
    Boolean,
    Bucket,
    Certificate,
    Cidr,
    Day,
    Domain,
    EndpointName,
    Entry,
    HostedZone,
    Integer,
    InternetGatewayId,
    KmsKey,
    Listed,
    LogRetention,
    NamePrefix,
    Namespace,
    NamespaceId,
    Percent,
    RoleArn,
    ServiceName,
    Short,
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


class Vpc(Entry):
    """A VPC that exists already, and its subnets, each by ID or by tags."""

    id: VpcId | None = None
    """The VPC."""
    tags: Tags = Field(default=NOTHING, examples=[{"Name": "shared"}])
    """The VPC, by tags that no other VPC of the region has."""
    public_subnets: Annotated[tuple[SubnetId, ...], Listed] = ()
    """Its public subnets, in different zones: for load balancers, and for tasks where there are no private ones."""
    public_subnet_tags: Tags = Field(default=NOTHING, examples=[{"tier": "public"}])
    """The same, by tags: all subnets of the VPC that have them."""
    private_subnets: Annotated[tuple[SubnetId, ...], Listed] = ()
    """Its private subnets, in different zones: for tasks."""
    private_subnet_tags: Tags = Field(default=NOTHING, examples=[{"tier": "private"}])
    """The same, by tags: all subnets of the VPC that have them."""


class Network(Entry):
    """The VPC."""

    cidr: VpcCidr = "10.0.0.0/16"
    """Its network. Public subnets are its /24s from the second on, private ones the /24s of its upper half."""
    subnets: Literal["public", "private"] = "public"
    """Where tasks run: `public`, in public subnets, with an address of their own each; `private`, in private subnets
    behind public ones."""
    nat: Literal["none", "single", "per_zone"] = "none"
    """NAT gateways, through which private subnets reach the internet: one costs less, one a zone outlasts a zone."""
    endpoints: Annotated[tuple[EndpointName, ...], Listed] | None = Field(
        default=None, examples=[["ecr.api", "ecr.dkr", "logs"]]
    )
    """AWS services that private subnets reach inside the VPC, by the end of the endpoint's name. Left out: without NAT
    gateways those that the services need to start. The gateway of `s3`, which costs nothing, is always there."""
    flow_logs: Boolean = True
    """Whether all traffic is recorded in CloudWatch Logs, for `log_retention_in_days`."""
    vpc: Vpc | None = None
    """A VPC that exists already, instead of one of its own. NAT gateways, endpoints and flow logs are its owner's."""


class Front(Entry):
    """The way from outside to the public services."""

    type: Literal["direct", "alb", "internal_alb", "none"] = "direct"
    """`direct`: each task's own public address. `alb`: a load balancer that faces the internet. `internal_alb`: one
    inside the VPC. `none`: no way."""
    certificate: Certificate | None = None
    """The load balancer's certificate; with it HTTPS, to which HTTP is redirected."""
    domain: Domain | None = Field(default=None, examples=["shop.example.com"])
    """The name that leads to the load balancer; a record is made of it in the `hosted_zone`."""
    hosted_zone: HostedZone | None = Field(default=None, examples=["Z0123456789ABCDEFGHIJ"])
    """The Route 53 hosted zone of `domain`; left out: the record is kept elsewhere."""
    cidrs: Annotated[tuple[Cidr, ...], Listed] = ("0.0.0.0/0",)
    """Who may come: networks."""
    idle_timeout: Annotated[Integer, Field(ge=1, le=4000)] = 60
    """Seconds without traffic after which a connection is closed."""
    access_logs: Boolean = True
    """Whether every request is logged, in an S3 bucket that is made for it, for `log_retention_in_days`."""
    web_acl: WebAcl | None = None
    """The AWS WAF web ACL that requests pass first."""

    @property
    def balanced(self) -> bool:
        """Whether a load balancer is the way."""
        return self.type in ("alb", "internal_alb")


class Registry(Entry):
    """The image repositories."""

    pull_accounts: Annotated[tuple[Account, ...], Listed] = Field(default=(), examples=[["210987654321"]])
    """Other AWS accounts that may pull the images."""


class Monitoring(Entry):
    """Alarms of each service, and a dashboard of all. A word alone, `true` or `false`, is its `enabled`."""

    enabled: Boolean = True
    """Whether there are any."""
    topics: Annotated[tuple[TopicArn, ...], Listed] = Field(
        default=(), examples=[["arn:aws:sns:ap-northeast-1:123456789012:on-call"]]
    )
    """SNS topics that are told when an alarm goes off and when it is over."""
    cpu: Percent = 90
    """Average CPU of a service's tasks that is too much, in percent."""
    memory: Percent = 90
    """Average memory that is too much, in percent."""
    errors: Annotated[Integer, Field(ge=1, le=100)] = 1
    """Share of a public service's requests that it, or the load balancer, answers with an error (5xx) that is too much,
    in percent."""
    p99_milliseconds: Annotated[Integer, Field(ge=1, le=4_000_000)] = 1000
    """Time that is too much for all but the slowest hundredth of a public service's responses."""


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
    reason: Annotated[Text, Field(min_length=SHORTEST_REASON)]
    """Why it is accepted, for the reviewer."""
    until: Day | None = None
    """The last day that it is accepted, in UTC; `invoke check` fails from the next on. Left out: for good."""


class Environment(Entry):
    """One environment: the catalog with the environment's own YAML laid over it."""

    name: ServiceName
    """The folder in `envs/`; not a key of the YAML."""
    application: ApplicationName = Field(examples=["shop"])
    """Begins the name of every resource."""
    account: Account = Field(examples=["123456789012"])
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
    namespace_arn: Namespace | None = None
    """The namespace, if it exists already; its name is given as `namespace`. For `discovery: dns` it has to belong to
    the VPC that the tasks are in."""
    network: Network = Network()
    """The VPC."""
    ingress: Front = Front()
    """The way from outside to the public services."""
    discovery: Literal["dns", "service_connect"] = "dns"
    """How services find each other: `dns`, by names of Cloud Map; `service_connect`, by the same names through proxies
    that ECS runs. A task finds through its proxy what was there when it started: callees are made before callers,
    except where calls go in a circle."""
    security: Literal["edges", "shared"] = "edges"
    """`edges`: a security group for each service, opened by `calls` alone. `shared`: one group for all services."""
    kms_key: KmsKey | None = None
    """The key that logs, images, secrets and schedules are encrypted with; left out: AWS's own keys. Its policy is
    yours: it has to let `logs.<region>.amazonaws.com` use it for the log groups, and who applies for schedules."""
    protection: Boolean = False
    """Whether the load balancer refuses to be deleted, and `invoke destroy` refuses too."""
    applied_after: Annotated[tuple[ServiceName, ...], Alone()] = Field(default=(), examples=["dev", ["dev", "staging"]])
    """The environments that a pipeline applies before this one: one, or a list. See docs/pipelines.md."""
    adopt: Adopted = Adopted()
    """What of it exists already."""
    container_insights: Literal["enhanced", "enabled", "disabled"] = "enabled"
    """CloudWatch Container Insights of the cluster."""
    log_retention_in_days: LogRetention = 365
    """Days that the services' logs and the flow logs are kept."""
    monitoring: Annotated[Monitoring, Short("enabled")] = Monitoring()
    """Alarms of each service, when too few of its tasks run (which `container_insights` counts), they use too much, or
    requests through the load balancer fail or take long, and a dashboard."""
    registry: Registry = Registry()
    """The image repositories."""
    tags: Tags = Field(default=NOTHING, examples=[{"team": "platform"}])
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
    def allows_exec(self) -> bool:
        """Whether ECS Exec may open a shell anywhere."""
        return any(service.exec for service in self.services.values())

    @property
    def running(self) -> Mapping[str, Service]:
        """The services that are kept running, by name: all but tasks that run to their end."""
        return {name: service for name, service in self.services.items() if not service.is_task}

    @property
    def state_bucket(self) -> str:
        """The S3 bucket that holds the state of this environment's stacks."""
        return self.state.bucket if self.state else f"{self.application}-{self.name}-tfstate-{self.account}"
