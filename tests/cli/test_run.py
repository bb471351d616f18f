"""The wrapper `run`, and the requirements that it installs."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

FILES = ("build.txt", "dev.txt", "project.txt", "run.txt", "terraform.txt", "test.txt")


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """The wrapper with one requirement and, for a Python environment, a fake that tells how it is called."""
    shutil.copy(root / "run", tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/run.txt").write_text("invoke==3.0.0\n", encoding="utf-8")
    return tmp_path


def add_python(checkout: Path) -> Path:
    """Puts the fake where the Python environment is."""
    program = checkout / ".venv/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "python $*"\n', encoding="utf-8")
    program.chmod(0o755)
    (checkout / ".venv/pyvenv.cfg").touch()
    return program


def add_terraform(checkout: Path) -> str:
    """A PATH on which there is a terraform."""
    program = checkout / "bin/terraform"
    program.parent.mkdir()
    program.touch(mode=0o755)
    return f"{program.parent}:/usr/bin:/bin"


def run(checkout: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the wrapper."""
    done = subprocess.run(
        [checkout / "run", *arguments],
        env={"PATH": "/usr/bin:/bin", **variables},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_wrapper_is_a_sound_shell_script(root: Path) -> None:
    done = subprocess.run(["/bin/sh", "-n", root / "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_python_that_does_not_exist_is_reported(checkout: Path) -> None:
    message = "/nonexistent is missing or older than Python 3.11; set FLEETFORM_PYTHON to a newer one"
    assert run(checkout, "--list", FLEETFORM_PYTHON="/nonexistent") == (3, "", f"run: {message}\n")
    assert not (checkout / ".venv").exists()


def test_what_is_installed_already_is_run_at_once_in_the_checkout(checkout: Path) -> None:
    add_python(checkout)
    shutil.copy(checkout / "requirements/run.txt", checkout / ".venv/installed-run.txt")
    path = add_terraform(checkout)
    assert run(checkout, "apply", "--env", "a b", PATH=path) == (0, "python tasks.py apply --env a b\n", "")


def test_a_changed_requirement_is_installed_with_its_hash_and_recorded(checkout: Path) -> None:
    add_python(checkout)
    code, stdout, stderr = run(checkout, "--list", PATH=add_terraform(checkout))
    wanted = checkout / "requirements/run.txt"
    assert code == 0
    assert stderr == "run: installing requirements/run.txt\n"
    assert stdout.splitlines() == [
        f"python -m pip install --quiet --disable-pip-version-check --require-hashes -r {wanted}",
        "python -m fleetform.hcl.parsing",
        "python tasks.py --list",
    ]
    assert (checkout / ".venv/installed-run.txt").read_bytes() == wanted.read_bytes()


def test_an_installation_that_fails_is_reported_and_tried_again(checkout: Path) -> None:
    add_python(checkout).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    message = "run: pip could not install requirements/run.txt; its message is above\n"
    printed = (3, "", f"run: installing requirements/run.txt\n{message}")
    assert [run(checkout, "--list") for _ in range(2)] == [printed, printed]


def requirements(text: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Each requirement of a file, with its hashes."""
    for entry in re.sub(r"\\\n", "", text).splitlines():
        requirement, *hashes = entry.split(" --hash=")
        yield Requirement(requirement.strip()), [found.strip() for found in hashes]


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_one_version_with_hashes(root: Path, name: str) -> None:
    for requirement, hashes in requirements((root / "requirements" / name).read_text(encoding="utf-8")):
        assert [found.operator for found in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in hashes), requirement


@pytest.mark.parametrize("name", FILES)
def test_requirements_name_no_place_to_get_them_from(root: Path, name: str) -> None:
    """They are installed from whatever index the machine has."""
    text = (root / "requirements" / name).read_text(encoding="utf-8")
    assert re.findall(r"://|file:|@|--(?!hash=)\S*", text) == []


def pinned(root: Path, *names: str) -> Mapping[str, Version]:
    """Version by name in requirements files."""
    texts = [(root / "requirements" / name).read_text(encoding="utf-8") for name in names]
    found = [requirement for text in texts for requirement, _ in requirements(text)]
    return {requirement.name: Version(next(iter(requirement.specifier)).version) for requirement in found}


def missing(wanted: list[str], versions: Mapping[str, Version]) -> list[str]:
    """The wanted requirements that no version meets."""
    parsed = map(Requirement, wanted)
    return [
        str(requirement)
        for requirement in parsed
        if requirement.name not in versions or versions[requirement.name] not in requirement.specifier
    ]


@pytest.fixture(scope="module")
def declared(root: Path) -> Mapping[str, Any]:
    """The content of pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_pinned_versions_are_within_the_declared_ranges(root: Path, declared: Mapping[str, Any]) -> None:
    groups, project = declared["dependency-groups"], declared["project"]
    extras = project["optional-dependencies"]
    run_ = [*project["dependencies"], *extras["aws"], *extras["containers"], *extras["emulator"]]
    development = [item for item in groups["dev"] if isinstance(item, str)]
    found = [
        missing([item for item in run_ if not item.startswith("fleetform[")], pinned(root, "run.txt")),
        missing(groups["build"], pinned(root, "build.txt")),
        missing(groups["terraform"], pinned(root, "terraform.txt")),
        missing(groups["test"], pinned(root, "test.txt")),
        missing(development, pinned(root, "dev.txt")),
    ]
    assert found == [[], [], [], [], []]


def test_an_extra_that_is_also_a_group_has_the_same_ranges(declared: Mapping[str, Any]) -> None:
    extras, groups = declared["project"]["optional-dependencies"], declared["dependency-groups"]
    same = {
        name: [item for item in extras[name] if not item.startswith("fleetform[")]
        for name in extras.keys() & groups.keys()
    }
    assert same == {name: groups[name] for name in ("terraform", "test")}


def test_what_two_files_pin_they_pin_alike(root: Path) -> None:
    """They are installed one after the other."""
    versions: dict[str, set[Version]] = {}
    for file in FILES:
        for name, version in pinned(root, file).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
