"""Safe settings of the shipped modules, and the rules that fail when one is turned off."""

from pathlib import PurePath
from typing import NamedTuple


class Mutation(NamedTuple):
    """One setting turned off.

    Attributes:
        file: The module's file.
        safe: The shipped text, which occurs exactly `times` times.
        unsafe: Its replacement.
        rules: The rules that must fail, and no others.
        times: The number of occurrences.
    """

    file: PurePath
    safe: str
    unsafe: str
    rules: frozenset[str]
    times: int = 1


def _of(file: str, safe: str, unsafe: str, *rules: str, times: int = 1) -> Mutation:
    return Mutation(PurePath("modules", file), safe, unsafe, frozenset(rules), times)


_ZONE = "availability_zone = each.value.availability_zone"
_NO_ROUTES = "route                  = []"
_TO_INTERNET = '{ cidr_block = "0.0.0.0/0", gateway_id = aws_internet_gateway.this.id }'
# Rules to and from the internet, and between services.
_OPEN = ("FF001", "FF006", "FF007")
_WIDE = ("FF001", "FF011", "FF023")

MUTATIONS = (
    _of("ecs_service/roles.tf", '"aws:Source', '"aws:Principal', "FF078", times=2),
    _of("ecs_service/task_definition.tf", 'encryption = "ENABLED"', 'encryption = "DISABLED"', "FF086"),
    _of("ingress/logs.tf", "force_destroy = !var.deletion_protection", "force_destroy = true", "FF090"),
    _of("ingress/logs.tf", "block_public_policy     = true", "block_public_policy     = false", "FF082"),
    _of("ingress/logs.tf", "aws:SecureTransport", "aws:ViaAWSService", "FF084"),
    _of("network/flow_logs.tf", '"logs:DescribeLogGroups"', '"logs:*"', "FF004"),
    _of("network/flow_logs.tf", '"aws:Source', '"aws:Principal', "FF078", times=2),
    _of("network/vpc.tf", "enable_dns_hostnames = true", "enable_dns_hostnames = false", "FF005"),
    _of("network/vpc.tf", "enable_dns_support   = true", "enable_dns_support   = false", "FF005"),
    _of(
        "network/vpc.tf",
        '-default" }\n}\n\n# AWS',
        '-default" }\n  ingress = [{ self = true }]\n}\n\n# AWS',
        "FF013",
    ),
    _of("network/flow_logs.tf", "vpc_id          = aws_vpc.this.id", 'subnet_id = "subnet-1"', "FF014"),
    _of("network/subnets.tf", _ZONE, f"map_public_ip_on_launch = true\n  {_ZONE}", "FF016", times=2),
    _of("network/routes.tf", _NO_ROUTES, f"{_NO_ROUTES[:-1]}{_TO_INTERNET}]", "FF019"),
    _of("security/groups.tf", "= each.value.description", "= null", "FF012"),
    _of("security/rules.tf", "= each.value.description", "= null", "FF012", times=2),
    _of("security/rules.tf", "ip_protocol = each.value.protocol", 'ip_protocol = "-1"', *_OPEN, times=2),
    _of("security/rules.tf", "to_port     = each.value.port", "to_port     = 65535", *_WIDE, times=2),
    _of("ingress/listeners.tf", 'protocol    = "HTTPS"', 'protocol    = "HTTP"', "FF027"),
    _of(
        "ingress/listeners.tf",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-2016-08",
        "FF028",
    ),
    _of("ingress/load_balancer.tf", "drop_invalid_header_fields = true", "", "FF029"),
    _of("ingress/load_balancer.tf", "enable_deletion_protection = var.deletion_protection", "", "FF030"),
    _of("ingress/load_balancer.tf", "enabled = true", "enabled = false", "FF031"),
    _of("ingress/load_balancer.tf", '= "defensive"', '= "monitor"', "FF032"),
    _of("ecs_service/load_balancer.tf", '"200-399"', '"200-499"', "FF033"),
    _of("ecs_service/service_fixed.tf", "= var.assign_public_ip", "= true", "FF017"),
    _of("ecs_service/schedule.tf", "= var.assign_public_ip", "= true", "FF017"),
    _of("discovery/services.tf", "= each.value.ttl", "= 300", "FF034"),
    _of("discovery/services.tf", "health_check_custom_config", "timeouts", "FF035"),
    _of("discovery/services.tf", '"MULTIVALUE"', '"WEIGHTED"', "FF036"),
    _of("registry/repositories.tf", '"IMMUTABLE"', '"MUTABLE"', "FF002"),
    _of("registry/repositories.tf", "scan_on_push = true", "scan_on_push = false", "FF068"),
    _of(
        "registry/repositories.tf", "repository = each.value.name\n\n  #", 'repository = "x"\n\n  #', "FF069"
    ),
    _of("registry/repositories.tf", "kms_key         = var.kms_key_arn", "kms_key         = null", "FF061"),
    _of("cluster/cluster.tf", "value = var.container_insights", 'value = "disabled"', "FF065"),
    _of("cluster/cluster.tf", '"OVERRIDE"', '"NONE"', "FF060"),
    _of("cluster/cluster.tf", "kms_key_id = var.kms_key_arn\n      ", "kms_key_id = null\n      ", "FF061"),
    _of("ecs_service/alarms.tf", "= var.alarms.topic_arns", "= []", "FF066", times=8),
    _of("ecs_service/logs.tf", "kms_key_id        = var.kms_key_arn", "", "FF061"),
    _of("ecs_service/task_definition.tf", "= container.read_only", "= false", "FF042"),
    _of("ecs_service/task_definition.tf", ": container.user #", ': "root" #', "FF041"),
    _of("ecs_service/task_definition.tf", 'logDriver = "awslogs"', 'logDriver = "none"', "FF050"),
    _of("ecs_service/task_definition.tf", "awslogs-stream-prefix = name", "", "FF050"),
    _of("ecs_service/task_definition.tf", '"awsvpc"', '"host"', "FF046"),
    _of("ecs_service/task_definition.tf", "aws_iam_role.task.arn", "aws_iam_role.execution.arn", "FF067"),
    _of("ecs_service/task_definition.tf", "= container.essential", "= false", "FF053"),
    _of("ecs_service/task_definition.tf", "= container.image", '= "public.ecr.aws/a/b:latest"', "FF047"),
    _of(
        "ecs_service/service_fixed.tf",
        "rollback = var.deployment_circuit_breaker",
        "rollback = false",
        "FF057",
    ),
    _of("ecs_service/service_fixed.tf", "= var.deployment_minimum_healthy_percent", "= 0", "FF058"),
    _of(
        "ecs_service/service_autoscaled.tf",
        "desired_count   = var.autoscaling.min",
        "desired_count   = 1",
        "FF059",
    ),
    _of("ecs_service/service_fixed.tf", '= "SERVICE"', '= "NONE"', "FF062"),
    _of("ecs_service/service_fixed.tf", "= var.deployment_maximum_percent", "= 100", "FF064"),
)
