"""What AWS has by a name that a plan gives: whose it is, its tags say."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError

from fleetform.aws.clients import Access
from fleetform.terraform.recovery.find_by_tags import translate_denials


class Found(Enum):
    """What there is by a name."""

    OURS = "it has our tags"
    NOT_OURS = "it has not, or they are not for us to see"
    NOTHING = "nothing"


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
_UNKNOWN = frozenset({"403", "AccessDenied", "AccessDeniedException", "NoSuchTagSet"})


def find(access: Access, kind: str, id_: str, tags: Mapping[str, str]) -> Found:
    """Looks for a thing of one of `KINDS`.

    Args:
        access: Where.
        kind: Its type in Terraform.
        id_: Its name, or by what Terraform imports it.
        tags: Those that all of ours have.

    Raises:
        ProgramError: AWS fails.
    """
    with translate_denials():
        found = _tags(access, kind, id_)
    if found is None:
        return Found.NOTHING
    return Found.OURS if tags.items() <= found.items() else Found.NOT_OURS


def import_id(access: Access, kind: str, id_: str) -> str:
    """By what Terraform imports a thing that is there: the load balancer's parts by their ARNs.

    Raises:
        ProgramError: AWS fails.
    """
    with translate_denials():
        return _ARNS[kind](access, id_) if kind in _ARNS else id_


def _tags(access: Access, kind: str, id_: str) -> dict[str, str] | None:
    """None if the thing is not there; empty if they are not for us to see."""
    try:
        return KINDS[kind](access, id_)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _NOT_FOUND_CODES | _UNKNOWN:
            raise
        return {} if code in _UNKNOWN else None


def _log_group(access: Access, name: str) -> dict[str, str] | None:
    client = access.client("logs")
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    for group in (group for page in pages for group in page["logGroups"] if group["logGroupName"] == name):
        tags: dict[str, str] = client.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
        return tags
    return None


def _repository(access: Access, name: str) -> dict[str, str]:
    client = access.client("ecr")
    (found,) = client.describe_repositories(repositoryNames=[name])["repositories"]
    return _pairs(client.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"])


def _cluster(access: Access, name: str) -> dict[str, str] | None:
    return _active(access.client("ecs").describe_clusters(clusters=[name], include=["TAGS"])["clusters"])


def _service(access: Access, id_: str) -> dict[str, str] | None:
    cluster, _, name = id_.partition("/")
    client = access.client("ecs")
    return _active(client.describe_services(cluster=cluster, services=[name], include=["TAGS"])["services"])


def _active(found: list[Any]) -> dict[str, str] | None:
    """ECS tells for a while of what was deleted: it is draining, then inactive."""
    return next((_pairs(each.get("tags", [])) for each in found if each["status"] in _LIVE_STATUSES), None)


def _role(access: Access, name: str) -> dict[str, str]:
    return _pairs(access.client("iam").list_role_tags(RoleName=name)["Tags"])


def _bucket(access: Access, name: str) -> dict[str, str]:
    return _pairs(access.client("s3").get_bucket_tagging(Bucket=name)["TagSet"])


def _balancer_arn(access: Access, name: str) -> str:
    (found,) = access.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    return str(found["LoadBalancerArn"])


def _target_group_arn(access: Access, name: str) -> str:
    (found,) = access.client("elbv2").describe_target_groups(Names=[name])["TargetGroups"]
    return str(found["TargetGroupArn"])


_ARNS: Mapping[str, Callable[[Access, str], str]] = {
    "aws_lb": _balancer_arn,
    "aws_lb_target_group": _target_group_arn,
}


def _target_group(kind: str) -> Callable[[Access, str], dict[str, str]]:
    def tags(access: Access, name: str) -> dict[str, str]:
        arns = [_ARNS[kind](access, name)]
        (found,) = access.client("elbv2").describe_tags(ResourceArns=arns)["TagDescriptions"]
        return _pairs(found["Tags"])

    return tags


def _pairs(tags: list[dict[str, str]]) -> dict[str, str]:
    """Tags of AWS's lists, some of which begin their keys with capitals."""
    return {tag.get("Key", tag.get("key", "")): tag.get("Value", tag.get("value", "")) for tag in tags}


KINDS: Mapping[str, Callable[[Access, str], dict[str, str] | None]] = {
    "aws_cloudwatch_log_group": _log_group,
    "aws_ecr_repository": _repository,
    "aws_ecs_cluster": _cluster,
    "aws_ecs_service": _service,
    "aws_iam_role": _role,
    "aws_lb": _target_group("aws_lb"),
    "aws_lb_target_group": _target_group("aws_lb_target_group"),
    "aws_s3_bucket": _bucket,
}
"""How AWS tells the tags of each kind; None if the thing is not there."""
