"""The cost of losing or replacing a resource: data, a name that others use, or minutes of service."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from fleetform.terraform.plan.models import Action, Change


class Level(StrEnum):
    """Severity: something is lost for good, or unavailable for a while."""

    HIGH = "high"
    MEDIUM = "medium"


class Risk(NamedTuple):
    """A risk of one change.

    Attributes:
        level: How severe it is.
        why: What is lost, as a clause.
    """

    level: Level
    why: str


def _risk_of(why: str, *types: str) -> Mapping[str, str]:
    return dict.fromkeys(types, why)


# Sources: the page "Deleting a ..." of each service's user guide.
_DATA_LOSS: Mapping[str, str] = {
    **_risk_of(
        "its data is lost, except in snapshots",
        "aws_db_instance",
        "aws_docdb_cluster",
        "aws_neptune_cluster",
        "aws_rds_cluster",
        "aws_rds_global_cluster",
        "aws_redshift_cluster",
        "aws_redshiftserverless_namespace",
    ),
    **_risk_of(
        "its data is lost",
        "aws_dynamodb_global_table",
        "aws_dynamodb_table",
        "aws_ebs_volume",
        "aws_efs_file_system",
        "aws_elasticache_cluster",
        "aws_elasticache_replication_group",
        "aws_elasticache_serverless_cache",
        "aws_elasticsearch_domain",
        "aws_fsx_lustre_file_system",
        "aws_fsx_ontap_file_system",
        "aws_fsx_openzfs_file_system",
        "aws_fsx_windows_file_system",
        "aws_instance",
        "aws_keyspaces_table",
        "aws_memorydb_cluster",
        "aws_opensearch_domain",
        "aws_opensearchserverless_collection",
        "aws_s3tables_table_bucket",
        "aws_timestreamwrite_table",
    ),
    **_risk_of(
        "the objects in it are lost, and others may take its name", "aws_s3_bucket", "aws_s3_directory_bucket"
    ),
    **_risk_of("the object is lost, unless the bucket keeps versions", "aws_s3_object"),
    **_risk_of("the images in it are lost, and tasks that need them do not start", "aws_ecr_repository"),
    **_risk_of("the images in it are lost", "aws_ecrpublic_repository"),
    **_risk_of(
        "everything encrypted with it is lost after its waiting period",
        "aws_kms_external_key",
        "aws_kms_key",
        "aws_kms_replica_key",
    ),
    **_risk_of("the secret is lost after its recovery window", "aws_secretsmanager_secret"),
    **_risk_of("its value is lost", "aws_ssm_parameter"),
    **_risk_of("the logs in it are lost", "aws_cloudwatch_log_group"),
    **_risk_of("the recovery points in it are lost, or block its deletion", "aws_backup_vault"),
    **_risk_of(
        "the messages in it are lost",
        "aws_kinesis_stream",
        "aws_mq_broker",
        "aws_msk_cluster",
        "aws_sqs_queue",
    ),
    **_risk_of("its subscriptions are lost", "aws_sns_topic"),
    **_risk_of("its users are lost", "aws_cognito_user_pool"),
    **_risk_of("its records are lost, and a new zone has different name servers", "aws_route53_zone"),
    **_risk_of(
        "no name in it resolves until every service has registered again",
        "aws_service_discovery_http_namespace",
        "aws_service_discovery_private_dns_namespace",
        "aws_service_discovery_public_dns_namespace",
    ),
    **_risk_of(
        "callers cannot find the service until its tasks register again", "aws_service_discovery_service"
    ),
    **_risk_of("its DNS name is lost, and records that point to it break", "aws_alb", "aws_elb", "aws_lb"),
    **_risk_of(
        "its domain name is lost, and records that point to it break",
        "aws_api_gateway_rest_api",
        "aws_apigatewayv2_api",
        "aws_cloudfront_distribution",
    ),
    **_risk_of("its address is lost, and allow lists that name it block the new one", "aws_eip"),
    **_risk_of("connections out of private subnets break, and its address may change", "aws_nat_gateway"),
    **_risk_of("everything in it is destroyed too", "aws_vpc"),
}
_OUTAGE: Mapping[str, str] = {
    **_risk_of("its tasks stop, and calls fail until new ones run", "aws_ecs_service"),
    **_risk_of("all services in it stop", "aws_ecs_cluster"),
    **_risk_of("the instance is unavailable, and connections to it break", "aws_rds_cluster_instance"),
    **_risk_of("requests fail meanwhile", "aws_alb_listener", "aws_lb_listener", "aws_lb_target_group"),
    **_risk_of("its requests go to other rules meanwhile", "aws_lb_listener_rule"),
    **_risk_of("the name does not resolve meanwhile", "aws_route53_record"),
    **_risk_of("everything in it loses its network", "aws_subnet"),
    **_risk_of("traffic over it fails meanwhile", "aws_internet_gateway", "aws_route", "aws_route_table"),
    **_risk_of("calls to that AWS service fail meanwhile", "aws_vpc_endpoint"),
    **_risk_of("members of the group lose their connections, or block its deletion", "aws_security_group"),
    **_risk_of(
        "connections that it allows fail meanwhile",
        "aws_security_group_rule",
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
    ),
    **_risk_of("what uses the role loses its permissions meanwhile", "aws_iam_role"),
    **_risk_of("it does not run meanwhile", "aws_lambda_function", "aws_scheduler_schedule"),
    **_risk_of("requests are not filtered meanwhile", "aws_wafv2_web_acl_association"),
}
# Where the new one is created first, it is still empty, or not used, when the old one goes.
_IN_USE = frozenset({"aws_lb_target_group", "aws_subnet"})
# Only for a replacement: a removal is meant.
_REPLACED: Mapping[str, str] = _risk_of(
    "the number of tasks does not follow the load meanwhile",
    "aws_appautoscaling_policy",
    "aws_appautoscaling_target",
)
_AUTOSCALED = re.compile(r"\baws_ecs_service\.autoscaled\b")
# What identifies a resource of a type, as AWS has only one of them; see the Create operation of each API. The
# new one cannot be created before the old one is deleted, or is the same one, and is deleted with it.
_IDENTITY: Mapping[str, frozenset[str]] = {
    "aws_appautoscaling_policy": frozenset({"name", "resource_id"}),
    "aws_appautoscaling_scheduled_action": frozenset({"name", "resource_id"}),
    "aws_appautoscaling_target": frozenset({"resource_id", "scalable_dimension"}),
    "aws_ecs_cluster": frozenset({"name"}),
    "aws_ecs_service": frozenset({"cluster", "name"}),
    "aws_iam_role": frozenset({"name"}),
    "aws_iam_role_policy": frozenset({"name", "role"}),
    "aws_lambda_function": frozenset({"function_name"}),
    "aws_lb_listener": frozenset({"load_balancer_arn", "port"}),
    "aws_lb_listener_rule": frozenset({"listener_arn", "priority"}),
    "aws_lb_target_group": frozenset({"name"}),
    "aws_scheduler_schedule": frozenset({"group_name", "name"}),
}


def risk(change: Change) -> Risk | None:
    """Return the risk of a change; only destroying or replacing has one.

    Nothing is unavailable if the new resource is created before the old one is destroyed, unless both have
    one name, or the old one is in use.
    """
    if change.action not in {Action.DELETE, Action.REPLACE}:
        return None
    if change.type in _DATA_LOSS:
        return Risk(Level.HIGH, _DATA_LOSS[change.type])
    if change.created_first and _keeps_identity(change):
        return Risk(
            Level.MEDIUM,
            "the new one has the same name, which AWS refuses, or it is deleted with the old one",
        )
    if change.type in _OUTAGE and (not change.created_first or change.type in _IN_USE):
        restart = "; scaling restarts at the minimum" if _restarts_scaling(change) else ""
        return Risk(Level.MEDIUM, _OUTAGE[change.type] + restart)
    if change.type in _REPLACED and change.action == Action.REPLACE:
        return Risk(Level.MEDIUM, _REPLACED[change.type])
    return None


def _keeps_identity(change: Change) -> bool:
    """Whether the new resource is the same one for AWS, as far as the plan tells."""
    forced = {re.split(r"[.\[]", path)[0] for path in change.forced_by}
    return forced.isdisjoint(_IDENTITY[change.type]) if change.type in _IDENTITY else False


def _restarts_scaling(change: Change) -> bool:
    return change.action == Action.REPLACE and _AUTOSCALED.search(change.address) is not None


def worst(changes: Iterable[Change]) -> Level | None:
    """Return the worst level of some changes."""
    levels = {found.level for found in map(risk, changes) if found}
    return next((level for level in Level if level in levels), None)
