from pathlib import Path

import pytest

from . import readme
from .plans import MODULES


@pytest.mark.parametrize("module", sorted(MODULES.iterdir()), ids=lambda module: module.name)
def test_readme_is_current(module: Path) -> None:
    """A README shows the example as it is planned, and the inputs and outputs as they are."""
    written = (module / "README.md").read_text(encoding="utf-8")
    assert written == readme.current(module), "run: python -m tests.modules.readme"
