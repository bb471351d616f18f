from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from fleetform.emulator import Emulator, Options, start, stop
from tests.emulator.resources import Client, Network, register_task_definition

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator, without delays, for every test that only calls it; each test makes its own resources."""
    folder = tmp_path_factory.mktemp("emulator")
    yield start(folder, port=0, options=Options(delay=0))
    stop(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose emulator, if the test starts one, ends with the test."""
    yield tmp_path
    stop(tmp_path)


@pytest.fixture(scope="session")
def client(emulator: Emulator) -> Callable[[str], Any]:
    """Return boto3's client of a service, pointed at the emulator."""
    session: Any = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
    )

    @cache
    def make(service: str) -> Any:  # noqa: ANN401 -- boto3 makes its clients at run time
        return session.client(service, endpoint_url=emulator.url, config=Config(inject_host_prefix=False))

    return make


@pytest.fixture
def network(client: Client) -> Iterator[Network]:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for cidr, zone in (("10.9.1.0/24", "eu-central-1a"), ("10.9.2.0/24", "eu-central-1b"))
    ]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    yield Network(vpc, subnets, group)
    ec2.delete_security_group(GroupId=group)
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


@pytest.fixture
def cluster(client: Client) -> Iterator[str]:
    ecs = client("ecs")
    name = f"cluster-{uuid4().hex}"
    ecs.create_cluster(clusterName=name)
    yield name
    ecs.delete_cluster(cluster=name)


@pytest.fixture
def create_service(client: Client, cluster: str, network: Network) -> Iterator[Callable[..., dict[str, Any]]]:
    """Make a service ``web`` that ends with the test."""
    ecs = client("ecs")
    awsvpc = {"subnets": network.subnets, "securityGroups": [network.group]}

    def create(**settings: object) -> dict[str, Any]:
        defaults = {
            "cluster": cluster,
            "serviceName": "web",
            "taskDefinition": register_task_definition(client, "web"),
            "networkConfiguration": {"awsvpcConfiguration": awsvpc},
        }
        service: dict[str, Any] = ecs.create_service(**{**defaults, **settings})["service"]
        return service

    yield create
    ecs.delete_service(cluster=cluster, service="web", force=True)
