from pathlib import Path

import pytest

from tests.images.fake_engine import FakeEngine, make


@pytest.fixture
def fake_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine that is first on PATH, and its registry."""
    monkeypatch.setenv("PATH", str(tmp_path / "fake-engine"), prepend=":")
    return make(tmp_path / "fake-engine")
