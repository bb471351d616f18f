"""The commands `render` and `check`."""

import sys
from collections.abc import Callable
from dataclasses import replace

from fleetform.base.errors import CheckFailedError, Problem, ProgramError
from fleetform.base.program_name import command
from fleetform.cli import policy
from fleetform.cli.printing import write, write_changes
from fleetform.workflow import vendored
from fleetform.workflow.check import validation
from fleetform.workflow.check.assessment import Assessment, assess, assess_plans
from fleetform.workflow.project import Project
from fleetform.workflow.render import files, formatting
from fleetform.workflow.render.rendering import Rendering


def render(project: Project, env: str, *, check: bool, as_json: bool) -> None:
    """Render, or with `check` print what a render would change, and fail if it would change anything."""
    rendering = Rendering(project, env)
    _warn(env, rendering)
    if names := vendored.overridden_templates(project.root):
        sys.stderr.write(f"note: this project overrides templates: {', '.join(names)}\n")
    if not check:
        write_changes(files.write_rendering(project, rendering), as_json=as_json)
        return
    changes = [change for stack_changes in rendering.changes.values() for change in stack_changes]
    if as_json:
        write_changes(changes, as_json=True)
    else:
        write("".join(change.diff() for change in changes))
    if changes:
        raise CheckFailedError(f"envs/{env} does not match the catalog; run `{command('render', env=env)}`")


def _warn(env: str, rendering: Rendering) -> None:
    """Print the catalog's warnings on standard error."""
    notices = [*map(str, rendering.notices), *files.emptied_notices(env, rendering)]
    sys.stderr.write("".join(f"warning: {notice}\n" for notice in notices))


def _differences(project: Project) -> list[str]:
    """Return notes about vendored files that are not as their version has them."""
    lock = vendored.read_lock(project.root)
    if lock is None:
        return []
    return [
        f"{each.path} of Fleetform {lock.version} is missing; restore it from Git"
        if each.is_missing
        else f"{each.path} differs from Fleetform {lock.version}'s; an upgrade merges it; see `git diff"
        f" {lock.files[each.path][:12]} {each.path}`"
        for each in vendored.find_differences(project.root, lock)
    ]


def check(
    project: Project, env: str, options: policy.OutputOptions, *, validate: bool = False, plan: bool = False
) -> None:
    """Check that rendered files are current, formatted, within the policy and, if asked, valid.

    Args:
        project: The checkout.
        env: The environment's name.
        options: How findings are printed, and which of them fail the check.
        validate: Whether Terraform validates the files, too.
        plan: Whether plans are made, to decide what the text leaves open.
    """
    rendering = Rendering(project, env)
    differences = _differences(project)
    if options.is_text:
        _warn(env, rendering)
        sys.stderr.write("".join(f"note: {difference}\n" for difference in differences))
    files.require_rendered(env, rendering)
    with formatting.find_unformatted(project) as list_unformatted:
        assessment = assess(project, env)
        unformatted = _require_parsable(list_unformatted, assessment)
    if plan:
        from fleetform.cli import terraform_checks  # noqa: PLC0415 - rich and boto3, which only plans need

        assessment = assess_plans(project, env, terraform_checks.plan_as_json(project, env))
    elif options.is_text:
        sys.stderr.write("".join(f"warning: {problem}\n" for problem in _unparsed_problems(env, assessment)))
    notices = [] if options.is_text else [*rendering.notices, *_unparsed_problems(env, assessment)]
    policy.report(project, assessment, notices, options)
    if unformatted:
        raise CheckFailedError(f"not formatted: {', '.join(unformatted)}; run `terraform fmt -recursive`")
    policy.require_passing(env, assessment, options)
    if validate and (unvalidated := validation.find_unvalidated(project, env, rendering)):
        from fleetform.cli import terraform_checks  # noqa: PLC0415 - the same

        terraform_checks.validate(project, env, rendering, unvalidated)
    if options.is_text and not options.as_json:
        write(policy.summarize(env, assessment) + "\n")


def _unparsed_problems(env: str, assessment: Assessment) -> list[Problem]:
    """Return what the policy cannot read, with the command to run. It is not cached."""
    remedy = f"run `{command('check', env=env, plan=True)}`"
    return [replace(problem, remedy=remedy) for problem in assessment.unparsed]


def _require_parsable(list_unformatted: Callable[[], list[str]], assessment: Assessment) -> list[str]:
    """Return the files that `terraform fmt` would change.

    Raises:
        CheckFailedError: A file is not valid HCL.
    """
    try:
        return list_unformatted()
    except ProgramError as error:
        if not assessment.unparsed:
            raise
        places = ", ".join(str(problem.position) for problem in assessment.unparsed)
        raise CheckFailedError(
            f"{places}: not valid HCL; fix it, or render again\n{error.output}".rstrip()
        ) from None


def require_checked(project: Project, env: str) -> None:
    """Require that an environment's rendered files are current and within the policy.

    Raises:
        CheckFailedError: They are not.
    """
    files.require_rendered(env, Rendering(project, env))
    if findings := assess(project, env).findings:
        raise CheckFailedError("\n".join(map(str, findings)))
