"""What is rendered: made, compared, checked."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from fleetform.console.printing import color, write, write_changes, write_json
from fleetform.errors import CheckFailedError, InputError
from fleetform.workflow import files, formatting, policy, validation
from fleetform.workflow.project import Project
from fleetform.workflow.rendering import Rendering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetform.errors import Problem
    from fleetform.policy.finding import Finding

_TEXT = "text"


def render(project: Project, env: str, *, check: bool, as_json: bool) -> None:
    """Renders, or with `check` says what a render would change and fails if it would change anything."""
    rendering = Rendering(project, env)
    _warn(env, rendering)
    if not check:
        write_changes(files.write_rendering(project, rendering), as_json=as_json)
        return
    changes = [change for found in rendering.changes.values() for change in found]
    if as_json:
        write_changes(changes, as_json=True)
    else:
        write("".join(change.diff() for change in changes))
    if changes:
        raise CheckFailedError(f"envs/{env} is not what the catalog says; `invoke render --env {env}` mends it")


def _warn(env: str, rendering: Rendering) -> None:
    """Shows, on standard error, what is allowed in the catalog and yet worth saying."""
    notices = [*map(str, rendering.notices), *files.emptied_notices(env, rendering)]
    sys.stderr.write("".join(f"warning: {notice}\n" for notice in notices))


def check(project: Project, env: str, form: str, *, validate: bool, as_json: bool) -> None:
    """Checks what is rendered: up to date, formatted, within the policy and, if asked, valid to Terraform."""
    rendering = Rendering(project, env)
    for_program = form != _TEXT
    if not for_program:
        _warn(env, rendering)
    if as_json and for_program:
        raise InputError(f"`--json` and `--format {form}` exclude each other; keep one of them")
    files.require_rendered(env, rendering)
    findings = sorted(policy.check(project, env).judgement.findings)
    unformatted = formatting.unformatted(project)
    if as_json:
        write_json([{**asdict(finding), "place": str(finding.place)} for finding in findings])
    else:
        write(_told(project, rendering.notices if for_program else [], findings, form))
    if unformatted:
        raise CheckFailedError(f"not formatted: {', '.join(unformatted)}; `terraform fmt -recursive` mends it")
    if findings:
        raise CheckFailedError(f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'} in envs/{env}")
    if validate:
        _validate(project, env, rendering)
    if not (as_json or for_program):
        write("no findings\n")


def _told(project: Project, notices: "Sequence[Problem]", findings: "Sequence[Finding]", form: str) -> str:
    if form == _TEXT and not (notices or findings):
        return ""
    from fleetform import reports  # noqa: PLC0415 - it brings rich, which a check that finds nothing does without
    from fleetform.workflow import reporting  # noqa: PLC0415

    warnings = reporting.of_problems(project.root, notices, reports.Level.WARNING)
    remarks = [*warnings, *reporting.of_findings(project.root, findings)]
    tell = reports.FORMATS.get(form)
    return tell(remarks) if tell else reports.text(remarks, color=color(sys.stdout))


def _validate(project: Project, env: str, rendering: Rendering) -> None:
    """Validates the stacks that were not seen to be valid as they are."""
    wanted = validation.unvalidated(project, env, rendering)
    if not wanted:
        return
    from fleetform.screen import Screen  # noqa: PLC0415 - rich is a tenth of a second
    from fleetform.workflow import terraform  # noqa: PLC0415

    screen = Screen()
    workplace = terraform.open_environment(project, env)
    for stack in workplace.stacks:
        if stack.name in wanted:
            with screen.step(f"Validate {stack.name}"):
                terraform.validate(workplace, stack)
            validation.remember(project, env, rendering, {stack.name: wanted[stack.name]})


def require_sound(project: Project, env: str) -> None:
    """Makes sure that an environment's rendered files are current and within the policy.

    Raises:
        CheckFailedError: They are not.
    """
    files.require_rendered(env, Rendering(project, env))
    if findings := policy.check(project, env).judgement.findings:
        raise CheckFailedError("\n".join(map(str, findings)))
