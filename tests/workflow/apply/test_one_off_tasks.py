"""Tasks that run before services: a fake for Terraform defines them, and the emulator runs them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fleetform.aws.clients import Access
from fleetform.base.errors import InputError, ProgramError
from fleetform.cli import stacks
from fleetform.terraform.state.bucket import BucketSpec, ensure_bucket
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from tests import small_project
from tests.cli.test_cli import BUCKET, FOUNDATION, SERVICES
from tests.fake_terraform import FakeTerraform

MIGRATION = "  migration: { image: 'migration:1', run_before: [orders, web] }\n"
APPLIED = [
    *FOUNDATION,
    "foundation apply foundation.tfplan",
    "tasks init",
    "tasks plan tasks.tfplan",
    "tasks apply tasks.tfplan",
]


@pytest.fixture
def access(terraform_environment: Mapping[str, str]) -> Access:
    """The emulator."""
    return Access("eu-central-1", terraform_environment)


@pytest.fixture
def request_(access: Access) -> Iterator[dict[str, Any]]:
    """What RunTask takes to run a migration; all that it names is there."""
    ec2, ecs = access.client("ec2"), access.client("ecs")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="migration", Description="migration", VpcId=vpc)["GroupId"]
    cluster = ecs.create_cluster(clusterName="run-before")["cluster"]["clusterArn"]
    yield {
        "cluster": cluster,
        "taskDefinition": define(access),
        "enableECSManagedTags": True,
        "propagateTags": "TASK_DEFINITION",
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}],
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "assignPublicIp": "DISABLED",
                "securityGroups": [group],
                "subnets": [subnet],
            }
        },
    }
    ecs.delete_cluster(cluster=cluster)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


def define(access: Access) -> str:
    """A new revision of the migration."""
    answer = access.client("ecs").register_task_definition(
        family="shop-tiny-migration",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "migration", "image": "migration:1"}],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


@pytest.fixture
def bucket(access: Access) -> Iterator[Any]:
    """S3, with the state bucket of `tiny`."""
    ensure_bucket(access, BucketSpec(BUCKET, "123456789012"))
    s3 = access.client("s3")
    yield s3
    for version in s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def project(tiny_project: Project, fake_terraform: FakeTerraform, request_: dict[str, Any]) -> Project:
    """A project with a migration, in which every plan has a change, without a terminal."""
    fake_terraform.plan(add=1)
    fake_terraform.show("{}")
    fake_terraform.output({"migration": request_})
    small_project.write(tiny_project, "envs/catalog.yaml", small_project.CATALOG + MIGRATION)
    files.render_environment(tiny_project, "tiny")
    return tiny_project


def remembered(bucket: Any) -> str:  # noqa: ANN401 - boto3 makes its clients at run time
    """The revision that ran well."""
    body: bytes = bucket.get_object(Bucket=BUCKET, Key="tasks/migration")["Body"].read()
    return body.decode()


def output_before_services(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what an apply prints before it plans the services, with 0 s for every duration."""
    return re.sub(r"\(\d+ s\)", "(0 s)", capsys.readouterr().out.partition("services: plan\n")[0])


def test_a_task_runs_once_it_is_applied_and_before_services_are_planned(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
    request_: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert fake_terraform.calls() == [*APPLIED, *SERVICES, "services apply services.tfplan"]
    assert remembered(bucket) == request_["taskDefinition"]
    assert output_before_services(capsys).endswith(
        "tasks: apply: 1 added, 0 changed, 0 destroyed (0 s)\nmigration: run\nmigration: run: succeeded (0"
        " s)\n"
    )


@pytest.mark.usefixtures("bucket")
def test_a_revision_that_has_run_is_not_run_again(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.apply(project, "tiny", RunOptions(yes=True))
    capsys.readouterr()
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert output_before_services(capsys).endswith(
        "tasks: apply: 1 added, 0 changed, 0 destroyed (0 s)\nmigration: already succeeded\n"
    )


def test_where_a_task_fails_no_service_is_touched_and_the_next_apply_runs_it_again(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
    request_: dict[str, Any],
    access: Access,
) -> None:
    family = request_["taskDefinition"].rpartition(":")[0]
    fake_terraform.output({"migration": {**request_, "taskDefinition": f"{family}:999"}})
    with pytest.raises(ProgramError) as caught:
        stacks.apply(project, "tiny", RunOptions(yes=True))
    assert fake_terraform.calls() == APPLIED
    assert str(caught.value).endswith("; check the credentials, then apply again; it continues from here")
    mended = define(access)
    fake_terraform.output({"migration": {**request_, "taskDefinition": mended}})
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert fake_terraform.calls()[len(APPLIED) :] == [*APPLIED, *SERVICES, "services apply services.tfplan"]
    assert remembered(bucket) == mended


@pytest.mark.usefixtures("bucket")
def test_a_one_off_task_needs_confirmation(project: Project, fake_terraform: FakeTerraform) -> None:
    fake_terraform.no_changes()
    with pytest.raises(InputError) as caught:
        stacks.apply(project, "tiny")
    assert str(caught.value) == (
        "tiny tasks in account 123456789012: to run migration; there is no terminal to confirm it on: pass"
        " --yes"
    )
    assert fake_terraform.calls() == [*FOUNDATION, "tasks init", "tasks plan tasks.tfplan"]
