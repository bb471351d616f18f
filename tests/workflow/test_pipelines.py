"""`invoke ci`: pipelines are written and compared, and never overwrite files of other authors."""

from pathlib import Path

import pytest

from fleetform.base.errors import CatalogError, CheckFailedError, InputError
from fleetform.ci.pipelines import PROVIDERS, Provider
from fleetform.cli import pipelines as console
from fleetform.workflow.project import Project
from tests import small_project
from tests.small_project import edit, write

GITHUB = PROVIDERS["github"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small_project.make(tmp_path)


def read(project: Project, name: str) -> str:
    return (project.root / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_a_definition_is_written_and_then_up_to_date(
    project: Project, provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    console.ci(project, provider.name, check=False, as_json=False)
    console.ci(project, "", check=True, as_json=False)
    assert capsys.readouterr().out == f"added    {provider.file}\n"
    assert read(project, str(provider.file)).startswith(provider.header)


def test_a_new_group_makes_a_definition_stale(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    console.ci(project, "gitlab", check=False, as_json=False)
    before = read(project, ".gitlab-ci.yml")
    edit(project, "envs/catalog.yaml", "port: 8080\n", "port: 8080\n    group: back\n")
    capsys.readouterr()
    with pytest.raises(CheckFailedError) as caught:
        console.ci(project, "", check=True, as_json=False)
    assert str(caught.value) == "out of date with envs/ and templates/ci/: .gitlab-ci.yml; run `invoke ci`"
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("+ ")] == [
        '+          - "back"'
    ]
    assert read(project, ".gitlab-ci.yml") == before


def test_the_existing_definitions_are_regenerated_without_a_provider(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    for provider in ("github", "atlantis"):
        console.ci(project, provider, check=False, as_json=False)
    write(project, "envs/live/environment.yaml", "protection: true\n")
    capsys.readouterr()
    console.ci(project, "", check=False, as_json=True)
    assert capsys.readouterr().out == (
        '[\n  {\n    "path": ".github/workflows/fleetform.yml",\n    "change": "changed"\n  },\n'
        '  {\n    "path": "atlantis.yaml",\n    "change": "changed"\n  }\n]\n'
    )


def test_a_file_of_another_author_is_neither_overwritten_nor_regenerated(project: Project) -> None:
    write(project, "atlantis.yaml", "version: 3\n")
    with pytest.raises(InputError) as caught:
        console.ci(project, "atlantis", check=False, as_json=False)
    assert str(caught.value) == ("atlantis.yaml:1:1: exists but was not generated; rename or remove it")
    with pytest.raises(InputError) as caught:
        console.ci(project, "", check=False, as_json=False)
    assert str(caught.value) == (
        "no generated pipeline here; write one with `--provider` and one of github, gitlab, atlantis"
    )
    assert read(project, "atlantis.yaml") == "version: 3\n"


def test_an_environment_may_name_those_before_it(project: Project) -> None:
    write(project, "envs/accept/environment.yaml", "applied_after: tiny\n")
    console.ci(project, "github", check=False, as_json=False)
    assert "needs: [check, apply-tiny]" in read(project, str(GITHUB.file))


def test_an_unknown_previous_environment_is_reported_with_its_place(project: Project) -> None:
    write(project, "envs/live/environment.yaml", "log_retention_in_days: 30\napplied_after: [tniy, live]\n")
    with pytest.raises(CatalogError) as caught:
        console.ci(project, "github", check=False, as_json=False)
    place = "envs/live/environment.yaml:2:16: `live` is applied after"
    assert str(caught.value).splitlines() == [
        f"{place} unknown environment `live`; known: local, tiny",
        f"{place} unknown environment `tniy`; did you mean `tiny`?",
    ]


def test_a_definition_that_is_missing_is_stale(project: Project) -> None:
    with pytest.raises(CheckFailedError):
        console.ci(project, "github", check=True, as_json=False)
    assert not (project.root / ".github").exists()


def test_a_link_out_of_the_repository_is_refused(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (project.root / ".github").symlink_to(outside)
    with pytest.raises(InputError, match="is a symbolic link to outside this repository"):
        console.ci(project, "github", check=False, as_json=False)
    assert list(outside.iterdir()) == []


def test_a_provider_that_there_is_not_is_refused(project: Project) -> None:
    with pytest.raises(InputError) as caught:
        console.ci(project, "gitlib", check=False, as_json=False)
    assert str(caught.value) == "unknown provider `gitlib`; did you mean `gitlab`?"


def test_a_pipeline_without_an_environment_on_aws_is_refused(project: Project) -> None:
    write(project, "envs/tiny/environment.yaml", "emulator: true\n")
    with pytest.raises(InputError) as caught:
        console.ci(project, "github", check=False, as_json=False)
    assert str(caught.value) == (
        "no environment is on AWS, so a pipeline has nothing to plan; run `invoke new-env` to add one"
    )
