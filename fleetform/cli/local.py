"""The commands that run and smoke-test an environment's services on this machine."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.base.program_name import command
from fleetform.cli.render import require_checked
from fleetform.cli.screen import Screen
from fleetform.images.building import BuildListener
from fleetform.local_runtime.inspection import Container
from fleetform.local_runtime.project import logs_argv
from fleetform.smoke import report
from fleetform.smoke.matrix import Matrix
from fleetform.stacks import Stack
from fleetform.topology import dns_name
from fleetform.workflow.apply import one_off_tasks, states, terraform
from fleetform.workflow.local import local_services, smoke_test
from fleetform.workflow.local.local_services import Site
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, open_local_workspace, open_workspace

SmokeTest: TypeAlias = Callable[[], Matrix]
"""Tests the calls between all pairs of services."""


def up(project: Project, env: str, engine: str | None) -> None:
    """Run an environment's services here.

    Apply rendered files to the emulator, build images, and start containers.
    """
    site = local_services.open_site(project, env, engine)
    require_checked(project, env)
    screen = Screen()
    bring_up(site, apply(project, env, screen), screen)
    show(site, screen)


def apply(project: Project, env: str, screen: Screen) -> Workspace:
    """Apply an environment to the emulator unless it is up to date."""
    with screen.step("Start the emulator") as step:
        workspace = open_local_workspace(project, env)
        states.bootstrap(workspace)
        if local_services.is_applied(workspace):
            step.note = "up to date"
            return workspace
    for stack in workspace.stacks:
        apply_stack(workspace, screen, stack)
    local_services.note_applied(workspace)
    return workspace


def apply_stack(workspace: Workspace, screen: Screen, stack: Stack) -> None:
    """Plan a stack, apply the plan to the emulator and run the stack's one-off tasks there."""
    with screen.step(f"Plan {stack.name}") as step:
        terraform.init(workspace, stack, step.show)
        plan = terraform.plan(workspace, stack, step.show)
        step.note = str(plan.summary)
    if plan.changes:
        with screen.step(f"Apply {stack.name}") as step:
            step.note = terraform.apply(workspace, plan, step.show).outcome
    else:
        plan.discard()
    for task in one_off_tasks.due(workspace, stack):
        with screen.step(f"Run {task.name}") as step:
            one_off_tasks.run(workspace, task, step.show)
            step.note = "simulated by the emulator"


def bring_up(site: Site, workspace: Workspace, screen: Screen) -> None:
    """Build and start the services of an applied environment, and wait until they are healthy."""
    with screen.step("Build the images") as step:
        images = local_services.build_images(
            site, BuildListener(lambda service, line: step.show(f"{service}: {line}"))
        )
        new = sum(image.status == "built" for image in images)
        step.note = f"{new} built, {len(images) - new} unchanged"
    with screen.step(f"Start the containers with {site.runner.engine}") as step:
        local_services.start(
            site, workspace.access, {image.service: image.reference for image in images}, step.show
        )
    with screen.step("Wait until they are healthy") as step:
        containers = local_services.wait_until_healthy(
            site, lambda healthy, of: step.show(f"{healthy} of {of}")
        )
        step.note = f"{len(containers)} containers"


def down(project: Project, env: str, engine: str | None) -> None:
    """Remove everything that `up` has started for an environment."""
    screen = Screen()
    with screen.step(f"Remove the containers of {env}") as step:
        site = local_services.open_site(project, env, engine)
        count = len(site.containers())
        local_services.stop(project, site, step.show)
        step.note = f"{count} containers" if count else "nothing was running"


@dataclass(frozen=True)
class Status:
    """A service on this machine.

    Attributes:
        service: The service.
        dns_name: Its DNS name; None if it has no port.
        well: Number of healthy tasks.
        tasks: Number of tasks.
        url: Its URL on this machine, if it is public.
    """

    service: str
    dns_name: str | None
    well: int
    tasks: int
    url: str | None


def statuses(site: Site) -> list[Status]:
    """Return the status of each service that has tasks here."""
    by_service: dict[str, list[Container]] = {}
    for container in site.containers():
        by_service.setdefault(container.service, []).append(container)
    return [_status(site, service, containers) for service, containers in by_service.items()]


