from pathlib import Path

import pytest

from tests.generated import Generated

from . import readme
from .plans import MODULES


@pytest.mark.parametrize("module", sorted(MODULES.iterdir()), ids=lambda module: module.name)
def test_readme_is_current(module: Path, generated: Generated) -> None:
    """A README shows the example as it is planned, and the inputs and outputs as they are."""
    generated.check(module / "README.md", readme.current(module))
