"""The tasks that run an environment's services on this machine, as a person meets them."""

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
"""Tries every pair of services."""


def up(project: Project, env: str, engine: str | None) -> None:
    """Runs an environment's services here: what is rendered is applied to the emulator, built, and started."""
    site = local_services.open_site(project, env, engine)
    require_checked(project, env)
    screen = Screen()
    bring_up(site, apply(project, env, screen), screen)
    show(site, screen)


def apply(project: Project, env: str, screen: Screen) -> Workspace:
    """Applies an environment to the emulator unless it is there already."""
    with screen.step("Start the emulator") as step:
        workspace = open_local_workspace(project, env)
        states.bootstrap(workspace)
        if local_services.is_applied(workspace):
            step.note = "it has what is rendered"
            return workspace
    for stack in workspace.stacks:
        apply_stack(workspace, screen, stack)
    local_services.note_applied(workspace)
    return workspace


def apply_stack(workspace: Workspace, screen: Screen, stack: Stack) -> None:
    """Plans a stack, applies the plan to the emulator and runs the stack's one-off tasks there."""
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
            step.note = "the emulator ends it at once"


def bring_up(site: Site, workspace: Workspace, screen: Screen) -> None:
    """Builds and starts what is applied, and waits until it is well."""
    with screen.step("Build the images") as step:
        built = local_services.build_images(site, BuildListener(lambda service, line: step.show(f"{service}: {line}")))
        new = sum(image.status == "built" for image in built)
        step.note = f"{new} built, {len(built) - new} unchanged"
    with screen.step(f"Start the containers with {site.runner.engine}") as step:
        local_services.start(site, workspace.access, {image.service: image.reference for image in built}, step.show)
    with screen.step("Wait until they are well") as step:
        found = local_services.wait_until_healthy(site, lambda well, of: step.show(f"{well} of {of}"))
        step.note = f"{len(found)} containers"


def down(project: Project, env: str, engine: str | None) -> None:
    """Removes all that `up` has started for an environment."""
    screen = Screen()
    with screen.step(f"Remove what runs of {env}") as step:
        site = local_services.open_site(project, env, engine)
        count = len(site.containers())
        local_services.stop(project, site, step.show)
        step.note = f"{count} containers" if count else "nothing ran"


@dataclass(frozen=True)
class Status:
    """A service here.

    Attributes:
        service: The service.
        dns_name: The name that it is found by; None if it has no port.
        well: How many tasks are well.
        tasks: How many there are.
        url: Where this machine finds it, if it is public.
    """

    service: str
    dns_name: str | None
    well: int
    tasks: int
    url: str | None


def statuses(site: Site) -> list[Status]:
    """Each service that has tasks here."""
    by_service: dict[str, list[Container]] = {}
    for container in site.containers():
        by_service.setdefault(container.service, []).append(container)
    return [_status(site, service, found) for service, found in by_service.items()]


def _status(site: Site, service: str, found: Sequence[Container]) -> Status:
    tasks = {container.task for container in found}
    ill = {container.task for container in found if not local_services.is_healthy(site, container)}
    ports = [port for container in found for port in container.published]
    entry = site.environment.services.get(service)
    name = dns_name(site.environment, service) if entry and entry.listens else None
    return Status(service, name, len(tasks - ill), len(tasks), f"http://127.0.0.1:{ports[0]}" if ports else None)


def show(site: Site, screen: Screen) -> None:
    """A table with a row a service."""
    rows = [
        [status.service, status.dns_name or "-", f"{status.well}/{status.tasks}", status.url or "-"]
        for status in statuses(site)
    ]
    screen.table(("service", "DNS name", "tasks", "URL"), rows, right=("tasks",))
    for service, reason in local_services.not_started(site.environment).items():
        screen.line(f"{service}: not started here: {reason}")


def ps(project: Project, env: str, engine: str | None, *, as_json: bool) -> None:
    """Shows what runs here of an environment."""
    site = local_services.open_site(project, env, engine)
    if as_json:
        sys.stdout.write(json.dumps([vars(status) for status in statuses(site)], indent=2) + "\n")
    elif site.containers():
        show(site, Screen())
    else:
        sys.stdout.write(f"nothing of {env} runs here; `{command('up', env=env)}` starts it\n")


@dataclass(frozen=True)
class LogOptions:
    """Which part of the logs.

    Attributes:
        services: Whose; none for all.
        follow: Go on with what comes.
        tail: How many lines of each container; None for all.
    """

    services: tuple[str, ...] = ()
    follow: bool = False
    tail: int | None = None


def logs(project: Project, env: str, engine: str | None, excerpt: LogOptions) -> None:
    """Shows what the containers of an environment print."""
    site = local_services.open_site(project, env, engine)
    argv = logs_argv(site.runner, site.compose, excerpt.services, follow=excerpt.follow, tail=excerpt.tail)
    if code := subprocess.call(argv, env=dict(site.runner.variables)):
        raise ProgramError(f"`{' '.join(argv)}` ended with exit code {code}; its output is above")


@dataclass(frozen=True)
class SmokeOptions:
    """How to try the calls.

    Attributes:
        on_aws: In the account, through ECS Exec, instead of here.
        junit: A file that gets the result for a pipeline.
        as_json: Print JSON.
    """

    on_aws: bool = False
    junit: str | None = None
    as_json: bool = False


def smoke(project: Project, env: str, engine: str | None, proof: SmokeOptions) -> None:
    """Tries every pair of services and fails if any is not as the call graph says."""
    attempt = _smoke_test_aws(project, env) if proof.on_aws else _smoke_test_local(project, env, engine)
    if proof.as_json:
        matrix = attempt()
        sys.stdout.write(json.dumps(report.as_json(matrix), indent=2) + "\n")
    else:
        matrix = run_smoke_test(attempt, Screen())
    if proof.junit:
        _write(Path(proof.junit), report.junit(matrix))
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
    """Tries every pair of services, and shows what came of it."""
    with screen.step("Try every pair of services") as step:
        matrix = attempt()
        counts = Counter(cell.state for cell in matrix.cells)
        step.note = ", ".join(f"{state} {count}" for state, count in sorted(counts.items())) or "there is none"
    screen.table(*report.rows(matrix))
    for line in report.summary_lines(matrix):
        screen.line(line)
    return matrix


def require_as_declared(matrix: Matrix) -> None:
    """Makes sure that every pair is as the call graph says.

    Raises:
        CheckFailedError: One is not.
    """
    if wrong := len(matrix.wrong):
        of = f"{wrong} of {len(matrix.cells)} pairs of services"
        raise CheckFailedError(f"{of} {'is' if wrong == 1 else 'are'} not as `calls` says")
