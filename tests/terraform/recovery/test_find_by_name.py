"""Whether a named AWS resource is ours, with the emulator.

With stubbed responses where it differs from AWS.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError
from fleetform.terraform.recovery.find_by_name import KINDS, Ownership, find, import_id
from tests.deployed import REGION

OURS = {"application": "shop", "environment": "dev"}

Create = Callable[[Access, str, Mapping[str, str]], Callable[[], Any]]
"""Creates a resource with a name and tags; returns a function that deletes it."""


def capitalized(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def lowercase(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def log_group(access: Access, name: str, tags: Mapping[str, str]) -> Callable[[], Any]:
    client = access.client("logs")
    client.create_log_group(logGroupName=f"{name}-2", tags={})
    client.create_log_group(logGroupName=name, tags=tags)
    return lambda: [client.delete_log_group(logGroupName=each) for each in (name, f"{name}-2")]


def repository(access: Access, name: str, tags: Mapping[str, str]) -> Callable[[], Any]:
    client = access.client("ecr")
    client.create_repository(repositoryName=name, tags=capitalized(tags))
    return lambda: client.delete_repository(repositoryName=name)


def cluster(access: Access, name: str, tags: Mapping[str, str]) -> Callable[[], Any]:
    client = access.client("ecs")
    client.create_cluster(clusterName=name, tags=lowercase(tags))
    return lambda: client.delete_cluster(cluster=name)


def service(access: Access, id_: str, tags: Mapping[str, str]) -> Callable[[], Any]:
    client, (in_cluster, name) = access.client("ecs"), id_.split("/")
    client.create_cluster(clusterName=in_cluster)
    container = {"name": "web", "image": "web", "memory": 128}
    client.register_task_definition(family=name, containerDefinitions=[container])
    client.create_service(
        cluster=in_cluster, serviceName=name, taskDefinition=name, desiredCount=0, tags=lowercase(tags)
    )

    def delete() -> None:
        client.delete_service(cluster=in_cluster, service=name, force=True)
        client.delete_cluster(cluster=in_cluster)

    return delete


def role(access: Access, name: str, tags: Mapping[str, str]) -> Callable[[], Any]:
    client = access.client("iam")
    client.create_role(RoleName=name, AssumeRolePolicyDocument="{}", Tags=capitalized(tags))
    return lambda: client.delete_role(RoleName=name)


def bucket(access: Access, name: str, tags: Mapping[str, str]) -> Callable[[], Any]:
    client = access.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if tags:
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": capitalized(tags)})
    return lambda: client.delete_bucket(Bucket=name)


def tagged(tags: Mapping[str, str]) -> dict[str, Any]:
    return {"Tags": capitalized(tags)} if tags else {}


def balancer(access: Access, name: str, tags: Mapping[str, str]) -> Callable[[], Any]:
    client, ec2 = access.client("elbv2"), access.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    created = client.create_load_balancer(Name=name, Subnets=[subnet], Type="network", **tagged(tags))

    def delete() -> None:
        client.delete_load_balancer(LoadBalancerArn=created["LoadBalancers"][0]["LoadBalancerArn"])
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=vpc)

    return delete


def target_group(access: Access, name: str, tags: Mapping[str, str]) -> Callable[[], Any]:
    client = access.client("elbv2")
    created = client.create_target_group(Name=name, TargetType="lambda", **tagged(tags))
    arn = created["TargetGroups"][0]["TargetGroupArn"]
    return lambda: client.delete_target_group(TargetGroupArn=arn)


CREATORS: Mapping[str, Create] = {
    "aws_cloudwatch_log_group": log_group,
    "aws_ecr_repository": repository,
    "aws_ecs_cluster": cluster,
    "aws_ecs_service": service,
    "aws_iam_role": role,
    "aws_lb": balancer,
    "aws_lb_target_group": target_group,
    "aws_s3_bucket": bucket,
}

each_kind = pytest.mark.parametrize("kind", CREATORS)


@pytest.fixture
def id_(kind: str) -> str:
    """A unique import id."""
    name = f"shop-{uuid4().hex[:12]}"
    return f"{name}/web" if kind == "aws_ecs_service" else name


@each_kind
def test_an_import_id_is_a_name_or_an_arn(access: Access, kind: str, id_: str) -> None:
    delete = CREATORS[kind](access, id_, OURS)
    result = import_id(access, kind, id_)
    delete()
    arn = rf"arn:aws:elasticloadbalancing:{REGION}:\d+:(loadbalancer/\w+|targetgroup)/{id_}/\w+"
    assert re.fullmatch(arn if kind.startswith("aws_lb") else id_, result)


def test_every_known_type_is_created_here() -> None:
    assert CREATORS.keys() == KINDS.keys()


@each_kind
@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({**OURS, "team": "web"}, Ownership.OURS),
        ({**OURS, "environment": "prod"}, Ownership.FOREIGN),
        ({}, Ownership.FOREIGN),
    ],
)
def test_a_resource_with_all_our_tags_is_ours(
    access: Access, kind: str, id_: str, tags: Mapping[str, str], found: Ownership
) -> None:
    delete = CREATORS[kind](access, id_, tags)
    result = find(access, kind, id_, OURS)
    delete()
    assert result == found


@each_kind
def test_a_missing_resource_is_absent(access: Access, kind: str, id_: str) -> None:
    assert find(access, kind, id_, OURS) == Ownership.ABSENT


@pytest.mark.parametrize("kind", ["aws_ecs_cluster"])
def test_a_deleted_cluster_is_absent(access: Access, kind: str, id_: str) -> None:
    cluster(access, id_, OURS)()
    assert find(access, kind, id_, OURS) == Ownership.ABSENT


@pytest.fixture
def responses(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Stubbed responses of IAM, or of a different service."""
    session: Any = boto3.Session("x", "x", region_name=REGION)
    client = session.client(getattr(request, "param", "iam"))
    monkeypatch.setattr(Access, "client", lambda *_: client)
    with Stubber(client) as stubber:
        yield stubber


def test_a_resource_with_unreadable_tags_is_foreign(responses: Stubber) -> None:
    responses.add_client_error("list_role_tags", "AccessDenied", "no")
    assert find(Access(REGION, {}), "aws_iam_role", "shop", OURS) == Ownership.FOREIGN


@pytest.mark.parametrize("responses", ["ecs"], indirect=True)
def test_a_draining_service_is_absent(responses: Stubber) -> None:
    services = [{"serviceName": "web", "status": "DRAINING", "tags": lowercase(OURS)}]
    responses.add_response("describe_services", {"services": services})
    assert find(Access(REGION, {}), "aws_ecs_service", "shop/web", OURS) == Ownership.ABSENT


def test_an_api_error_has_a_remedy(responses: Stubber) -> None:
    responses.add_client_error("list_role_tags", "ServiceFailure", "later")
    with pytest.raises(ProgramError) as caught:
        find(Access(REGION, {}), "aws_iam_role", "shop", OURS)
    assert str(caught.value) == (
        "cannot find what the interrupted apply created: An error occurred (ServiceFailure) when calling the"
        " ListRoleTags operation: later; check credentials"
    )
