"""An environment's services on this machine: as they are applied to the emulator, built here, run by Compose."""

import hashlib
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetform import emulator
from fleetform.aws.clients import Access
from fleetform.aws.live_state import AppliedEnvironment, read_applied
from fleetform.base.errors import CheckFailedError, InputError, ProgramError, raise_all
from fleetform.base.processes import Output
from fleetform.base.program_name import command
from fleetform.catalog.models import Environment, Service
from fleetform.images.building import BuildContext, BuildListener, LocalImage, build_locally
from fleetform.images.engine import find_engine
from fleetform.images.image_specs import image_specs
from fleetform.local_runtime import agent, secrets
from fleetform.local_runtime import project as projects
from fleetform.local_runtime.document import document
from fleetform.local_runtime.execution import execute
from fleetform.local_runtime.inspection import Container, containers
from fleetform.local_runtime.networks import choose_cidr_block, networks
from fleetform.local_runtime.runner import Runner, close_runner, find_runner
from fleetform.topology import services_with_srv_record
from fleetform.validation.loading import load
from fleetform.workflow.apply import states
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, local_work_folder

TIMEOUT_SECONDS = 180
"""How long services may take until they are well."""

_POLL_SECONDS = 0.5
_UNPRIVILEGED = 1024
_ABOVE_PRIVILEGED = 8000


@dataclass(frozen=True)
class Site:
    """An environment's containers on this machine.

    Attributes:
        root: The checkout's folder.
        environment: The environment.
        work: What is kept of it here: logs, the Compose file, the agent's record.
        runner: What runs its containers.
    """

    root: Path
    environment: Environment
    work: Path
    runner: Runner

    @property
    def compose(self) -> projects.Project:
        """Its Compose project, whose name begins every name in it."""
        return projects.Project(self.environment.prefix, self.work / "compose.yaml", self.work / "logs" / "compose.log")

    def containers(self) -> tuple[Container, ...]:
        """Its containers, running or not."""
        return containers(self.runner, self.compose.name)


def open_site(project: Project, name: str, engine: str | None) -> Site:
    """Prepares to run an environment here.

    Raises:
        ProgramError: Nothing here runs containers.
    """
    environment = load(project.root, name)
    work = local_work_folder(project, environment)
    return Site(project.root, environment, work, find_runner(engine, project.work))


def is_applied(workspace: Workspace) -> bool:
    """Whether the emulator has what is rendered. It forgets everything when it ends, its state bucket too."""
    try:
        noted = workspace.applied.read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return noted == _fingerprint(workspace) and states.has_state(workspace, workspace.stacks[-1])


def note_applied(workspace: Workspace) -> None:
    """Remembers that the emulator has what is rendered."""
    workspace.applied.write_text(_fingerprint(workspace), encoding="utf-8")


def _fingerprint(workspace: Workspace) -> str:
    """Stands for what is rendered and the modules that it uses."""
    digest = hashlib.sha256()
    for folder in (workspace.folder, workspace.folder.parents[1] / "modules"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".tf", ".tfvars", ".hcl"}:
                digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build_images(site: Site, watch: BuildListener) -> tuple[LocalImage, ...]:
    """Builds what is to be built into the engine's own store.

    Raises:
        FleetformError: An image could not be built.
    """
    services = [name for name, service in site.environment.running.items() if service.build]
    images = image_specs(site.root, site.environment, services)
    workshop = BuildContext(find_engine(site.runner.engine), site.work, os.cpu_count() or 1, watch)
    outcome = build_locally(images, workshop)
    raise_all(outcome.failures)
    return outcome.done


