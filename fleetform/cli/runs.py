"""The past runs of an environment from this checkout."""

from fleetform.base.program_name import command
from fleetform.cli.printing import write, write_json
from fleetform.cli.screen import Column, Screen
from fleetform.workflow.apply import runs
from fleetform.workflow.apply.runs import Run, State
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import work_folder

_COMMIT_LENGTH = 12
_COLUMNS = (
    Column("started", is_whole=True),
    Column("task", is_whole=True),
    "who",
    Column("commit", is_spare=True),
    Column("ended", is_whole=True),
    "stacks",
)


def show(project: Project, env: str, *, as_json: bool) -> None:
    """Print the recorded runs, the newest last."""
    records = runs.read_runs(work_folder(project, env))
    if as_json:
        write_json([runs.document(run) for run in records])
        return
    if not records:
        write(f"no recorded run of {env} in this checkout\n")
        return

    screen = Screen()
    rows = [(run.started, run.task, run.who, _commit(run), run.state, _stacks(run)) for run in records]
    screen.table(_COLUMNS, rows)
    if records[-1].task == "destroy" and records[-1].state == State.DONE:
        screen.line(
            f"\nnothing of {env} is applied since that destroy; `{command('apply', env=env)}` applies it"
        )
    if unfinished := next((run for run in reversed(records) if run.state == State.KILLED), None):
        screen.line(f"\n{warning(unfinished)}")


def warning(run: Run) -> str:
    """Return the warning about a run that was killed."""
    return (
        f"the {run.task} of {run.started} by {run.who} was killed: what Terraform created in its last"
        f" seconds may not be in the state; `{command('state-doctor', env=run.environment)}` looks, and the"
        " next apply"
        " continues from there"
    )


def _commit(run: Run) -> str:
    return (run.revision.commit[:_COMMIT_LENGTH] or "-") + ("+" if run.changed else "")


def _stacks(run: Run) -> str:
    """Return such as `foundation applied, services failed`, without the stacks that were not reached."""
    return ", ".join(
        f"{name} {stack.state}" for name, stack in run.stacks.items() if stack.state != State.WAITING
    )
