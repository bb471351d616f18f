"""The optional packages, and the message if one is missing."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fleetform.base import extras
from fleetform.base.errors import ProgramError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The modules that are installed, to add to."""
    modules: set[str] = set()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in modules else None)
    return modules


def message_of(*names: str) -> str:
    with pytest.raises(ProgramError) as caught:
        extras.require(*names)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_the_table_is_that_of_the_package(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        extra: [Requirement(item) for item in items]
        for extra, items in project["optional-dependencies"].items()
    }
    packages = {(item.name, extra) for extra, items in declared.items() for item in items if not item.extras}
    included = {
        extra: tuple(name for item in items for name in sorted(item.extras))
        for extra, items in declared.items()
        if any(item.extras for item in items)
    }
    assert {*extras.PACKAGES.values()} == packages
    assert included == {**extras.INCLUDED, "all": ("containers", "terraform", "test")}


def test_what_is_installed_is_not_required(installed: set[str]) -> None:
    installed |= {"boto3", "botocore"}
    extras.require("aws")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["aws"], "this needs boto3: `pip install 'fleetform[aws]'`"),
        (["containers"], "this needs docker and python-dotenv: `pip install 'fleetform[containers]'`"),
        (
            ["emulator", "containers"],
            (
                "this needs boto3, moto, flask, flask-cors, docker and python-dotenv: `pip install"
                " 'fleetform[emulator,containers]'`"
            ),
        ),
    ],
)
def test_all_that_is_missing_is_in_one_message(names: list[str], message: str) -> None:
    assert message_of(*names) == message


def test_an_extra_that_is_complete_is_not_in_the_message(installed: set[str]) -> None:
    installed |= {"docker", "dotenv", "boto3", "botocore", "flask", "flask_cors", "werkzeug"}
    assert message_of("emulator", "containers") == "this needs moto: `pip install 'fleetform[emulator]'`"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("module", ["dotenv", "dotenv.parser"])
def test_a_failed_import_of_an_optional_package_is_explained(module: str) -> None:
    expected = "this needs python-dotenv: `pip install 'fleetform[containers]'`"
    assert extras.explain(ModuleNotFoundError(name=module)) == expected


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("module", ["jinja2", "fleetform.missing", None])
def test_a_failed_import_of_anything_else_is_a_bug(module: str | None) -> None:
    assert extras.explain(ModuleNotFoundError(name=module)) is None


def test_a_missing_part_of_an_installed_package_is_a_bug(installed: set[str]) -> None:
    installed.add("boto3")
    assert extras.explain(ModuleNotFoundError(name="boto3.missing")) is None


@pytest.mark.parametrize(
    ("file", "command"),
    [("pipx_metadata.json", "pipx install --force"), ("uv-receipt.toml", "uv tool install --force")],
)
def test_the_environment_of_a_tool_is_installed_by_its_own_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, command: str
) -> None:
    (tmp_path / file).touch()
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    expected = f"`{command} 'fleetform[all]'`, or use the project's `./run`"
    assert extras.install_command("aws") == expected
