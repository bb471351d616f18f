"""Compares the resources of an emulator with Terraform's states."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fleetform.aws.clients import Access


@dataclass(frozen=True)
class Kind:
    """A kind of resource on AWS.

    Attributes:
        type: The resource's type in Terraform.
        attribute: The attribute that has what the API tells of it.
        listed: What the API tells, of all of the account's.
    """

    type: str
    attribute: str
    listed: Callable[[Access], Iterator[str]]


def _pages(
    service: str,
    operation: str,
    key: str,
    name: str,
    **arguments: Any,  # noqa: ANN401 - whatever AWS takes
) -> Callable[[Access], Iterator[str]]:
    def listed(access: Access) -> Iterator[str]:
        for page in access.client(service).get_paginator(operation).paginate(**arguments):
            yield from (entry if not name else entry[name] for entry in page[key])

    return listed


def _own_vpcs(access: Access) -> Iterator[str]:
    """Return all except the default one of each account."""
    answer = access.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])
    yield from (vpc["VpcId"] for vpc in answer["Vpcs"])


def _in_own_vpcs(operation: str, key: str, name: str) -> Callable[[Access], Iterator[str]]:
    """Return the resources in our VPCs."""

    def listed(access: Access) -> Iterator[str]:
        own = set(_own_vpcs(access))
        answer = getattr(access.client("ec2"), operation)()
        yield from (entry[name] for entry in answer[key] if entry["VpcId"] in own)

    return listed


def _groups(access: Access) -> Iterator[str]:
    """Return the security groups, without the default one of each VPC."""
    own = set(_own_vpcs(access))
    groups = access.client("ec2").describe_security_groups()["SecurityGroups"]
    yield from (
        group["GroupId"] for group in groups if group["VpcId"] in own and group["GroupName"] != "default"
    )


def _rules(*, egress: bool) -> Callable[[Access], Iterator[str]]:
    def listed(access: Access) -> Iterator[str]:
        own = set(_groups(access))
        rules = access.client("ec2").describe_security_group_rules()["SecurityGroupRules"]
        for rule in rules:
            if rule["GroupId"] in own and rule["IsEgress"] == egress:
                yield rule["SecurityGroupRuleId"]

    return listed


def _gateways(access: Access) -> Iterator[str]:
    yield from (
        gateway["InternetGatewayId"]
        for gateway in access.client("ec2").describe_internet_gateways()["InternetGateways"]
    )


def _tables(access: Access) -> Iterator[str]:
    """Return the route tables, without the main one of each VPC."""
    own = set(_own_vpcs(access))
    for table in access.client("ec2").describe_route_tables()["RouteTables"]:
        if table["VpcId"] in own and not any(
            association.get("Main") for association in table["Associations"]
        ):
            yield table["RouteTableId"]


def _flow_logs(access: Access) -> Iterator[str]:
    yield from (log["FlowLogId"] for log in access.client("ec2").describe_flow_logs()["FlowLogs"])


def _services(access: Access) -> Iterator[str]:
    ecs = access.client("ecs")
    for cluster in ecs.list_clusters()["clusterArns"]:
        yield from ecs.list_services(cluster=cluster)["serviceArns"]


def _policies(access: Access) -> Iterator[str]:
    iam = access.client("iam")
    for role in iam.list_roles()["Roles"]:
        yield from (
            f"{role['RoleName']}:{name}"
            for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        )


KINDS = (
    Kind(
        "aws_cloudwatch_dashboard",
        "dashboard_name",
        _pages("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ),
    Kind(
        "aws_cloudwatch_log_group", "name", _pages("logs", "describe_log_groups", "logGroups", "logGroupName")
    ),
    Kind(
        "aws_cloudwatch_metric_alarm",
        "alarm_name",
        _pages("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ),
    Kind(
        "aws_ecr_repository", "name", _pages("ecr", "describe_repositories", "repositories", "repositoryName")
    ),
    Kind("aws_ecs_cluster", "arn", _pages("ecs", "list_clusters", "clusterArns", "")),
    Kind("aws_ecs_service", "id", _services),
    Kind("aws_ecs_task_definition", "arn", _pages("ecs", "list_task_definitions", "taskDefinitionArns", "")),
    Kind("aws_flow_log", "id", _flow_logs),
    Kind("aws_iam_role", "name", _pages("iam", "list_roles", "Roles", "RoleName")),
    Kind("aws_iam_role_policy", "id", _policies),
    Kind("aws_internet_gateway", "id", _gateways),
    Kind("aws_lb", "arn", _pages("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn")),
    Kind(
        "aws_lb_target_group",
        "arn",
        _pages("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ),
    Kind("aws_route_table", "id", _tables),
    Kind("aws_security_group", "id", _groups),
    Kind(
        "aws_service_discovery_private_dns_namespace",
        "id",
        _pages("servicediscovery", "list_namespaces", "Namespaces", "Id"),
    ),
    Kind(
        "aws_service_discovery_service", "id", _pages("servicediscovery", "list_services", "Services", "Id")
    ),
    Kind("aws_subnet", "id", _in_own_vpcs("describe_subnets", "Subnets", "SubnetId")),
    Kind("aws_vpc", "id", _own_vpcs),
    Kind("aws_vpc_security_group_egress_rule", "security_group_rule_id", _rules(egress=True)),
    Kind("aws_vpc_security_group_ingress_rule", "security_group_rule_id", _rules(egress=False)),
)


@dataclass(frozen=True)
class Inventory:
    """The difference.

    Attributes:
        orphans: What is there and in no state, as `type id`.
        missing: What is in a state and not there.
        count: How many things are both.
    """

    orphans: tuple[str, ...]
    missing: tuple[str, ...]
    count: int


def take(access: Access, bucket: str) -> Inventory:
    """Compare all kinds of resources."""
    known = set(_known(access, bucket))
    there = {f"{kind.type} {found}" for kind in KINDS for found in kind.listed(access)}
    ours = {entry for entry in known if entry.partition(" ")[0] in {kind.type for kind in KINDS}}
    return Inventory(tuple(sorted(there - ours)), tuple(sorted(ours - there)), len(there & ours))


def _known(access: Access, bucket: str) -> Iterator[str]:
    attributes = {kind.type: kind.attribute for kind in KINDS}
    s3 = access.client("s3")
    for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        if not entry["Key"].endswith(".tfstate"):
            continue
        for resource in json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())[
            "resources"
        ]:
            if resource["mode"] == "managed" and resource["type"] in attributes:
                for instance in resource["instances"]:
                    yield f"{resource['type']} {instance['attributes'][attributes[resource['type']]]}"