def _status(site: Site, service: str, containers: Sequence[Container]) -> Status:
    tasks = {container.task for container in containers}
    unhealthy = {container.task for container in containers if not local_services.is_healthy(site, container)}
    ports = [port for container in containers for port in container.published]
    entry = site.environment.services.get(service)
    name = dns_name(site.environment, service) if entry and entry.listens else None
    return Status(
        service, name, len(tasks - unhealthy), len(tasks), f"http://127.0.0.1:{ports[0]}" if ports else None
    )


def show(site: Site, screen: Screen) -> None:
    """Print a table with a row for each service."""
    rows = [
        [status.service, status.dns_name or "-", f"{status.well}/{status.tasks}", status.url or "-"]
        for status in statuses(site)
    ]
    screen.table(("service", "DNS name", "tasks", "URL"), rows, right=("tasks",))
    for service, reason in local_services.not_started(site.environment).items():
        screen.line(f"{service}: not started here: {reason}")


def ps(project: Project, env: str, engine: str | None, *, as_json: bool) -> None:
    """Print the services of an environment that run here."""
    site = local_services.open_site(project, env, engine)
    if as_json:
        sys.stdout.write(json.dumps([vars(status) for status in statuses(site)], indent=2) + "\n")
    elif site.containers():
        show(site, Screen())
    else:
        sys.stdout.write(f"nothing of {env} runs here; `{command('up', env=env)}` starts it\n")


@dataclass(frozen=True)
class LogOptions:
    """Which part of the logs to print.

    Attributes:
        services: The services; empty for all.
        follow: Continue with new lines.
        tail: Number of lines of each container; None for all.
    """

    services: tuple[str, ...] = ()
    follow: bool = False
    tail: int | None = None


def logs(project: Project, env: str, engine: str | None, excerpt: LogOptions) -> None:
    """Print the logs of an environment's containers."""
    site = local_services.open_site(project, env, engine)
    argv = logs_argv(site.runner, site.compose, excerpt.services, follow=excerpt.follow, tail=excerpt.tail)
    if code := subprocess.call(argv, env=dict(site.runner.variables)):
        raise ProgramError(f"`{' '.join(argv)}` ended with exit code {code}; its output is above")


@dataclass(frozen=True)
class SmokeOptions:
    """How to smoke-test calls.

    Attributes:
        on_aws: Test in the account, through ECS Exec, instead of here.
        junit: File for a JUnit report; None for none.
        as_json: Print JSON.
    """

    on_aws: bool = False
    junit: str | None = None
    as_json: bool = False


def smoke(project: Project, env: str, engine: str | None, options: SmokeOptions) -> None:
    """Test every pair of services, and fail if any does not match the call graph."""
    attempt = _smoke_test_aws(project, env) if options.on_aws else _smoke_test_local(project, env, engine)
    if options.as_json:
        matrix = attempt()
        sys.stdout.write(json.dumps(report.as_json(matrix), indent=2) + "\n")
    else:
        matrix = run_smoke_test(attempt, Screen())
    if options.junit:
        _write(Path(options.junit), report.junit(matrix))
    require_as_declared(matrix)


def _smoke_test_local(project: Project, env: str, engine: str | None) -> SmokeTest:
    site = local_services.open_site(project, env, engine)
    return lambda: smoke_test.smoke_test(site)


def _smoke_test_aws(project: Project, env: str) -> SmokeTest:
    workspace = open_workspace(project, env)
    return lambda: smoke_test.smoke_test_on_aws(workspace)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"--junit {file}: {error.strerror}; name a file that can be written") from None


def run_smoke_test(attempt: SmokeTest, screen: Screen) -> Matrix:
    """Test every pair of services, and print the results."""
    with screen.step("Test every pair of services") as step:
        matrix = attempt()
        counts = Counter(cell.state for cell in matrix.cells)
        step.note = ", ".join(f"{state} {count}" for state, count in sorted(counts.items())) or "no pairs"
    screen.table(*report.rows(matrix))
    for line in report.summary_lines(matrix):
        screen.line(line)
    return matrix


def require_as_declared(matrix: Matrix) -> None:
    """Require that every pair matches the call graph.

    Raises:
        CheckFailedError: A pair does not.
    """
    if wrong := len(matrix.wrong):
        counts = f"{wrong} of {len(matrix.cells)} pairs of services"
        raise CheckFailedError(f"{counts} {'does' if wrong == 1 else 'do'} not match `calls`")
