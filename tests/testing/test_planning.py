"""The plan of an environment is made once, and again if anything that it follows from has changed."""

import json
from pathlib import Path

import pytest

from fleetform import emulator
from fleetform.base.errors import InputError, ProgramError
from fleetform.emulator import Emulator
from fleetform.testing.planning import plan
from fleetform.workflow.project import Project
from tests import small_project
from tests.fake_terraform import FakeTerraform

VALUES = {"planned_values": {"outputs": {"name": {"value": "shop"}}, "root_module": {}}}
PLANNED = ["apply", "plan", "plan"]


@pytest.fixture
def project(
    tmp_path: Path,
    fake_terraform: FakeTerraform,
    monkeypatch: pytest.MonkeyPatch,
    terraform_environment: dict[str, str],
) -> Project:
    """A project whose plans all have the same output; an emulator runs already, which takes seconds."""
    running = Emulator(terraform_environment["AWS_ENDPOINT_URL"], 0, "123456789012")
    monkeypatch.setattr(emulator, "start", lambda *_, **__: running)
    fake_terraform.install_on_init()
    fake_terraform.show(json.dumps(VALUES))
    return small_project.make(tmp_path)


def planned(project: Project, name: str = "tiny") -> dict[str, object]:
    """Plan an environment and return its outputs by stack."""
    return {stack: dict(each.outputs) for stack, each in plan(project.root, name).stacks.items()}


@pytest.mark.parametrize("name", ["tiny", "local"])
def test_a_foundation_is_applied_before_every_stack_is_planned(
    project: Project, fake_terraform: FakeTerraform, name: str
) -> None:
    assert planned(project, name) == {"foundation": {"name": "shop"}, "services": {"name": "shop"}}
    assert fake_terraform.calls("apply", "plan", "show") == ["apply", "plan", "plan", "show", "show"] or (
        sorted(fake_terraform.calls("apply", "plan", "show")[1:]) == ["plan", "plan", "show", "show"]
    )


def test_a_plan_is_made_once_for_the_same_files(project: Project, fake_terraform: FakeTerraform) -> None:
    first = planned(project)
    fake_terraform.forget()
    assert planned(project) == first
    assert fake_terraform.all_calls() == []


@pytest.mark.parametrize(
    "file",
    [
        "envs/tiny/services/service_web.tf",
        "envs/tiny/services/.terraform.lock.hcl",
        "envs/tiny/services/extra/queue.tf",
        "envs/tiny/shared/queue.tf",
    ],
)
def test_a_plan_is_made_again_for_other_files(
    project: Project, fake_terraform: FakeTerraform, file: str
) -> None:
    planned(project)
    fake_terraform.forget()
    path = project.root / file
    small_project.write(project, file, f"{path.read_text(encoding='utf-8') if path.exists() else ''}# new\n")
    planned(project)
    assert sorted(fake_terraform.calls("apply", "plan")) == PLANNED


def test_a_module_outside_of_the_usual_folders_is_part_of_a_plan(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    small_project.write(
        project, "envs/tiny/services/mail.tf", 'module "mail" {\n  source = "../../../team/mail"\n}\n'
    )
    small_project.write(project, "team/mail/main.tf", 'module "queue" {\n  source = "../queue"\n}\n')
    small_project.write(project, "team/queue/main.tf", "# empty\n")
    planned(project)
    copy = project.work / "testing/tiny/project/team"
    assert sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*.tf")) == [
        "mail/main.tf",
        "queue/main.tf",
    ]
    fake_terraform.forget()
    small_project.write(project, "team/queue/main.tf", "# changed\n")
    planned(project)
    assert sorted(fake_terraform.calls("apply", "plan")) == PLANNED


