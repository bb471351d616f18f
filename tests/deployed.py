"""A small environment that is made through the API alone: what an apply would leave, without Terraform."""

from collections.abc import Mapping

from fleetform.aws.clients import Access
from fleetform.aws.verification import verify
from fleetform.catalog.models import Environment, Service

REGION = "eu-central-1"
ANYWHERE = "0.0.0.0/0"
RECORDS = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": 10}]}
TASKS = {"orders": 2, "web": 1, "worker": 1}

INGRESS = {("web", ANYWHERE, 80), ("orders", "web", 8080), ("orders", "worker", 8080)}
EGRESS = {
    *((name, ANYWHERE, 443) for name in TASKS),
    ("web", "orders", 8080),
    ("worker", "orders", 8080),
}


def environment(application: str) -> Environment:
    """`web`, from the internet, and `worker`, which has no port, both call `orders`."""
    return Environment(
        name="test",
        application=application,
        account="123456789012",
        region=REGION,
        zones=(f"{REGION}a", f"{REGION}b"),
        services={
            "web": Service(image="nginx:1.29", port=80, public=True, calls=("orders",)),
            "orders": Service(
                image="nginx:1.29", port=8080, desired_count=2, environment={"CURRENCY": "EUR"}
            ),
            "worker": Service(image="nginx:1.29", calls=("orders",)),
        },
    )


