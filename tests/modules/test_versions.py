"""The provider versions: a range for the modules, one version in it for the stacks."""

import re
from pathlib import Path

from fleetform.catalog.constants import AWS_PROVIDER_VERSION
from tests.golden import FOLDER as GOLDEN

from .plans import MODULES

RANGE = ">= 5.100.0, < 7.0.0"
"""To change it, edit modules/*/versions.tf, tests/modules/*/main.tf and docs/upgrading.md too."""

_VERSION = re.compile(r'^ +version += "([^"]+)"$', re.MULTILINE)


def provider_version(path: Path) -> str:
    """Return the only version that a file constrains a provider to."""
    (version,) = _VERSION.findall(path.read_text(encoding="utf-8"))
    return str(version)


def numbers(version: str) -> tuple[int, ...]:
    """Return the parts of a version as numbers, which compare as versions do."""
    return tuple(int(part) for part in version.split("."))


def test_every_module_has_the_same_versions() -> None:
    texts = {path.read_text(encoding="utf-8") for path in MODULES.glob("*/versions.tf")}
    assert len(texts) == 1, "make all modules/*/versions.tf equal"


def test_every_module_allows_the_same_range() -> None:
    ranges = {path.parent.name: provider_version(path) for path in MODULES.glob("*/versions.tf")}
    assert ranges == {path.name: RANGE for path in MODULES.iterdir()}


def test_the_modules_are_planned_with_the_same_range() -> None:
    roots = [Path(__file__).parent / root / "main.tf" for root in ("graphs", "planned")]
    assert [provider_version(path) for path in roots] == [RANGE, RANGE]


def test_every_stack_pins_the_same_version() -> None:
    assert {provider_version(path) for path in GOLDEN.rglob("versions.tf")} == {AWS_PROVIDER_VERSION}


def test_the_version_of_the_stacks_is_in_the_range_of_the_modules() -> None:
    least, below = re.findall(r"[\d.]+", RANGE)
    assert numbers(least) <= numbers(AWS_PROVIDER_VERSION) < numbers(below)


def test_the_upgrade_notes_name_the_range(root: Path) -> None:
    assert f"`{RANGE}`" in (root / "docs/upgrading.md").read_text(encoding="utf-8")
