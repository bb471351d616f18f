"""Find a resource in AWS by the name in its plan; its tags show whether it belongs to this environment."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError

from fleetform.aws.clients import Access
from fleetform.terraform.recovery.find_by_tags import translate_errors


class Ownership(Enum):
    """Whether a resource belongs to this environment."""

    OURS = "it has the environment's tags"
    FOREIGN = "it lacks them, or the credentials may not read its tags"
    ABSENT = "it does not exist"


_LIVE_STATUSES = frozenset({"ACTIVE", "PROVISIONING"})
_NOT_FOUND_CODES = frozenset(
    {
        "ClusterNotFoundException",
        "LoadBalancerNotFound",
        "NoSuchBucket",
        "NoSuchEntity",
        "RepositoryNotFoundException",
        "ResourceNotFoundException",
        "TargetGroupNotFound",
    }
)
_FORBIDDEN_CODES = frozenset({"403", "AccessDenied", "AccessDeniedException", "NoSuchTagSet"})


def find(access: Access, kind: str, id_: str, tags: Mapping[str, str]) -> Ownership:
    """Look up a resource of one of `KINDS`.

    Args:
        access: The environment's AWS.
        kind: Its Terraform type.
        id_: Its name, or its import id.
        tags: The tags of every resource of the environment.

    Raises:
        ProgramError: AWS fails.
    """
    with translate_errors():
        found_tags = _tags(access, kind, id_)
    if found_tags is None:
        return Ownership.ABSENT
    return Ownership.OURS if tags.items() <= found_tags.items() else Ownership.FOREIGN


def import_id(access: Access, kind: str, id_: str) -> str:
    """Return the import id of an existing resource.

    An ARN for load balancers and target groups, else its name.

    Raises:
        ProgramError: AWS fails.
    """
    with translate_errors():
        return _ARNS[kind](access, id_) if kind in _ARNS else id_


def _tags(access: Access, kind: str, id_: str) -> dict[str, str] | None:
    """Return the resource's tags: None if it does not exist, empty if the credentials may not read them."""
    try:
        return KINDS[kind](access, id_)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _NOT_FOUND_CODES | _FORBIDDEN_CODES:
            raise
        return {} if code in _FORBIDDEN_CODES else None


def _log_group_tags(access: Access, name: str) -> dict[str, str] | None:
    client = access.client("logs")
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    for group in (group for page in pages for group in page["logGroups"] if group["logGroupName"] == name):
        tags: dict[str, str] = client.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))[
            "tags"
        ]
        return tags
    return None


def _repository_tags(access: Access, name: str) -> dict[str, str]:
    client = access.client("ecr")
    (repository,) = client.describe_repositories(repositoryNames=[name])["repositories"]
    return _as_mapping(client.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"])


def _cluster_tags(access: Access, name: str) -> dict[str, str] | None:
    return _tags_of_live(
        access.client("ecs").describe_clusters(clusters=[name], include=["TAGS"])["clusters"]
    )


def _service_tags(access: Access, id_: str) -> dict[str, str] | None:
    cluster, _, name = id_.partition("/")
    client = access.client("ecs")
    return _tags_of_live(
        client.describe_services(cluster=cluster, services=[name], include=["TAGS"])["services"]
    )


def _tags_of_live(described: list[Any]) -> dict[str, str] | None:
    """Skip deleted clusters and services, which ECS lists for a while as draining, then as inactive."""
    return next(
        (_as_mapping(each.get("tags", [])) for each in described if each["status"] in _LIVE_STATUSES), None
    )


def _role_tags(access: Access, name: str) -> dict[str, str]:
    return _as_mapping(access.client("iam").list_role_tags(RoleName=name)["Tags"])


def _bucket_tags(access: Access, name: str) -> dict[str, str]:
    return _as_mapping(access.client("s3").get_bucket_tagging(Bucket=name)["TagSet"])


def _load_balancer_arn(access: Access, name: str) -> str:
    (load_balancer,) = access.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    return str(load_balancer["LoadBalancerArn"])


def _target_group_arn(access: Access, name: str) -> str:
    (target_group,) = access.client("elbv2").describe_target_groups(Names=[name])["TargetGroups"]
    return str(target_group["TargetGroupArn"])


_ARNS: Mapping[str, Callable[[Access, str], str]] = {
    "aws_lb": _load_balancer_arn,
    "aws_lb_target_group": _target_group_arn,
}


def _load_balancer_tags(kind: str) -> Callable[[Access, str], dict[str, str]]:
    def tags(access: Access, name: str) -> dict[str, str]:
        arns = [_ARNS[kind](access, name)]
        (description,) = access.client("elbv2").describe_tags(ResourceArns=arns)["TagDescriptions"]
        return _as_mapping(description["Tags"])

    return tags


def _as_mapping(tags: list[dict[str, str]]) -> dict[str, str]:
    """Return tags from a list of `Key` and `Value`, or of `key` and `value` as in ECS."""
    return {tag.get("Key", tag.get("key", "")): tag.get("Value", tag.get("value", "")) for tag in tags}


KINDS: Mapping[str, Callable[[Access, str], dict[str, str] | None]] = {
    "aws_cloudwatch_log_group": _log_group_tags,
    "aws_ecr_repository": _repository_tags,
    "aws_ecs_cluster": _cluster_tags,
    "aws_ecs_service": _service_tags,
    "aws_iam_role": _role_tags,
    "aws_lb": _load_balancer_tags("aws_lb"),
    "aws_lb_target_group": _load_balancer_tags("aws_lb_target_group"),
    "aws_s3_bucket": _bucket_tags,
}
"""Reads the tags of a resource, by its Terraform type; returns None if it does not exist."""
