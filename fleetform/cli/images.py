"""The commands that build, push and delete images."""

from collections import Counter
from typing import TYPE_CHECKING

from rich.filesize import decimal

from fleetform.base.errors import InputError, ProgramError, raise_all
from fleetform.base.program_name import command
from fleetform.cli.printing import confirm, count_images, write, write_json
from fleetform.cli.screen import Screen
from fleetform.images.building import BuildListener, PushedImage
from fleetform.validation.loading import load
from fleetform.workflow.images import build, pruning
from fleetform.workflow.images.build import ImageRequest, ImagesReport
from fleetform.workflow.images.registry import built_services
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetform.workflow.images.pruning import OldImages


def make_images(project: Project, env: str, request: ImageRequest) -> None:
    """Build and push missing images, write the image lock, and render."""
    built_services(load(project.root, env), request.services)  # a wrong name is reported before any step
    screen = Screen()

    def pushed(done: PushedImage, seconds: float) -> None:
        screen.line(f"  {done.service}: pushed {done.image.digest} ({seconds:.1f} s)")

    with screen.step(f"Images of {env}") as step:
        watch = BuildListener(lambda service, line: step.show(f"{service}: {line}"), pushed)
        report = build.make_images(project, env, request, watch)
        for notice in report.notices:
            screen.line(notice)
        _show_images(screen, report.done)
        for change in report.changes:
            screen.line(f"{change.kind:8} {change.path.as_posix()}")
        step.note = _count_outcomes(report)
        raise_all(report.failures)


def _count_outcomes(report: ImagesReport) -> str:
    """Return such as `1 built, 2 unchanged`."""
    counts = Counter(done.status for done in report.done)
    return (
        ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "no service is built here"
    )


def _show_images(screen: "Screen", images: "Sequence[PushedImage]") -> None:
    """Print a table with a row for each image."""
    rows = [[done.service, done.image.tag, done.image.digest, done.status] for done in images]
    screen.table(("service", "tag", "digest", ""), sorted(rows))


def prune(project: Project, env: str, keep: int, *, yes: bool, as_json: bool) -> None:
    """Show images that are no longer needed, ask, and delete them."""
    prunable = pruning.find_old_images(project, env, keep)
    if not as_json:
        _show_old_images(prunable.services)
    if prunable.count and not (yes or prunable.environment.emulator):
        what = f"{env} in account {prunable.environment.account}: {count_images(prunable.count)} to delete"
        if as_json:
            raise InputError(f"{what}; --json does not ask: pass --yes")
        confirm(what, env)
    failures = pruning.delete(prunable)
    if as_json:
        write_json({"services": [_plain(old) for old in prunable.services], "failures": failures})
    if failures:
        remedy = f"the others are deleted; `{command('prune', env=env)}` retries"
        raise ProgramError("\n".join([*failures, f"{len(failures)} not deleted; {remedy}"]))
    if not as_json:
        write(f"{count_images(prunable.count)} deleted\n" if prunable.count else "nothing to delete\n")


def _show_old_images(services: "Sequence[OldImages]") -> None:
    """Print a table with a row for each service."""
    rows = [
        [old.service, str(old.kept), str(old.locked), str(len(old.images)), decimal(old.size)]
        for old in services
    ]
    headings = ("service", "kept", "locked", "to delete", "frees up to")
    Screen().table(headings, rows, right=headings[1:])


def _plain(old: "OldImages") -> dict[str, object]:
    """Return a service's images as JSON data."""
    images = [{"digest": image.digest, "tags": image.tags, "bytes": image.size} for image in old.images]
    return {
        "service": old.service,
        "kept": old.kept,
        "locked": old.locked,
        "deleted": images,
        "bytes": old.size,
    }
