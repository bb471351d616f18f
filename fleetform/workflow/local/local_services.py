"""Runs an environment's services on this machine: applied to the emulator, built locally, run by Compose."""

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
"""Seconds to wait until services are healthy."""

_POLL_SECONDS = 0.5
_UNPRIVILEGED = 1024
_ABOVE_PRIVILEGED = 8000


@dataclass(frozen=True)
class Site:
    """An environment's containers on this machine.

    Attributes:
        root: The checkout's folder.
        environment: The environment.
        work: The folder of its local files: logs, the Compose file, the agent's record.
        runner: The engine that runs its containers.
    """

    root: Path
    environment: Environment
    work: Path
    runner: Runner

    @property
    def compose(self) -> projects.Project:
        """Return its Compose project, whose name is the prefix of all names in it."""
        return projects.Project(
            self.environment.prefix, self.work / "compose.yaml", self.work / "logs" / "compose.log"
        )

    def containers(self) -> tuple[Container, ...]:
        """Return its containers, running or not."""
        return containers(self.runner, self.compose.name)


def open_site(project: Project, name: str, engine: str | None) -> Site:
    """Prepare to run an environment on this machine.

    Raises:
        ProgramError: No engine on this machine runs containers.
    """
    environment = load(project.root, name)
    work = local_work_folder(project, environment)
    return Site(project.root, environment, work, find_runner(engine, project.work))


def is_applied(workspace: Workspace) -> bool:
    """Return whether the rendered Terraform is applied.

    The emulator loses everything when it stops, states too.
    """
    try:
        recorded = workspace.applied.read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return recorded == _fingerprint(workspace) and states.has_state(workspace, workspace.stacks[-1])


def note_applied(workspace: Workspace) -> None:
    """Record that the rendered Terraform is applied to the emulator."""
    workspace.applied.write_text(_fingerprint(workspace), encoding="utf-8")


def _fingerprint(workspace: Workspace) -> str:
    """Return a digest of the rendered files and the modules."""
    digest = hashlib.sha256()
    for folder in (workspace.folder, workspace.folder.parents[1] / "modules"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".tf", ".tfvars", ".hcl"}:
                digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build_images(site: Site, listener: BuildListener) -> tuple[LocalImage, ...]:
    """Build the images of running services into the engine's local store.

    Raises:
        FleetformError: An image could not be built.
    """
    services = [name for name, service in site.environment.running.items() if service.build]
    images = image_specs(site.root, site.environment, services)
    context = BuildContext(find_engine(site.runner.engine), site.work, os.cpu_count() or 1, listener)
    outcome = build_locally(images, context)
    raise_all(outcome.failures)
    return outcome.done


def start(site: Site, access: Access, images: Mapping[str, str], output: Output) -> None:
    """Write the Compose file of the applied environment, and start or update its containers.

    Args:
        site: The environment.
        access: The AWS API that the environment is applied to.
        images: The name of the locally built image, by service.
        output: Takes each line that Compose prints.

    Raises:
        InputError: A secret is missing, or containers on this machine do not support a setting of the catalog
            or a task definition.
        ProgramError: The environment is not applied, or Compose fails.
    """
    _require_no_srv_records(site.environment)
    applied = read_applied(site.environment, access)
    values = secrets.read_secrets(site.root, site.environment.name, secrets.required_variables(applied))
    prefix = site.environment.prefix
    nets = networks(applied, prefix, choose_cidr_block(prefix, os.environ), isolating=site.runner.isolates)
    site.compose.file.write_text(
        document(applied, prefix, images, nets, ports(site, applied)), encoding="utf-8"
    )
    with agent.agent_paused(site.work, site.runner, site.compose.name):
        projects.up(site.runner, site.compose, values, output)


def _require_no_srv_records(environment: Environment) -> None:
    if names := services_with_srv_record(environment):
        services = ", ".join(names)
        raise InputError(
            f"{services}: local containers do not support SRV records; remove `record_type: SRV`"
        )


def not_started(environment: Environment) -> dict[str, str]:
    """Return why some services are not started, by service: those are one-off and scheduled tasks."""
    return {name: _when_it_runs(service) for name, service in environment.services.items() if service.is_task}


def _when_it_runs(service: Service) -> str:
    if service.schedule is not None:
        return f"runs at {service.schedule.expression}"
    return f"runs before {', '.join(service.run_before)}"


def ports(site: Site, applied: AppliedEnvironment) -> dict[str, int]:
    """Return the port of this machine for each public service.

    Its current one, else the same port if it is free.
    """
    published = {
        container.service: container.published[0] for container in site.containers() if container.published
    }
    ports: dict[str, int] = {}
    for service in applied.services:
        if service.desired_count and (public := applied.public(service.name)):
            ports[service.name] = published.get(service.name) or _free_port(
                public[0], taken=set(ports.values())
            )
    return ports


def _free_port(preferred: int, taken: set[int]) -> int:
    """Return the preferred port, plus 8000 if it is privileged; or any free port if that one is in use."""
    first = preferred if preferred >= _UNPRIVILEGED else preferred + _ABOVE_PRIVILEGED
    for port in (first, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            bound: int = listener.getsockname()[1]
            if bound not in taken:
                return bound
    raise ProgramError("no port is free on this machine; stop programs that listen on ports")


def is_healthy(site: Site, container: Container) -> bool:
    """Return whether a container is healthy by its health check, or has done its work.

    If the engine has not run the check yet, which it does some time after the start, it is run now.
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


def wait_until_healthy(site: Site, report: Callable[[int, int], None]) -> tuple[Container, ...]:
    """Wait until all containers are healthy, and return them.

    Args:
        site: The environment.
        report: Takes the number of healthy containers, and the number of all.

    Raises:
        CheckFailedError: Some are still unhealthy after a few minutes.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        all_containers = site.containers()
        unhealthy = [container for container in all_containers if not is_healthy(site, container)]
        report(len(all_containers) - len(unhealthy), len(all_containers))
        if not unhealthy:
            return all_containers
        if time.monotonic() > deadline:
            logs = f"run `{command('logs', env=site.environment.name)}` to see their output"
            raise CheckFailedError("\n".join([*map(_failure_reason, unhealthy), logs]))
        time.sleep(_POLL_SECONDS)


def _failure_reason(container: Container) -> str:
    health = f", {container.health}" if container.health != "none" else ""
    return f"{container.name} is not healthy after {TIMEOUT_SECONDS} s: {container.state}{health}"


def stop(project: Project, site: Site, output: Output) -> None:
    """Remove an environment's containers, networks and volumes, and stop the processes of `up`.

    The emulator of `local` keeps running, as not only containers use it.
    """
    agent.stop_agent(site.work)
    projects.down(site.runner, site.compose, output)
    close_runner(project.work)
    if not site.environment.emulator:
        emulator.stop(site.work)
