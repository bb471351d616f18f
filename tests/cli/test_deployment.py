"""The tasks that take images to where they run, on the emulator and with a fake for Terraform."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fleetform import emulator
from fleetform.aws.verification import Report, ServiceStatus
from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.catalog.images_lock import LockedImage, format_lock, load_lock, write_lock
from fleetform.cli import stacks
from fleetform.cli.deployment import DeployOptions, deploy, promote, rollback
from fleetform.images.image_specs import image_specs
from fleetform.images.scanning import Scan, Vulnerability
from fleetform.terraform.state.reader import state_key
from fleetform.validation.loading import load
from fleetform.workflow.apply import states, terraform, verification
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.images import build
from fleetform.workflow.images.registry import open_registry, require_images
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from fleetform.workflow.workspace import open_workspace
from tests import small_project
from tests.cli.test_cli import FOUNDATION, SERVICES
from tests.commits import git
from tests.fake_terraform import FakeTerraform
from tests.images.registries import locked, make_repository, push

REPORT = Report(
    2, (), (ServiceStatus("orders", "", None, (), 1, 1, 0), ServiceStatus("web", "", 80, (), 1, 2, 1))
)
OLD = locked("sha256:" + "2" * 64)
NEW = locked("sha256:" + "3" * 64)


@pytest.fixture
def project(tmp_path: Path, fake_terraform: FakeTerraform) -> Iterator[Project]:
    """A project that builds `web`, in which every plan has a change; its emulator ends with the test."""
    project = small_project.make(tmp_path)
    small_project.edit(
        project,
        "envs/catalog.yaml",
        "image: nginx:1.29\n    port: 80\n",
        "build: {context: web}\n    port: 80\n",
    )
    small_project.write(project, "web/Dockerfile", "FROM scratch\nUSER 1\n")
    fake_terraform.plan(add=1)
    fake_terraform.show("{}")
    yield project
    emulator.stop(project.work)


def image_in(project: Project, env: str, tag: str = "1" * 16) -> LockedImage:
    """An image in the repository of `web` in an environment; its entry in a lock."""
    emulator.start(project.work, port=0)
    environment = load(project.root, env)
    registry = open_registry(project, environment)
    repository = make_repository(registry, f"{environment.prefix}-web")
    return locked(push(repository, "web", tag))


def text(project: Project, path: str) -> str:
    """A file of the project."""
    return (project.root / path).read_text(encoding="utf-8")


def deployable(project: Project, monkeypatch: pytest.MonkeyPatch) -> LockedImage:
    """Puts what `web` is built from into the registry, so that no engine is needed; all is verified."""
    monkeypatch.setattr(verification, "verify", lambda _: REPORT)
    (image,) = image_specs(project.root, load(project.root, "local"), ["web"])
    return image.locked(image_in(project, "local", image.tag).digest)


def test_a_deployment_goes_from_the_catalog_to_verified(
    project: Project,
    fake_terraform: FakeTerraform,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = deployable(project, monkeypatch)
    deploy(project, "local", DeployOptions())
    assert load_lock(project.root, "local") == {"web": image}
    assert f'repository_urls["web"]}}@{image.digest}"' in text(project, "envs/local/services/service_web.tf")
    assert fake_terraform.calls() == [
        *FOUNDATION,
        "foundation apply foundation.tfplan",
        *SERVICES,
        "services apply services.tfplan",
    ]
    shown = re.sub(r" +$", "", capsys.readouterr().out, flags=re.MULTILINE)
    width = len(f"{image.tag} ({image.digest[:19]})")
    assert shown.endswith(
        f"service  {'image':{width}}  tasks\n"
        f"orders   {'nginx:1.29':{width}}    1/1\n"
        f"web      {image.tag} ({image.digest[:19]})    1/2\n"
    )


def test_images_are_locked_before_the_services_are_planned(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No placeholder is ever deployed.

    The plan of the services that is applied is made of the rendered digest.
    """
    image = deployable(project, monkeypatch)
    seen = []
    plan = terraform.plan

    def watching(*arguments: Any, **options: Any) -> terraform.Plan:  # noqa: ANN401
        seen.append(image.digest in text(project, "envs/local/services/service_web.tf"))
        return plan(*arguments, **options)

    monkeypatch.setattr(terraform, "plan", watching)
    deploy(project, "local", DeployOptions())
    assert seen == [False, True]


