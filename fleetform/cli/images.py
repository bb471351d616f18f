"""The images: built, pushed and deleted."""

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
    """Builds and pushes the images that are missing, writes the lock and renders."""
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
    """Such as `1 built, 2 unchanged`."""
    counts = Counter(done.status for done in report.done)
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "no service is built here"


def _show_images(screen: "Screen", images: "Sequence[PushedImage]") -> None:
    """A table with a row an image."""
    rows = [[done.service, done.image.tag, done.image.digest, done.status] for done in images]
    screen.table(("service", "tag", "digest", ""), sorted(rows))


def prune(project: Project, env: str, keep: int, *, yes: bool, as_json: bool) -> None:
    """Shows the images that nothing needs any more, asks, and deletes them."""
    found = pruning.find_old_images(project, env, keep)
    if not as_json:
        _show_old_images(found.services)
    if found.count and not (yes or found.environment.emulator):
        what = f"{env} in account {found.environment.account}: {count_images(found.count)} to delete"
        if as_json:
            raise InputError(f"{what}; --json does not ask: pass --yes")
        confirm(what, env)
    failures = pruning.delete(found)
    if as_json:
        write_json({"services": [_plain(old) for old in found.services], "failures": failures})
    if failures:
        remedy = f"the others are deleted; `{command('prune', env=env)}` tries again"
        raise ProgramError("\n".join([*failures, f"{len(failures)} not deleted; {remedy}"]))
    if not as_json:
        write(f"{count_images(found.count)} deleted\n" if found.count else "nothing to delete\n")


def _show_old_images(services: "Sequence[OldImages]") -> None:
    """A table with a row a service."""
    rows = [[old.service, str(old.kept), str(old.locked), str(len(old.images)), decimal(old.size)] for old in services]
    headings = ("service", "kept", "locked", "to delete", "frees up to")
    Screen().table(headings, rows, right=headings[1:])


def _plain(old: "OldImages") -> dict[str, object]:
    """What scripts get to know of a service."""
    images = [{"digest": image.digest, "tags": image.tags, "bytes": image.size} for image in old.images]
    return {"service": old.service, "kept": old.kept, "locked": old.locked, "deleted": images, "bytes": old.size}