def test_a_plan_is_made_again_for_other_variables_of_terraform(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(project)
    fake_terraform.forget()
    monkeypatch.setenv("TF_VAR_name", "other")
    planned(project)
    assert sorted(fake_terraform.calls("apply", "plan")) == PLANNED


def test_no_credentials_and_no_other_endpoint_reach_terraform(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_EC2"):
        monkeypatch.setenv(name, "real")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    written = tmp_path / "variables"
    fake_terraform.run("apply", f"env | grep ^AWS_ >'{written}'")
    planned(project)
    variables = dict(line.split("=", 1) for line in written.read_text(encoding="utf-8").splitlines())
    assert variables.pop("AWS_ENDPOINT_URL").startswith("http://127.0.0.1:")
    assert variables == {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def test_resources_that_are_adopted_are_planned_without_their_import(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    """The emulator does not have them."""
    small_project.write(project, "envs/tiny/foundation/import.tf", "import {}\n")
    planned(project)
    copy = project.work / "testing/tiny/project/envs/tiny/foundation"
    assert (copy / "network.tf").is_file()
    assert not (copy / "import.tf").exists()
    assert fake_terraform.calls("apply") == ["apply"]


def test_what_takes_a_minute_is_planned_but_not_applied(
    project: Project, fake_terraform: FakeTerraform, tmp_path: Path
) -> None:
    show = "cat ../../../modules/ingress/*_override.tf"
    fake_terraform.run("apply", f"{show} >'{tmp_path}/applied'")
    fake_terraform.run("plan", f"{show} >>'{tmp_path}/planned' 2>/dev/null || :")
    planned(project)
    assert (tmp_path / "applied").read_text(encoding="utf-8") == (
        'resource "aws_s3_bucket_lifecycle_configuration" "logs" {\n  for_each = {}\n}\n'
    )
    assert (tmp_path / "planned").read_text(encoding="utf-8") == ""


def test_a_plan_leaves_no_emulator_and_nothing_in_the_environments(
    tmp_path: Path, fake_terraform: FakeTerraform
) -> None:
    project = small_project.make(tmp_path)
    fake_terraform.show(json.dumps(VALUES))
    before = small_project.content(project)
    planned(project)
    folders = [path.parent for path in project.work.rglob("emulator.log")]
    assert [emulator.status(folder) for folder in folders] == [None] * len(folders) != []
    assert small_project.content(project) == before


def test_a_failed_plan_is_explained_and_not_cached(project: Project, fake_terraform: FakeTerraform) -> None:
    fake_terraform.run("plan", "echo 'Error: no such queue' >&2; exit 1")
    with pytest.raises(ProgramError) as error:
        planned(project)
    assert str(error.value) == "envs/tiny/foundation cannot be planned: Error: no such queue"
    fake_terraform.no_changes()
    assert planned(project) == {"foundation": {"name": "shop"}, "services": {"name": "shop"}}


def test_a_stack_that_is_not_rendered_is_reported_before_anything_runs(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    (project.root / "envs/tiny/services/versions.tf").unlink()
    with pytest.raises(InputError) as error:
        planned(project)
    assert str(error.value) == "envs/tiny/services is not rendered; run `invoke render --env tiny`"
    assert fake_terraform.all_calls() == []


@pytest.mark.parametrize("configured", ["TF_PLUGIN_CACHE_DIR", ".terraformrc", ""])
def test_all_stacks_share_one_download_of_a_provider_unless_a_cache_is_configured(
    project: Project,
    fake_terraform: FakeTerraform,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    configured: str,
) -> None:
    monkeypatch.setattr("fleetform.terraform.installation.find_mirrors", lambda _: [])
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    if configured.startswith("."):
        (tmp_path / "home" / configured).touch()
    elif configured:
        monkeypatch.setenv(configured, "/team")
    written = tmp_path / "variables"
    fake_terraform.run("apply", f"printf %s \"$TF_PLUGIN_CACHE_DIR\" >'{written}'")
    planned(project)
    own = str(project.work / "testing/tiny/providers")
    assert written.read_text(encoding="utf-8") == {"": own, ".terraformrc": ""}.get(configured, "/team")
