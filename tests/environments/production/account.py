"""What is in an AWS account, of every kind of thing that an environment has."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from fleetform.aws.clients import Access

Inventory: TypeAlias = Mapping[str, frozenset[str]]
"""What tells things apart, by kind."""

_KINDS: tuple[tuple[str, str, str, Mapping[str, Any]], ...] = (
    ("application-autoscaling", "describe_scalable_targets", "ScalableTargets", {"ServiceNamespace": "ecs"}),
    ("application-autoscaling", "describe_scaling_policies", "ScalingPolicies", {"ServiceNamespace": "ecs"}),
    ("cloudwatch", "describe_alarms", "MetricAlarms", {}),
    ("cloudwatch", "list_dashboards", "DashboardEntries", {}),
    ("ec2", "describe_addresses", "Addresses", {}),
    ("ec2", "describe_flow_logs", "FlowLogs", {}),
    ("ec2", "describe_internet_gateways", "InternetGateways", {}),
    (
        "ec2",
        "describe_nat_gateways",
        "NatGateways",
        {"Filters": [{"Name": "state", "Values": ["available"]}]},
    ),
    ("ec2", "describe_network_acls", "NetworkAcls", {}),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", {}),
    ("ec2", "describe_route_tables", "RouteTables", {}),
    ("ec2", "describe_security_groups", "SecurityGroups", {}),
    ("ec2", "describe_subnets", "Subnets", {}),
    (
        "ec2",
        "describe_vpc_endpoints",
        "VpcEndpoints",
        {"Filters": [{"Name": "vpc-endpoint-state", "Values": ["available"]}]},
    ),
    ("ec2", "describe_vpcs", "Vpcs", {}),
    ("ecr", "describe_repositories", "repositories", {}),
    ("ecs", "list_clusters", "clusterArns", {}),
    ("ecs", "list_task_definitions", "taskDefinitionArns", {}),
    ("elbv2", "describe_load_balancers", "LoadBalancers", {}),
    ("elbv2", "describe_target_groups", "TargetGroups", {}),
    ("iam", "list_roles", "Roles", {}),
    ("logs", "describe_log_groups", "logGroups", {}),
    ("route53", "list_hosted_zones", "HostedZones", {}),
    ("s3", "list_buckets", "Buckets", {}),
    ("scheduler", "list_schedules", "Schedules", {}),
    ("servicediscovery", "list_namespaces", "Namespaces", {}),
    ("servicediscovery", "list_services", "Services", {}),
)
"""API, operation, the key of what it answers, and its parameters."""


def inventory(access: Access) -> Inventory:
    """Lists all of them."""
    clients = {name: access.client(name) for name in {kind[0] for kind in _KINDS}}
    return {
        f"{name}.{operation}": frozenset(_listed(clients[name], operation, key, parameters))
        for name, operation, key, parameters in _KINDS
    }


def _listed(client: Any, operation: str, key: str, parameters: Mapping[str, Any]) -> Iterator[str]:  # noqa: ANN401 - boto3's
    """Each thing with all that is said of it; the emulator's account is small, and one page has it all."""
    return map(repr, getattr(client, operation)(**parameters)[key])
