"""The tasks that run Terraform on an environment's stacks, one such task at a time."""

from fleetform.cli import plans, run_lock, stacks
from fleetform.cli.waves import Driving
from fleetform.workflow.project import Project


def options(jobs: int | None, wait: int, names: tuple[str, ...] = (), *, yes: bool = False) -> Driving:
    """Return how stacks are planned and applied, as flags say."""
    return Driving(yes=yes, jobs=jobs or 0, only=frozenset(names), wait=wait)


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
    as_json: bool,
) -> None:
    """Plan the stacks."""
    output = plans.Telling(as_json, details, out, ",".join(fail_on), save)
    with run_lock.taken(project, env, "plan", wait):
        stacks.plan(project, env, changed_since, output, options(jobs, wait, stack_names))


def apply(  # noqa: PLR0913 - a flag each
    project: Project,
    *,
    env: str,
    stack_names: tuple[str, ...],
    jobs: int | None,
    wait: int,
    resume: bool,
    saved: bool,
    yes: bool,
) -> None:
    """Plan the stacks and apply the plans."""
    with run_lock.taken(project, env, "apply", wait):
        stacks.apply(project, env, options(jobs, wait, stack_names, yes=yes), resume=resume, kept=saved)


def drift(project: Project, *, env: str, jobs: int | None, wait: int, as_json: bool) -> None:
    """Compare AWS with the catalog by plans."""
    with run_lock.taken(project, env, "drift", wait):
        stacks.drift(project, env, options(jobs, wait), as_json=as_json)


def destroy(project: Project, *, env: str, jobs: int | None, wait: int, yes: bool) -> None:
    """Destroy the stacks."""
    with run_lock.taken(project, env, "destroy", wait):
        stacks.destroy(project, env, options(jobs, wait, yes=yes))
