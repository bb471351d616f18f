"""What is rendered: made, compared, checked."""

import sys
from collections.abc import Sequence
from dataclasses import asdict

from fleetform import reports
from fleetform.catalog.loading import load_notices
from fleetform.console.printing import color, write, write_changes, write_json
from fleetform.errors import CheckFailedError, InputError
from fleetform.workflow import files, reporting, terraform
from fleetform.workflow.project import Project


def render(project: Project, env: str, *, check: bool, as_json: bool) -> None:
    """Renders, or with `check` says what a render would change and fails if it would change anything."""
    _warn(project, env)
    if not check:
        write_changes(files.render_environment(project, env), as_json=as_json)
        return
    changes = [change for found in files.rendered(project, env).values() for change in found]
    if as_json:
        write_changes(changes, as_json=True)
    else:
        write("".join(change.diff() for change in changes))
    if changes:
        raise CheckFailedError(f"envs/{env} is not what the catalog says; `invoke render --env {env}` mends it")


def _warn(project: Project, env: str) -> None:
    """Shows, on standard error, what is allowed in the catalog and yet worth saying."""
    notices = [*map(str, load_notices(project.root, env)), *files.emptied_notices(project, env)]
    sys.stderr.write("".join(f"warning: {notice}\n" for notice in notices))


def check(project: Project, env: str, form: str, *, validate: bool, as_json: bool) -> None:
    """Checks what is rendered: up to date, formatted, within the policy and, if asked, valid to Terraform."""
    for_program = form in reports.FORMATS
    if not for_program:
        _warn(project, env)
    if as_json and for_program:
        raise InputError(f"`--json` and `--format {form}` exclude each other; keep one of them")
    files.require_rendered(project, env)
    findings = files.findings(project, env)
    unformatted = files.unformatted(project)
    if as_json:
        write_json([{**asdict(finding), "place": str(finding.place)} for finding in findings])
    else:
        notices = load_notices(project.root, env) if for_program else []
        warnings = reporting.of_problems(project.root, notices, reports.Level.WARNING)
        write(_told([*warnings, *reporting.of_findings(project.root, findings)], form))
    if unformatted:
        raise CheckFailedError(f"not formatted: {', '.join(unformatted)}; `terraform fmt -recursive` mends it")
    if findings:
        raise CheckFailedError(f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'} in envs/{env}")
    if validate:
        _validate(project, env)
    if not (as_json or for_program):
        write("no findings\n")


def _told(remarks: Sequence[reports.Remark], form: str) -> str:
    tell = reports.FORMATS.get(form)
    return tell(remarks) if tell else reports.text(remarks, color=color(sys.stdout))


def _validate(project: Project, env: str) -> None:
    from fleetform.screen import Screen  # noqa: PLC0415 - rich is a tenth of a second

    screen = Screen()
    workplace = terraform.open_environment(project, env)
    for stack in workplace.stacks:
        with screen.step(f"Validate {stack.name}"):
            terraform.validate(workplace, stack)


def require_sound(project: Project, env: str) -> None:
    """Makes sure that an environment's rendered files are current and within the policy.

    Raises:
        CheckFailedError: They are not.
    """
    files.require_rendered(project, env)
    if findings := files.findings(project, env):
        raise CheckFailedError("\n".join(map(str, findings)))
