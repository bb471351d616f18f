"""What is rendered: made, compared, checked."""

import sys
from collections.abc import Callable
from dataclasses import replace

from fleetform.base.errors import CheckFailedError, Problem, ProgramError
from fleetform.base.program_name import command
from fleetform.cli import policy
from fleetform.cli.printing import write, write_changes
from fleetform.workflow.check import validation
from fleetform.workflow.check.assessment import Assessment, assess, assess_plans
from fleetform.workflow.project import Project
from fleetform.workflow.render import files, formatting
from fleetform.workflow.render.rendering import Rendering


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
        raise CheckFailedError(f"envs/{env} is not what the catalog says; `{command('render', env=env)}` mends it")


def _warn(env: str, rendering: Rendering) -> None:
    """Shows, on standard error, what is allowed in the catalog and yet worth saying."""
    notices = [*map(str, rendering.notices), *files.emptied_notices(env, rendering)]
    sys.stderr.write("".join(f"warning: {notice}\n" for notice in notices))


def check(
    project: Project, env: str, telling: policy.OutputOptions, *, validate: bool = False, plan: bool = False
) -> None:
    """Checks what is rendered: up to date, formatted, within the policy and, if asked, valid to Terraform.

    Args:
        project: The checkout.
        env: The environment's name.
        telling: How findings are told.
        validate: Whether Terraform validates it, too.
        plan: Whether plans tell what the text leaves open.
    """
    rendering = Rendering(project, env)
    if telling.is_text:
        _warn(env, rendering)
    files.require_rendered(env, rendering)
    with formatting.find_unformatted(project) as listed:
        found = assess(project, env)
        unformatted = _require_parsable(listed, found)
    if plan:
        from fleetform.cli import terraform_checks  # noqa: PLC0415 - rich and boto3, which only plans need

        found = assess_plans(project, env, terraform_checks.shown_plans(project, env))
    elif telling.is_text:
        sys.stderr.write("".join(f"warning: {problem}\n" for problem in _unparsed_problems(env, found)))
    notices = [] if telling.is_text else [*rendering.notices, *_unparsed_problems(env, found)]
    policy.report(project, found, notices, telling)
    if unformatted:
        raise CheckFailedError(f"not formatted: {', '.join(unformatted)}; `terraform fmt -recursive` mends it")
    policy.require_passing(env, found, telling)
    if validate and (wanted := validation.find_unvalidated(project, env, rendering)):
        from fleetform.cli import terraform_checks  # noqa: PLC0415 - the same

        terraform_checks.validate(project, env, rendering, wanted)
    if telling.is_text and not telling.as_json:
        write(policy.summarize(env, found) + "\n")


def _unparsed_problems(env: str, found: Assessment) -> list[Problem]:
    """What the policy cannot read, with the command that helps: it depends on the program, and is not cached."""
    remedy = f"run `{command('check', env=env, plan=True)}`"
    return [replace(problem, remedy=remedy) for problem in found.unparsed]


def _require_parsable(listed: Callable[[], list[str]], found: Assessment) -> list[str]:
    """The files that Terraform would format otherwise; one that it cannot read at all is told with its place."""
    try:
        return listed()
    except ProgramError as error:
        if not found.unparsed:
            raise
        places = ", ".join(str(problem.position) for problem in found.unparsed)
        raise CheckFailedError(f"{places}: not valid HCL; fix it, or render again\n{error.output}".rstrip()) from None


def require_checked(project: Project, env: str) -> None:
    """Makes sure that an environment's rendered files are current and within the policy.

    Raises:
        CheckFailedError: They are not.
    """
    files.require_rendered(env, Rendering(project, env))
    if findings := assess(project, env).findings:
        raise CheckFailedError("\n".join(map(str, findings)))
