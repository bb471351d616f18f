"""The emulator of AWS: started, stopped, asked for."""

from dataclasses import asdict

from fleetform import emulator
from fleetform.cli.printing import write, write_json
from fleetform.validation.loading import load
from fleetform.workflow.project import Project


def start(project: Project, env: str = "local") -> None:
    """Starts the emulator for an environment's account, or says where it runs."""
    started = emulator.start(project.work, account=load(project.root, env).account)
    write(f"emulator at {started.url} (process {started.pid})\n")


def stop(project: Project) -> None:
    """Stops the emulator; what was applied to `local` goes with it."""
    write("stopped\n" if emulator.stop(project.work) else "not running\n")


def status(project: Project, *, as_json: bool) -> None:
    """Says whether the emulator runs, and where."""
    found = emulator.status(project.work)
    if as_json:
        write_json(asdict(found) if found else None)
    else:
        write(f"running at {found.url} (process {found.pid})\n" if found else "not running\n")
