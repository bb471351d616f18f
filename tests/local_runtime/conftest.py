import os
from pathlib import Path

import pytest

from fleetform.local_runtime.project import Project
from fleetform.local_runtime.runner import Runner
from tests.local_runtime.fake_programs import FakePrograms, make


@pytest.fixture
def fake_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    """A folder of programs that is all of PATH; no program is in it yet."""
    monkeypatch.setenv("PATH", str(tmp_path / "fake-programs"))
    return make(tmp_path / "fake-programs")


@pytest.fixture
def runner(fake_programs: FakePrograms) -> Runner:
    """Docker with a `docker-compose`."""
    fake_programs.install("docker", "docker-compose")
    return Runner("docker", ("docker-compose",), os.environ)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project("shop-local", tmp_path / "compose.yaml", tmp_path / "compose.log")
