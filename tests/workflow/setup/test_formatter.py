"""A Terraform for a new project on a machine without one."""

import os
import subprocess
from pathlib import Path

import pytest

from fleetform.base.errors import ProgramError
from fleetform.terraform import installation
from fleetform.workflow.setup.formatter import provide_terraform


@pytest.fixture(autouse=True)
def without_terraform(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides every Terraform of this machine."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv(installation.PROGRAM_VARIABLE, raising=False)
    monkeypatch.setattr(installation, "_find_embedded", lambda: None)


def test_a_terraform_is_installed_for_the_time_of_the_creation(tmp_path: Path) -> None:
    steps: list[str] = []
    (tmp_path / "main.tf").write_text("x = {a=1}\n", encoding="utf-8")
    with provide_terraform(steps.append):
        program = installation.find_program()
        subprocess.run([program, "fmt", str(tmp_path)], check=True, capture_output=True)
    assert (tmp_path / "main.tf").read_text(encoding="utf-8") == "x = { a = 1 }\n"
    assert steps == ["Install Terraform, which formats the files"]
    assert not Path(program).exists()
    assert installation.PROGRAM_VARIABLE not in os.environ


def test_a_chosen_terraform_that_is_missing_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(installation.PROGRAM_VARIABLE, "terraform-1.12")
    with pytest.raises(ProgramError) as caught, provide_terraform(print):
        pass
    assert str(caught.value) == (
        "FLEETFORM_TERRAFORM is `terraform-1.12`, an unknown program; fix it, or unset it"
    )
