"""The commands `deploy`, `promote` and `rollback`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ProfileNotFound

from fleetform.aws.clients import Access
from fleetform.base.errors import CheckFailedError, InputError
from fleetform.base.program_name import command
from fleetform.catalog.images_lock import LockedImage, load_lock, write_lock
from fleetform.catalog.models import Environment
from fleetform.cli.images import make_images
from fleetform.cli.preflight import open_checked
from fleetform.cli.render import render
from fleetform.cli.screen import Screen
from fleetform.cli.stacks import apply_stacks
from fleetform.images.history import previous
from fleetform.images.promotion import RegistrySide, select_images
from fleetform.images.promotion import promote as promote_image
from fleetform.images.scanning import NONE, TIMEOUT, read_scan, require_severity
from fleetform.stacks import FOUNDATION
from fleetform.terraform import process_environment
from fleetform.validation.loading import load
from fleetform.workflow.apply import states, verification
from fleetform.workflow.apply.driver import DEFAULTS, RunOptions
from fleetform.workflow.images.build import ImageRequest
from fleetform.workflow.images.registry import open_registry, registry_of
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace

if TYPE_CHECKING:
    from fleetform.aws.verification import Report
    from fleetform.images.registry import Registry
    from fleetform.images.scanning import Scan

_DIGEST_LENGTH = len("sha256:") + 12
_COMMIT_LENGTH = 12
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class DeployOptions:
    """How to deploy.

    Attributes:
        run: How stacks are planned and applied.
        engine: Name of the engine; None for the first that works.
        severity: The lowest severity of ECR scan findings that stops the deployment.
    """

    run: RunOptions = DEFAULTS
    engine: str | None = None
    severity: str = "critical"


def deploy(project: Project, env: str, options: DeployOptions) -> None:
    """Bring an environment up to date with the catalog and the work tree.

    Render, check, apply the foundation, build and push images, render their digests, apply the rest and
    verify. Steps that are done already are skipped, so that a deployment continues after a failure.
    """
    require_severity(options.severity)
    process_environment.require_neutral(os.environ)
    screen = Screen()
    render(project, env, check=False, as_json=False)
    workspace = open_checked(project, env)
    if not states.has_state(workspace, FOUNDATION):
        states.bootstrap(workspace)

    def prepare() -> None:
        make_images(project, env, ImageRequest(engine=options.engine))
        if options.severity != NONE:
            _require_scans(project, workspace, screen, options.severity)

    apply_stacks(workspace, prepare, options.run)
    with screen.step("Verify through the AWS API") as step:
        report = verification.verify(workspace)
        step.note = f"{report.checks - len(report.differences)} of {report.checks} facts match the catalog"
    _show(screen, workspace.environment, load_lock(project.root, env), report)
    if report.differences:
        raise CheckFailedError(
            "\n".join([*report.differences, f"run `{command('verify', env=env)}` to check again"])
        )


def _require_scans(project: Project, workspace: Workspace, screen: Screen, severity: str) -> None:
    """Stop at findings of ECR's scan. Print which images have not been scanned, and continue.

    Raises:
        CheckFailedError: The scan found something of the severity or worse.
    """
    with screen.step("Read ECR's scans") as step:
        scans = _read_scans(project, workspace)
        findings = {name: scan.at_least(severity) for name, scan in scans.items()}
        if any(findings.values()):
            lines = [f"{name}: {finding}" for name in findings for finding in findings[name]]
            remedy = "fix it, or accept it with a higher `--severity`, or `none`"
            raise CheckFailedError(
                "\n".join([*lines, f"{len(lines)} found of severity {severity} or worse; {remedy}"])
            )
        scanned = [scan for scan in scans.values() if not scan.notice]
        note = f"{len(scanned)} of {len(scans)} images scanned, nothing {severity} or worse"
        step.note = note if scans else "no service is built here"
    for name, scan in scans.items():
        if scan.notice:
            screen.line(f"  {name}: {scan.notice}")


def _read_scans(project: Project, workspace: Workspace) -> "dict[str, Scan]":
    environment = workspace.environment
    ecr = workspace.access.client("ecr")
    patience = 0 if environment.emulator else TIMEOUT
    return {
        name: read_scan(ecr, environment.full_name(name), image.digest, patience)
        for name, image in load_lock(project.root, environment.name).items()
    }


def _show(
    screen: Screen, environment: Environment, lock: Mapping[str, LockedImage], report: "Report"
) -> None:
    """Print a table with a row for each service: its image and its number of tasks."""
    rows = [
        [
            status.name,
            _short_image(lock[status.name])
            if status.name in lock
            else environment.services[status.name].image or "unbuilt",
            f"{status.running}/{status.desired}",
        ]
        for status in report.services
    ]
    screen.table(("service", "image", "tasks"), rows, right=("tasks",))


def _short_image(image: LockedImage) -> str:
    return f"{image.tag} ({image.digest[:_DIGEST_LENGTH]})"


def promote(project: Project, source: str, target: str, services: Sequence[str], profile: str | None) -> None:
    """Copy images from one environment to another, by digest; write the target's image lock and render it.

    Args:
        project: The checkout.
        source: The environment that has the images.
        target: The environment that gets them.
        services: The services; empty for all that both have.
        profile: The AWS profile that may read the source's registry, if the target's credentials may not.
    """
    environments = load(project.root, source), load(project.root, target)
    images = select_images(*environments, load_lock(project.root, source), services)
    source_side = RegistrySide(environments[0], _registry(project, environments[0], profile))
    target_side = RegistrySide(environments[1], _registry(project, environments[1], None))
    screen = Screen()
    for name, image in images.items():
        with screen.step(f"{name} {_short_image(image)}") as step:
            promoted = promote_image(source_side, target_side, name, image)
            step.note = promoted.status
        if promoted.notice:
            screen.line(f"  {name}: {promoted.notice}")
    write_lock(project.root, target, {**load_lock(project.root, target), **images})
    _render(project, target)


def _registry(project: Project, environment: Environment, profile: str | None) -> "Registry":
    if profile is None:
        return open_registry(project, environment)
    # Keys in the process environment would take precedence over the profile.
    variables = {name: value for name, value in os.environ.items() if name not in _KEYS} | {
        "AWS_PROFILE": profile
    }
    try:
        return registry_of(environment, Access(environment.region, variables))
    except ProfileNotFound as error:
        raise InputError(f"--from-profile: {error}") from None


def rollback(project: Project, env: str, service: str) -> None:
    """Return a service to its previous image in the history of the lock; write the lock and render."""
    load(project.root, env)
    entry = previous(project.root, env, service)
    write_lock(project.root, env, {**load_lock(project.root, env), service: entry.image})
    Screen().line(
        f"{service}: rolled back to {_short_image(entry.image)} of commit {entry.commit[:_COMMIT_LENGTH]}"
    )
    _render(project, env)


def _render(project: Project, env: str) -> None:
    render(project, env, check=False, as_json=False)
    Screen().line(f"next: commit envs/{env}, then run `{command('plan', env=env)}`")
