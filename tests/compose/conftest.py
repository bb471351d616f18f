from pathlib import Path

import pytest

from tests.compose.stand_in import StandIn, make


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A folder of programs that is all of PATH; no program is in it yet."""
    monkeypatch.setenv("PATH", str(tmp_path / "stand-in"))
    return make(tmp_path / "stand-in")
