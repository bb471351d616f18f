"""The argument vectors of Terraform's commands."""

from pathlib import Path

import pytest

from fleetform.terraform.commands import Mode, Terraform, fmt, version

PLAIN = Terraform("/bin/terraform", Path("envs/dev/foundation"))
COLOURED = Terraform("/bin/terraform", Path("envs/dev/foundation"), color=True)
PATIENT = Terraform("/bin/terraform", Path("envs/dev/foundation"), lock_timeout=600)
QUIETLY = ("-no-color", "-input=false", "-detailed-exitcode")
START = ["/bin/terraform", "-chdir=envs/dev/foundation"]
PLAN = Path("/plans/a plan; rm -rf /")


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (PLAIN.init(), ["init", "-no-color", "-input=false", "-backend-config=backend.hcl", "-reconfigure"]),
        (PLAIN.init(backend=False), ["init", "-no-color", "-input=false", "-backend=false"]),
        (PLAIN.validate(), ["validate", "-no-color"]),
        (
            PLAIN.plan(PLAN),
            ["plan", *QUIETLY, "-lock-timeout=60s", f"-out={PLAN}"],
        ),
        (
            PLAIN.plan(PLAN, Mode.DESTROY),
            ["plan", *QUIETLY, "-lock-timeout=60s", f"-out={PLAN}", "-destroy"],
        ),
        (PLAIN.apply(PLAN), ["apply", "-no-color", "-input=false", "-lock-timeout=60s", str(PLAN)]),
        (PATIENT.plan(PLAN), ["plan", *QUIETLY, "-lock-timeout=600s", f"-out={PLAN}"]),
        (PATIENT.apply(PLAN), ["apply", "-no-color", "-input=false", "-lock-timeout=600s", str(PLAN)]),
        (PLAIN.force_unlock("0c7d2a51"), ["force-unlock", "-no-color", "-force", "0c7d2a51"]),
        (PLAIN.push(PLAN), ["state", "push", str(PLAN)]),
        (COLOURED.apply(PLAN), ["apply", "-input=false", "-lock-timeout=60s", str(PLAN)]),
    ],
)
def test_a_command_runs_in_its_stack(built: list[str], expected: list[str]) -> None:
    assert built == START + expected


def test_fmt_formats_all_files_below_a_folder() -> None:
    assert fmt("/bin/tofu", Path("envs")) == ["/bin/tofu", "fmt", "-recursive", "-list=false", "envs"]


def test_fmt_with_check_only_lists_files() -> None:
    built = fmt("/bin/tofu", Path("modules"), Path("envs"), check=True)
    assert built == ["/bin/tofu", "fmt", "-recursive", "-check", "modules", "envs"]


def test_version_prints_json() -> None:
    assert version("/bin/tofu") == ["/bin/tofu", "version", "-json"]
