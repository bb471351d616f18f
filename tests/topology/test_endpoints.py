from typing import Any

import pytest

from fleetform import topology
from fleetform.catalog.models import Service
from tests.topology.environments import environment

ECR = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/web:1"
DIGEST = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/web@sha256:" + 64 * "0"
ELSEWHERE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1"


def of(service: dict[str, Any], **network: object) -> Any:  # noqa: ANN401 - an environment, whatever its fields
    """Return an environment with one service in private subnets."""
    services = {"web": Service.model_validate(service)}
    return environment(services, network={"subnets": "private", **network})


def test_public_subnets_have_no_endpoints() -> None:
    assert topology.endpoints(environment()) == ()


def test_an_existing_vpc_gets_no_endpoints() -> None:
    assert topology.endpoints(of({"image": ECR}, vpc={"id": "vpc-01234567"})) == ()


@pytest.mark.parametrize(
    ("service", "needed"),
    [
        ({"image": "nginx:1"}, ("logs", "s3")),
        ({"image": ELSEWHERE}, ("logs", "s3")),
        ({"image": ECR}, ("ecr.api", "ecr.dkr", "logs", "s3")),
        ({"image": DIGEST}, ("ecr.api", "ecr.dkr", "logs", "s3")),
        ({"build": {"context": "web"}}, ("ecr.api", "ecr.dkr", "logs", "s3")),
        ({"image": "nginx:1", "sidecars": {"log": {"image": ECR}}}, ("ecr.api", "ecr.dkr", "logs", "s3")),
        ({"image": "nginx:1", "secrets": {"KEY": {"parameter": "/key"}}}, ("logs", "s3", "ssm")),
        ({"image": "nginx:1", "secrets": {"KEY": {"secret": "key"}}}, ("logs", "s3", "secretsmanager")),
        (
            {
                "image": "nginx:1",
                "sidecars": {"log": {"image": "log:1", "secrets": {"KEY": {"parameter": "/key"}}}},
            },
            ("logs", "s3", "ssm"),
        ),
        ({"image": "nginx:1", "exec": True}, ("logs", "s3", "ssmmessages")),
    ],
)
def test_without_nat_endpoints_are_those_that_the_services_need(
    service: dict[str, Any], needed: tuple[str, ...]
) -> None:
    assert topology.endpoints(of(service)) == needed


@pytest.mark.parametrize("nat", ["single", "per_zone"])
def test_with_nat_only_the_free_gateway_is_derived(nat: str) -> None:
    assert topology.endpoints(of({"image": ECR}, nat=nat)) == ("s3",)


@pytest.mark.parametrize("nat", ["none", "single"])
def test_listed_endpoints_replace_derived_ones(nat: str) -> None:
    listed = of({"image": ECR}, nat=nat, endpoints=["sqs", "logs", "dynamodb"])
    assert topology.endpoints(listed) == ("dynamodb", "logs", "s3", "sqs")


def test_an_empty_list_leaves_the_free_gateway() -> None:
    assert topology.endpoints(of({"image": ECR}, endpoints=[])) == ("s3",)


def test_gateways_are_not_interfaces() -> None:
    listed = of({"image": ECR}, endpoints=["dynamodb", "logs", "s3"])
    assert topology.interface_endpoints(listed) == ("logs",)


EVERYTHING = ["ecr.api", "ecr.dkr", "logs"]


@pytest.mark.parametrize(
    ("service", "network", "needs"),
    [
        pytest.param({"image": ECR}, {"subnets": "public"}, True, id="there is no other way"),
        pytest.param({"image": ECR}, {"vpc": {"id": "vpc-01234567"}}, True, id="nothing is known of the way"),
        pytest.param({"image": ECR}, {}, False, id="there is no way"),
        pytest.param({"image": ECR}, {"nat": "single"}, True, id="no endpoints"),
        pytest.param(
            {"image": ECR}, {"nat": "single", "endpoints": ["logs"]}, True, id="no endpoint for the image"
        ),
        pytest.param(
            {"image": ECR}, {"nat": "single", "endpoints": EVERYTHING}, False, id="endpoints for all"
        ),
        pytest.param(
            {"image": "nginx:1"}, {"nat": "single", "endpoints": EVERYTHING}, True, id="a public image"
        ),
        pytest.param(
            {
                "image": ECR,
                "task_role": {"statements": [{"actions": ["sqs:SendMessage"], "resources": ["*"]}]},
            },
            {"nat": "single", "endpoints": EVERYTHING},
            True,
            id="a policy of its own",
        ),
        pytest.param(
            {"image": ECR, "task_role": {"policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}},
            {"nat": "single", "endpoints": EVERYTHING},
            True,
            id="a managed policy",
        ),
        pytest.param(
            {"image": ECR, "logs": {"routing": {"Name": "kinesis_firehose"}}},
            {"nat": "single", "endpoints": EVERYTHING},
            True,
            id="logs that go elsewhere",
        ),
    ],
)
def test_a_service_needs_the_internet_without_a_matching_endpoint(
    service: dict[str, Any], network: dict[str, Any], *, needs: bool
) -> None:
    assert topology.needs_internet(of(service, **network), "web") is needs
