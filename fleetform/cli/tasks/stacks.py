"""The tasks that run Terraform on an environment's stacks, one such task at a time."""

import sys

from fleetform.cli import plans, run_lock, stacks
from fleetform.cli.printing import color
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.project import Project


def options(  # noqa: PLR0913 - a flag each
    jobs: int | None,
    wait: int,
    names: tuple[str, ...] = (),
    delete_images: tuple[str, ...] = (),
    *,
    yes: bool = False,
    verbose: bool = False,
) -> RunOptions:
    """Return how stacks are planned and applied, from the flags."""
    colors = verbose and color(sys.stdout)
    return RunOptions(
        yes=yes,
        jobs=jobs or 0,
        only=frozenset(names),
        verbose=verbose,
        color=colors,
        wait=wait,
        delete_images=frozenset(delete_images),
    )


def plan(  # noqa: PLR0913 - a flag each
    project: Project,
    *,
    env: str,
    stack_names: tuple[str, ...],
    changed_since: str,
    jobs: int | None,
    wait: int,
    details: bool,
    out: str,
    fail_on: tuple[str, ...],
    save: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Plan the stacks."""
    output = plans.OutputOptions(as_json, details, out, ",".join(fail_on), save)
    with run_lock.hold_run_lock(project, env, "plan", wait):
        stacks.plan(project, env, changed_since, output, options(jobs, wait, stack_names, verbose=verbose))


def apply(  # noqa: PLR0913 - a flag each
    project: Project,
    *,
    env: str,
    stack_names: tuple[str, ...],
    jobs: int | None,
    wait: int,
    resume: bool,
    saved: bool,
    delete_images: tuple[str, ...],
    yes: bool,
    verbose: bool,
) -> None:
    """Plan the stacks and apply the plans."""
    with run_lock.hold_run_lock(project, env, "apply", wait):
        run = options(jobs, wait, stack_names, delete_images, yes=yes, verbose=verbose)
        stacks.apply(project, env, run, resume=resume, saved=saved)


def drift(project: Project, *, env: str, jobs: int | None, wait: int, as_json: bool) -> None:
    """Compare AWS with the catalog by plans."""
    with run_lock.hold_run_lock(project, env, "drift", wait):
        stacks.drift(project, env, options(jobs, wait), as_json=as_json)


def destroy(  # noqa: PLR0913 - a flag each
    project: Project, *, env: str, jobs: int | None, wait: int, yes: bool, verbose: bool
) -> None:
    """Destroy the stacks."""
    with run_lock.hold_run_lock(project, env, "destroy", wait):
        stacks.destroy(project, env, options(jobs, wait, yes=yes, verbose=verbose))
