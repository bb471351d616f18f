"""Golden screens.

What a terminal shows of `--list`, `plan`, `apply`, `destroy` and Ctrl-C, narrow and wide.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetform.terraform.state.reader import state_key
from fleetform.workflow.apply import states
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import open_workspace
from tests.fake_terraform import FakeTerraform
from tests.generated import Generated
from tests.terminal import Terminal

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "screens"

PLAN = """Terraform will perform the following actions:

  # aws_vpc.this will be created
  + resource "aws_vpc" "this" {
    }
"""
RISKY_PLAN = """Terraform will perform the following actions:

  # module.web.aws_ecs_service.this will be destroyed
  - resource "aws_ecs_service" "this" {
    }
"""
INTERRUPTED_APPLY = """
trap 'echo "Stopping operation..."; exit 1' INT
echo 'aws_vpc.this: Creation complete after 1s [id=vpc-1]'
echo 'aws_subnet.this["a"]: Creation complete after 1s [id=subnet-1]'
echo 'aws_subnet.this["b"]: Creating...'
while :; do sleep 0.1; done
"""


@pytest.fixture(params=[80, 160])
def columns(request: pytest.FixtureRequest) -> int:
    """Width of the terminal."""
    width: int = request.param
    return width


@pytest.fixture
def applied(tiny_project: Project) -> Iterator[None]:
    """Both stacks have a state."""
    workspace = open_workspace(tiny_project, "tiny")
    states.bootstrap(workspace)
    s3, bucket = workspace.access.client("s3"), workspace.environment.state_bucket
    for stack in workspace.stacks:
        s3.put_object(Bucket=bucket, Key=state_key(stack.name), Body=b'{"resources": []}')
    yield
    for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)


def check(generated: Generated, name: str, terminal: Terminal, *task: str, interrupt_at: str = "") -> None:
    """Compare a screen with its golden file."""
    screen = terminal.run(*task, interrupt_at=interrupt_at)
    generated.check(GOLDEN / f"{name}-{terminal.columns}.txt", screen)


def test_the_list_of_tasks(tiny_project: Project, generated: Generated, columns: int) -> None:
    check(generated, "list", Terminal(tiny_project.root, columns), "--list")


@pytest.mark.usefixtures("applied")
def test_a_plan(
    tiny_project: Project, fake_terraform: FakeTerraform, generated: Generated, columns: int
) -> None:
    fake_terraform.plan(add=1, text=PLAN, stack="foundation")
    fake_terraform.plan(destroy=1, text=RISKY_PLAN, stack="services")
    check(generated, "plan", Terminal(tiny_project.root, columns), "plan", "--env", "tiny", "--jobs", "2")


def test_an_apply(
    tiny_project: Project, fake_terraform: FakeTerraform, generated: Generated, columns: int
) -> None:
    fake_terraform.plan(add=1, text=PLAN, stack="foundation")
    check(generated, "apply", Terminal(tiny_project.root, columns), "apply", "--env", "tiny", "--yes")


def test_an_apply_that_is_interrupted(
    tiny_project: Project, fake_terraform: FakeTerraform, generated: Generated, columns: int
) -> None:
    fake_terraform.plan(add=1, text=PLAN, stack="foundation")
    fake_terraform.run("apply", INTERRUPTED_APPLY)
    terminal = Terminal(tiny_project.root, columns)
    check(generated, "interrupt", terminal, "apply", "--env", "tiny", "--yes", interrupt_at='"b"]: Creating')


@pytest.mark.usefixtures("applied")
def test_a_destroy(
    tiny_project: Project, fake_terraform: FakeTerraform, generated: Generated, columns: int
) -> None:
    fake_terraform.plan(destroy=1, text=RISKY_PLAN)
    fake_terraform.answer("apply", "Apply complete! Resources: 0 added, 0 changed, 1 destroyed.")
    check(generated, "destroy", Terminal(tiny_project.root, columns), "destroy", "--env", "tiny", "--yes")