class Deployment:
    """An environment as the API has it, with what is needed to break it."""

    def __init__(self, environment: Environment, access: Access) -> None:
        self.environment = environment
        self.access = access
        self.ec2 = access.client("ec2")
        self.ecs = access.client("ecs")
        self.discovery = access.client("servicediscovery")
        self.prefix = self.environment.prefix
        self.namespace = f"test.{environment.application}.internal"
        self.groups: dict[str, str] = {}
        self.registries: dict[str, str] = {}

    def differences(self) -> tuple[str, ...]:
        """What verification finds."""
        return verify(self.environment, self.access).differences

    def create(self) -> None:
        """Makes everything as the catalog says."""
        self.vpc = self.create_vpc("test")
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.subnets = [
            self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)[
                "Subnet"
            ]["SubnetId"]
            for number, zone in enumerate(self.environment.zones, 1)
        ]
        (default,) = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])[
            "SecurityGroups"
        ]
        self.groups["default"] = default["GroupId"]
        self.revoke_all("default")
        for name in TASKS:
            self.create_group(name)
        for rule in INGRESS:
            self.ec2.authorize_security_group_ingress(**self.rule(*rule))
        for rule in EGRESS:
            self.ec2.authorize_security_group_egress(**self.rule(*rule))
        self.create_discovery()
        self.ecs.create_cluster(clusterName=self.prefix)
        url = f"http://orders.{self.namespace}:8080"
        self.create_service("web", {"PORT": "80", "ORDERS_URL": url})
        self.create_service("orders", {"PORT": "8080", "CURRENCY": "EUR"})
        self.create_service("worker", {"ORDERS_URL": url})

    def create_vpc(self, environment_tag: str) -> str:
        """Makes a VPC of the application's name, and returns its id."""
        tags = [{"Key": "Name", "Value": self.prefix}, {"Key": "environment", "Value": environment_tag}]
        specification = [{"ResourceType": "vpc", "Tags": tags}]
        vpc: str = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification)["Vpc"][
            "VpcId"
        ]
        return vpc

    def create_group(self, key: str) -> None:
        """Makes a security group without rules, with such a name as Terraform makes of a prefix."""
        tags = [
            {"ResourceType": "security-group", "Tags": [{"Key": "Name", "Value": f"{self.prefix}-{key}"}]}
        ]
        name = f"{self.prefix}-{key}-20250101"
        self.groups[key] = self.ec2.create_security_group(
            GroupName=name, Description=key, VpcId=self.vpc, TagSpecifications=tags
        )["GroupId"]
        self.revoke_all(key)

    def revoke_all(self, key: str) -> None:
        """Removes every rule of a group."""
        filters = [{"Name": "group-id", "Values": [self.groups[key]]}]
        for rule in self.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]:
            end = "egress" if rule["IsEgress"] else "ingress"
            revoke = getattr(self.ec2, f"revoke_security_group_{end}")
            revoke(GroupId=self.groups[key], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])

    def rule(self, group: str, peer: str, port: int) -> dict[str, object]:
        """The parameters that authorize or revoke a TCP rule."""
        other = (
            {"UserIdGroupPairs": [{"GroupId": self.groups[peer]}]}
            if peer in self.groups
            else {"IpRanges": [{"CidrIp": peer}]}
        )
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **other}
        return {"GroupId": self.groups[group], "IpPermissions": [permission]}

    def create_discovery(self) -> None:
        """Makes the namespace, and the discovery services of those that have a port."""
        self.discovery.create_private_dns_namespace(Name=self.namespace, Vpc=self.vpc)
        pages = self.discovery.get_paginator("list_namespaces").paginate()
        found = [item for page in pages for item in page["Namespaces"] if item["Name"] == self.namespace]
        self.namespace_id = found[0]["Id"]
        for name in ("orders", "web"):
            self.create_registry(name, DnsConfig=RECORDS)

    def create_registry(self, name: str, **settings: object) -> None:
        """Makes a discovery service."""
        created = self.discovery.create_service(Name=name, NamespaceId=self.namespace_id, **settings)
        self.registries[name] = created["Service"]["Id"]

    def delete_registry(self, name: str) -> None:
        """Removes a discovery service and what is registered with it."""
        for instance in self.discovery.list_instances(ServiceId=self.registries[name])["Instances"]:
            self.discovery.deregister_instance(ServiceId=self.registries[name], InstanceId=instance["Id"])
        self.discovery.delete_service(Id=self.registries.pop(name))

    def registry_arn(self, name: str) -> str:
        """The ARN of a discovery service."""
        arn: str = self.discovery.get_service(Id=self.registries[name])["Service"]["Arn"]
        return arn

    def define(self, name: str, variables: Mapping[str, str], container: str) -> str:
        """Registers a task definition."""
        pairs = [{"name": key, "value": value} for key, value in variables.items()]
        ports = [{"containerPort": int(variables["PORT"])}] if "PORT" in variables else []
        definition = {
            "name": container,
            "image": "nginx:1.29",
            "memory": 128,
            "environment": pairs,
            "portMappings": ports,
        }
        answer = self.ecs.register_task_definition(
            family=f"{self.prefix}-{name}", networkMode="awsvpc", containerDefinitions=[definition]
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def create_service(self, name: str, variables: Mapping[str, str], *, registered: bool = True) -> None:
        """Makes an ECS service whose tasks run at once."""
        registries = (
            [{"registryArn": self.registry_arn(name)}] if registered and name in self.registries else []
        )
        self.ecs.create_service(
            cluster=self.prefix,
            serviceName=f"{self.prefix}-{name}",
            taskDefinition=self.define(name, variables, name),
            desiredCount=TASKS[name],
            serviceRegistries=registries,
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": self.subnets,
                    "securityGroups": [self.groups[name]],
                    "assignPublicIp": "ENABLED",
                }
            },
            capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1, "base": 0}],
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        )

    def redefine(self, name: str, variables: Mapping[str, str], container: str) -> None:
        """Lets a service run another task definition."""
        definition = self.define(name, variables, container)
        self.ecs.update_service(
            cluster=self.prefix, service=f"{self.prefix}-{name}", taskDefinition=definition
        )

    def delete_service(self, name: str) -> None:
        """Removes an ECS service."""
        self.ecs.delete_service(cluster=self.prefix, service=f"{self.prefix}-{name}", force=True)

    def delete(self) -> None:
        """Removes what verification could take for something of another test."""
        for arn in self.ecs.list_services(cluster=self.prefix)["serviceArns"]:
            self.ecs.delete_service(cluster=self.prefix, service=arn, force=True)
        self.ecs.delete_cluster(cluster=self.prefix)
        for name in list(self.registries):
            self.delete_registry(name)
        self.discovery.delete_namespace(Id=self.namespace_id)
        for key in self.groups:
            self.revoke_all(key)
        for key in self.groups.keys() - {"default"}:
            self.ec2.delete_security_group(GroupId=self.groups[key])
        for subnet in self.subnets:
            self.ec2.delete_subnet(SubnetId=subnet)
        self.ec2.delete_vpc(VpcId=self.vpc)
