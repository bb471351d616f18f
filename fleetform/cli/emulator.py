"""Starts and stops the AWS emulator, and prints its status."""

from dataclasses import asdict

from fleetform import emulator
from fleetform.cli.printing import write, write_json
from fleetform.validation.loading import load
from fleetform.workflow.project import Project


def start(project: Project, env: str = "local") -> None:
    """Start the emulator for an environment's account unless it runs, and print its URL."""
    process = emulator.start(project.work, account=load(project.root, env).account)
    write(f"emulator at {process.url} (process {process.pid})\n")


def stop(project: Project) -> None:
    """Stop the emulator; everything applied to it is lost."""
    write("stopped\n" if emulator.stop(project.work) else "not running\n")


def status(project: Project, *, as_json: bool) -> None:
    """Print whether the emulator runs, and its URL."""
    process = emulator.status(project.work)
    if as_json:
        write_json(asdict(process) if process else None)
    else:
        write(f"running at {process.url} (process {process.pid})\n" if process else "not running\n")