def start(site: Site, access: Access, images: Mapping[str, str], output: Output) -> None:
    """Writes the Compose file of what is applied, and brings the containers up to it.

    Args:
        site: The environment.
        access: The AWS API that says what is applied.
        images: The name of each service's image that is built here.
        output: Gets each line that Compose prints.

    Raises:
        InputError: A secret is missing, or the catalog or a task definition says what no container here can do.
        ProgramError: The environment is not applied, or Compose fails.
    """
    _require_findable(site.environment)
    found = read_applied(site.environment, access)
    values = secrets.read_secrets(site.root, site.environment.name, secrets.required_variables(found))
    prefix = site.environment.prefix
    nets = networks(found, prefix, choose_cidr_block(prefix, os.environ), isolating=site.runner.isolates)
    site.compose.file.write_text(document(found, prefix, images, nets, ports(site, found)), encoding="utf-8")
    with agent.agent_paused(site.work, site.runner, site.compose.name):
        projects.up(site.runner, site.compose, values, output)


def _require_findable(environment: Environment) -> None:
    if names := services_with_srv_record(environment):
        found = ", ".join(names)
        raise InputError(f"{found}: found by SRV records, which nothing here answers; leave `record_type: SRV` out")


def not_started(environment: Environment) -> dict[str, str]:
    """Why some services do not run here, by service: tasks that run to their end."""
    return {name: _when_it_runs(service) for name, service in environment.services.items() if service.is_task}


def _when_it_runs(service: Service) -> str:
    if service.schedule is not None:
        return f"runs at {service.schedule.expression}"
    return f"runs before {', '.join(service.run_before)}"


def ports(site: Site, applied: AppliedEnvironment) -> dict[str, int]:
    """The port of this machine for each public service: the one that it has, else its own if that is free."""
    published = {container.service: container.published[0] for container in site.containers() if container.published}
    ports: dict[str, int] = {}
    for service in applied.services:
        if service.desired_count and (public := applied.public(service.name)):
            ports[service.name] = published.get(service.name) or _free_port(public[0], taken=set(ports.values()))
    return ports


def _free_port(wish: int, taken: set[int]) -> int:
    """The port itself where anyone may listen on it, else the one that is as far above 8000; or any that is free."""
    first = wish if wish >= _UNPRIVILEGED else wish + _ABOVE_PRIVILEGED
    for port in (first, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = listener.getsockname()[1]
            if found not in taken:
                return found
    raise ProgramError("no port is free on this machine; end what holds them")


def is_healthy(site: Site, container: Container) -> bool:
    """Whether a container does its work, as far as its health check says, or has done it.

    A check that the engine has not made yet, some time after the start as it is, is made now.
    """
    if container.state == "exited" and not container.essential:
        return True
    if container.state != "running" or container.health == "unhealthy":
        return False
    return container.health != "starting" or _passes(site, container)


def _passes(site: Site, container: Container) -> bool:
    if container.check is None:
        return True
    try:
        done = execute(site.runner, container.name, container.check.argv, timeout=container.check.timeout)
    except ProgramError:
        return False
    return done.code == 0


def wait_until_healthy(site: Site, watch: Callable[[int, int], None]) -> tuple[Container, ...]:
    """Waits for all containers; returns them.

    Args:
        site: The environment.
        watch: Gets how many are well, and how many there are.

    Raises:
        CheckFailedError: Some are not, after some minutes.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        found = site.containers()
        ill = [container for container in found if not is_healthy(site, container)]
        watch(len(found) - len(ill), len(found))
        if not ill:
            return found
        if time.monotonic() > deadline:
            raise CheckFailedError(
                "\n".join(map(_failure_reason, ill)) + f"\n`{command('logs', env=site.environment.name)}`"
            )
        time.sleep(_POLL_SECONDS)


def _failure_reason(container: Container) -> str:
    health = f", {container.health}" if container.health != "none" else ""
    return f"{container.name} is not well after {TIMEOUT_SECONDS} s: {container.state}{health}"


def stop(project: Project, site: Site, output: Output) -> None:
    """Removes all containers, networks and volumes of an environment, and the processes that `up` started for them.

    The emulator that `local` runs against stays: it is not for containers alone.
    """
    agent.stop_agent(site.work)
    projects.down(site.runner, site.compose, output)
    close_runner(project.work)
    if not site.environment.emulator:
        emulator.stop(site.work)
