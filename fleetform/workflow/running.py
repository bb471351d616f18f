"""An environment's services on this machine: as they are applied to the emulator, built here, run by Compose."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass

from fleetform.applied import read_applied
from fleetform.catalog.models import Environment
from fleetform.compose import runner, secrets
from fleetform.compose.document import document
from fleetform.compose.networks import networks
from fleetform.compose.runner import Container, Runner
from fleetform.images.building import Watch, Workshop, build_here
from fleetform.images.engine import find_engine
from fleetform.images.wanted import wanted
from fleetform.stacks import STACKS
from fleetform.workflow import terraform
from fleetform.workflow.project import Project
from fleetform.workflow.terraform import Workplace

PATIENCE_SECONDS = 180
"""How long services may take until they are well."""

_LOOK_SECONDS = 0.5
_UNPRIVILEGED = 1024
_ABOVE_PRIVILEGED = 8000


@dataclass(frozen=True)
class Site:
    """An environment on this machine.

    Attributes:
        project: The checkout.
        workplace: The environment, on the emulator.
        runner: What runs its containers.
    """

    project: Project
    workplace: Workplace
    runner: Runner

    @property
    def environment(self) -> Environment:
        """The environment."""
        return self.workplace.environment

    @property
    def compose(self) -> runner.Project:
        """Its Compose project, whose name begins every name in it."""
        work = self.workplace.work
        return runner.Project(self.environment.prefix, work / "compose.yaml", work / "logs" / "compose.log")

    def containers(self) -> tuple[Container, ...]:
        """Its containers, running or not."""
        return runner.containers(self.runner, self.compose.name)


def open_site(project: Project, name: str, engine: str | None) -> Site:
    """Prepares to run an environment here; starts its emulator.

    Raises:
        ProgramError: Nothing here runs containers.
    """
    found = runner.find_runner(engine, project.work)
    return Site(project, terraform.open_on_emulator(project, name), found)


def is_applied(workplace: Workplace) -> bool:
    """Whether the emulator has what is rendered. It forgets everything when it ends, its state bucket too."""
    try:
        noted = workplace.applied.read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return noted == _fingerprint(workplace) and terraform.has_state(workplace, STACKS[-1])


def note_applied(workplace: Workplace) -> None:
    """Remembers that the emulator has what is rendered."""
    workplace.applied.write_text(_fingerprint(workplace), encoding="utf-8")


def _fingerprint(workplace: Workplace) -> str:
    """Stands for what is rendered and the modules that it uses."""
    digest = hashlib.sha256()
    for folder in (workplace.folder, workplace.folder.parents[1] / "modules"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".tf", ".tfvars", ".hcl"}:
                digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build_images(site: Site, watch: Watch) -> dict[str, str]:
    """Builds what is to be built into the engine's own store; the name of the image of each service.

    Raises:
        FleetformError: An image could not be built.
    """
    services = [name for name, service in site.environment.services.items() if service.build]
    images = wanted(site.project.root, site.environment, services)
    workshop = Workshop(find_engine(site.runner.engine), site.workplace.work, os.cpu_count() or 1, watch)
    outcome = build_here(images, workshop)
    outcome.raise_failures()
    return outcome.names


def write_compose(site: Site, images: Mapping[str, str]) -> dict[str, str]:
    """Writes the Compose file of what is applied; the secrets that it needs in the process environment.

    Raises:
        InputError: A secret is missing, or a task definition says what no container here can do.
    """
    found = read_applied(site.environment, site.workplace.access)
    values = secrets.read_secrets(site.project.root, site.environment.name, secrets.needed(found))
    text = document(
        found, site.environment.prefix, images, networks(found, site.environment.prefix), _ports(site, found)
    )
    site.compose.file.write_text(text, encoding="utf-8")
    return values
