import os
from pathlib import Path

import pytest

from fleetform.local_runtime.project import Project
from fleetform.local_runtime.runner import Runner
from tests.local_runtime.stand_in import StandIn, make


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A folder of programs that is all of PATH; no program is in it yet."""
    monkeypatch.setenv("PATH", str(tmp_path / "stand-in"))
    return make(tmp_path / "stand-in")


@pytest.fixture
def runner(stand_in: StandIn) -> Runner:
    """Docker with a `docker-compose`."""
    stand_in.install("docker", "docker-compose")
    return Runner("docker", ("docker-compose",), os.environ)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project("shop-local", tmp_path / "compose.yaml", tmp_path / "compose.log")
