"""The cached environment of a project."""

import shutil
from pathlib import Path

import pytest

from fleetform.catalog.models import Environment
from fleetform.validation import loading
from fleetform.workflow.project import Project
from tests import sample
from tests.catalog.changes import environments


def assert_is_read_back(environment: Environment) -> None:
    """Assert that an environment survives the cache, together with which of its keys are set."""
    data = environment.model_dump_json(exclude_unset=True)
    found = Environment.model_validate_json(data)
    assert found == environment
    assert found.model_dump_json(exclude_unset=True) == data


@pytest.mark.parametrize(
    "environment", [*environments()], ids=["everything", "dns", "public", "vpc-by-id", "vpc-by-tags"]
)
def test_every_key_of_an_environment_is_read_back(environment: Environment) -> None:
    assert_is_read_back(environment)


@pytest.mark.parametrize("name", sample.ENVIRONMENTS)
def test_the_sample_environments_are_read_back(name: str) -> None:
    assert_is_read_back(loading.load(sample.FOLDER, name))


def test_an_environment_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(sample.FOLDER / "envs", tmp_path / "envs")
    loads = []
    load = loading.load

    def counted(root: Path, name: str) -> Environment:
        loads.append(name)
        return load(root, name)

    monkeypatch.setattr(loading, "load", counted)
    first = Project(tmp_path).environment("prod")
    assert Project(tmp_path).environment("prod") == first
    (tmp_path / "envs/catalog.yaml").write_text(
        (tmp_path / "envs/catalog.yaml").read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8"
    )
    assert Project(tmp_path).environment("prod") == first
    assert loads == ["prod", "prod"]
