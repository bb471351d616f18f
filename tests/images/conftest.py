from pathlib import Path

import pytest

from tests.images.stand_in import StandIn, make


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """An engine that is first on PATH, and its registry."""
    monkeypatch.setenv("PATH", str(tmp_path / "stand-in"), prepend=":")
    return make(tmp_path / "stand-in")