def test_a_second_deployment_has_nothing_left_to_do(
    project: Project,
    fake_terraform: FakeTerraform,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deployable(project, monkeypatch)
    deploy(project, "local", DeployOptions())
    before = small_project.content(project)
    fake_terraform.no_changes()
    capsys.readouterr()
    deploy(project, "local", DeployOptions())
    assert small_project.content(project) == before
    assert fake_terraform.calls()[6:] == [*FOUNDATION, *SERVICES]


def test_what_the_foundation_loses_is_given_up_by_services_that_have_their_images(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployable(project, monkeypatch)
    workspace = open_workspace(project, "local")
    states.bootstrap(workspace)
    for stack in ("foundation", "services"):
        workspace.access.client("s3").put_object(
            Bucket="shop-local-tfstate-123456789012", Key=state_key(stack), Body=b"{}"
        )
    fake_terraform.plan(destroy=1)
    made = []
    make = build.make_images

    def watching(*arguments: Any) -> build.ImagesReport:  # noqa: ANN401
        made.append(len(fake_terraform.calls()))
        return make(*arguments)

    monkeypatch.setattr(build, "make_images", watching)
    deploy(project, "local", DeployOptions())
    assert fake_terraform.calls() == [
        *FOUNDATION,
        *SERVICES,
        "services apply services.tfplan",
        *FOUNDATION,
        "foundation apply foundation.tfplan",
        *SERVICES,
        "services apply services.tfplan",
    ]
    assert made == [len(FOUNDATION)]


def test_differences_fail_a_deployment_once_all_is_shown(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployable(project, monkeypatch)
    monkeypatch.setattr(
        verification, "verify", lambda _: Report(2, ("tasks of web: expected 2, found 1",), ())
    )
    with pytest.raises(CheckFailedError) as caught:
        deploy(project, "local", DeployOptions())
    assert (
        str(caught.value)
        == "tasks of web: expected 2, found 1\nrun `invoke verify --env local` to check again"
    )


def test_what_a_scan_found_stops_a_deployment_before_the_services(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployable(project, monkeypatch)
    found = Scan(
        (Vulnerability("critical", "CVE-2026-1", "openssl 3.0.1"), Vulnerability("high", "CVE-2026-2", ""))
    )
    monkeypatch.setattr("fleetform.cli.deployment.read_scan", lambda *_: found)
    with pytest.raises(CheckFailedError) as caught:
        deploy(project, "local", DeployOptions(severity="high"))
    assert str(caught.value) == (
        "web: critical CVE-2026-1 in openssl 3.0.1\nweb: high CVE-2026-2\n"
        "2 found of severity high or worse; fix it, or accept it with a higher `--severity`, or `none`"
    )
    assert fake_terraform.calls() == [*FOUNDATION, "foundation apply foundation.tfplan"]


def test_every_finding_of_a_scan_can_be_accepted(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployable(project, monkeypatch)
    monkeypatch.setattr("fleetform.cli.deployment.read_scan", None)
    deploy(project, "local", DeployOptions(severity="none"))
    assert fake_terraform.calls()[-1] == "services apply services.tfplan"


def test_a_deployment_that_builds_nothing_reports_that_and_scans_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verification, "verify", lambda _: REPORT)
    small_project.edit(project, "envs/catalog.yaml", "build: {context: web}", "image: nginx:1.29")
    deploy(project, "local", DeployOptions())
    lines = [re.sub(r" \d+\.\d s$", "", line) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line.startswith("✓")] == [
        "✓ Images of local: no service is built here",
        "✓ Read ECR's scans: no service is built here",
        "✓ Verify through the AWS API: 2 of 2 facts match the catalog",
    ]


def test_an_unknown_severity_is_refused_before_anything_is_done(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    with pytest.raises(InputError, match=r"^unknown severity `bad`; choose one of critical, "):
        deploy(project, "local", DeployOptions(severity="bad"))
    assert fake_terraform.calls() == []


def add_stage(project: Project) -> None:
    """A second environment on the emulator."""
    small_project.write(project, "envs/stage/environment.yaml", "emulator: true\n")


def test_a_promotion_copies_locks_and_renders(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    add_stage(project)
    image = image_in(project, "local")
    write_lock(project.root, "local", {"web": image})
    registry = open_registry(project, load(project.root, "stage"))
    target = make_repository(registry, "shop-stage-web")
    promote(project, "local", "stage", [], None)
    assert load_lock(project.root, "stage") == {"web": image}
    assert registry.find(target.name, image.tag) == image.digest
    assert f'repository_urls["web"]}}@{image.digest}"' in text(project, "envs/stage/services/service_web.tf")
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r" \d+\.\d s$", "", lines[0]), lines[-1]] == [
        f"✓ web {image.tag} ({image.digest[:19]}): copied",
        "next: commit envs/stage, then run `invoke plan --env stage`",
    ]


def test_an_sbom_that_a_promotion_cannot_copy_is_reported_and_the_image_is_locked(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise ProgramError("no artifacts here")

    add_stage(project)
    image = image_in(project, "local")
    write_lock(project.root, "local", {"web": image})
    make_repository(open_registry(project, load(project.root, "stage")), "shop-stage-web")
    monkeypatch.setattr("fleetform.images.promotion.copy_attached", refuse)
    promote(project, "local", "stage", [], None)
    assert load_lock(project.root, "stage") == {"web": image}
    assert capsys.readouterr().out.splitlines()[1] == (
        "  web: the image's attachments, such as its SBOM, were not copied: no artifacts here"
    )


def test_a_promotion_that_fails_writes_nothing(project: Project) -> None:
    add_stage(project)
    write_lock(project.root, "local", {"web": image_in(project, "local")})
    before = small_project.content(project)
    with pytest.raises(
        InputError,
        match=r"^ECR has no repository `shop-stage-web`, which the foundation creates; run `invoke",
    ):
        promote(project, "local", "stage", [], None)
    assert small_project.content(project) == before


def test_an_unknown_profile_is_reported_with_its_flag(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    write_lock(project.root, "tiny", {"web": OLD})
    with pytest.raises(InputError) as caught:
        promote(project, "tiny", "local", [], "elsewhere")
    assert str(caught.value) == "--from-profile: The config profile (elsewhere) could not be found"


def test_a_rollback_locks_the_image_before_and_renders(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    git(project.root, "init", "--quiet")
    for image in (OLD, NEW):
        write_lock(project.root, "tiny", {"web": image})
        git(project.root, "add", "envs")
        git(project.root, "commit", "--quiet", "--message=A lock")
    commit = git(project.root, "rev-parse", "HEAD~1")
    rollback(project, "tiny", "web")
    assert text(project, "envs/tiny/images.lock.yaml") == format_lock({"web": OLD})
    assert f'repository_urls["web"]}}@{OLD.digest}"' in text(project, "envs/tiny/services/service_web.tf")
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[-1]] == [
        f"web: rolled back to 1111111111111111 (sha256:222222222222) of commit {commit[:12]}",
        "next: commit envs/tiny, then run `invoke plan --env tiny`",
    ]


def test_without_images_the_foundation_is_applied_to_aws_and_the_services_are_not(
    project: Project,
    fake_terraform: FakeTerraform,
    monkeypatch: pytest.MonkeyPatch,
    terraform_environment: Mapping[str, str],
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, terraform_environment[name])
    files.render_environment(project, "tiny")
    with pytest.raises(CheckFailedError) as caught:
        stacks.apply(project, "tiny", RunOptions(yes=True))
    assert str(caught.value) == (
        "tiny has no image of web yet; run `invoke images --env tiny` and apply again, or run"
        " `invoke deploy --env tiny`"
    )
    assert fake_terraform.calls() == [*FOUNDATION, "foundation apply foundation.tfplan"]


def test_a_service_with_its_image_is_applied_to_aws(project: Project) -> None:
    write_lock(project.root, "tiny", {"web": OLD})
    require_images(project, load(project.root, "tiny"))


def test_the_emulator_needs_no_images(project: Project) -> None:
    require_images(project, load(project.root, "local"))
