"""The tasks as a person meets them: each function does one, prints what came of it, and raises what went wrong."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

from fleetform import reports
from fleetform.catalog.loading import CATALOG, environment_file, load, load_notices
from fleetform.errors import CheckFailedError, InputError, Problem, ProgramError, raise_all
from fleetform.render.writer import Change
from fleetform.stacks import STACKS, Stack
from fleetform.workflow import files, images, reporting, terraform
from fleetform.workflow.images import ImageReport, ImageRequest
from fleetform.workflow.project import Project
from fleetform.workflow.terraform import Plan, Workplace

if TYPE_CHECKING:
    from fleetform.catalog.additions import NewService
    from fleetform.images.building import Done
    from fleetform.screen import Screen
    from fleetform.workflow.pruning import OldImages


def render(project: Project, env: str, *, check: bool, as_json: bool) -> None:
    """Renders, or with `check` says what a render would change and fails if it would change anything."""
    _warn(project, env)
    if not check:
        _print_changes(files.render_environment(project, env), as_json=as_json)
        return
    changes = [change for found in files.rendered(project, env).values() for change in found]
    if as_json:
        _print_changes(changes, as_json=True)
    else:
        _write("".join(change.diff() for change in changes))
    if changes:
        raise CheckFailedError(f"envs/{env} is not what the catalog says; `invoke render --env {env}` mends it")


def _warn(project: Project, env: str) -> None:
    """Shows, on standard error, what is allowed in the catalog and yet worth saying."""
    sys.stderr.write("".join(f"warning: {notice}\n" for notice in load_notices(project.root, env)))


def _write(text: str) -> None:
    sys.stdout.write(text)


def _print_json(value: object) -> None:
    _write(json.dumps(value, indent=2) + "\n")


def _print_changes(changes: Sequence[Change], *, as_json: bool) -> None:
    if as_json:
        _print_json([{"path": change.path.as_posix(), "change": change.kind} for change in changes])
        return
    for change in changes:
        _write(f"{change.kind:8} {change.path.as_posix()}\n")
    if not changes:
        _write("nothing to change\n")


def schema(project: Project, *, check: bool) -> None:
    """Makes the catalog's JSON Schema and reference anew, or with `check` fails if that would change anything."""
    from fleetform.workflow.schema import schema_changes, write_schema  # noqa: PLC0415 - nothing else makes schemas

    if not check:
        _print_changes(write_schema(project), as_json=False)
        return
    changes = schema_changes(project)
    _write("".join(change.diff() for change in changes))
    if changes:
        stale = ", ".join(change.path.as_posix() for change in changes)
        raise CheckFailedError(f"not what the catalog's models say: {stale}; `invoke schema` mends it")


def new_service(project: Project, service: "NewService") -> None:
    """Adds a service to the catalog, and says what is next."""
    from fleetform.workflow.additions import add_service  # noqa: PLC0415 - seldom wanted

    environments = add_service(project, service)
    _write(f"changed  {CATALOG}\n")
    if service.image is None and not (project.root / service.context / "Dockerfile").exists():
        _write(f"next: write {service.context}/Dockerfile\n")
    for env in environments:
        _write(f"next: invoke render --env {env}\n")


def new_env(project: Project, name: str, like: str) -> None:
    """Makes an environment that is like another, and says what is next."""
    from fleetform.workflow.additions import add_environment  # noqa: PLC0415 - seldom wanted

    made = add_environment(project, name, like)
    _write(f"added    {environment_file(name)}\n")
    if made.left_out:
        _write(f"left out, as {like}'s own: {', '.join(made.left_out)}\n")
    _write(f"next: invoke render --env {name}\n")


def tell_problems(project: Project, problems: Sequence[Problem], form: str) -> str:
    """Prints the problems of a catalog, for a program on standard output; says how many they are."""
    remarks = reporting.of_problems(project.root, problems)
    if form in reports.FORMATS:
        _write(reports.FORMATS[form](remarks))
    else:
        sys.stderr.write(reports.text(remarks, color=_color(sys.stderr)) + "\n")
    return reports.counted(remarks)


def check(project: Project, env: str, form: str, *, validate: bool, as_json: bool) -> None:
    """Checks what is rendered: up to date, formatted, within the policy and, if asked, valid to Terraform."""
    for_program = form in reports.FORMATS
    if not for_program:
        _warn(project, env)
    if as_json and for_program:
        raise InputError(f"`--json` and `--format {form}` exclude each other; keep one of them")
    files.require_rendered(project, env)
    findings = files.findings(project, env)
    unformatted = files.unformatted(project)
    if as_json:
        _print_json([{**asdict(finding), "file": finding.file.as_posix()} for finding in findings])
    else:
        notices = load_notices(project.root, env) if for_program else []
        warnings = reporting.of_problems(project.root, notices, reports.Level.WARNING)
        _write(_told([*warnings, *reporting.of_findings(project.root, findings)], form))
    if unformatted:
        raise CheckFailedError(f"not formatted: {', '.join(unformatted)}; `terraform fmt -recursive` mends it")
    if findings:
        raise CheckFailedError(f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'} in envs/{env}")
    if validate:
        _validate(project, env)
    if not (as_json or for_program):
        _write("no findings\n")


def _told(remarks: Sequence[reports.Remark], form: str) -> str:
    tell = reports.FORMATS.get(form)
    return tell(remarks) if tell else reports.text(remarks, color=_color(sys.stdout))


def _validate(project: Project, env: str) -> None:
    from fleetform.screen import Screen  # noqa: PLC0415 - rich is a tenth of a second

    screen = Screen()
    workplace = terraform.open_environment(project, env)
    for stack in STACKS:
        with screen.step(f"Validate {stack.name}"):
            terraform.validate(workplace, stack)


def make_images(project: Project, env: str, request: ImageRequest) -> None:
    """Builds and pushes the images that are missing, writes the lock and renders."""
    from fleetform.images.building import Done, Watch  # noqa: PLC0415 - most tasks build nothing
    from fleetform.screen import Screen  # noqa: PLC0415 - rich is a tenth of a second

    screen = Screen()

    def pushed(done: Done, seconds: float) -> None:
        screen.line(f"  {done.service}: pushed {done.image.digest} ({seconds:.1f} s)")

    with screen.step(f"Images of {env}") as step:
        watch = Watch(lambda service, line: step.show(f"{service}: {line}"), pushed)
        report = images.make_images(project, env, request, watch)
        for notice in report.notices:
            screen.line(notice)
        show_images(screen, report.done)
        for change in report.changes:
            screen.line(f"{change.kind:8} {change.path.as_posix()}")
        step.note = _counted(report)
        raise_all(report.failures)


def _counted(report: ImageReport) -> str:
    """Such as `1 built, 2 unchanged`."""
    counts = Counter(done.how for done in report.done)
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "no service is built here"


def show_images(screen: "Screen", images: "Sequence[Done]") -> None:
    """A table with a row an image."""
    rows = [[done.service, done.image.tag, done.image.digest, done.how] for done in images]
    screen.table(("service", "tag", "digest", ""), sorted(rows))


def prune(project: Project, env: str, keep: int, *, yes: bool, as_json: bool) -> None:
    """Shows the images that nothing needs any more, asks, and deletes them."""
    from fleetform.workflow import pruning  # noqa: PLC0415 - most tasks delete no image

    found = pruning.find_old_images(project, env, keep)
    if not as_json:
        _show_old_images(found.services)
    if found.count and not (yes or found.environment.emulator):
        what = f"{env} in account {found.environment.account}: {_images(found.count)} to delete"
        if as_json:
            raise InputError(f"{what}; --json does not ask: give --yes")
        _confirm(what, env)
    failures = pruning.delete(found)
    if as_json:
        _print_json({"services": [_plain(old) for old in found.services], "failures": failures})
    if failures:
        remedy = f"the others are deleted; `invoke prune --env {env}` tries again"
        raise ProgramError("\n".join([*failures, f"{len(failures)} not deleted; {remedy}"]))
    if not as_json:
        _write(f"{_images(found.count)} deleted\n" if found.count else "nothing to delete\n")


def _images(count: int) -> str:
    return f"{count} {'image' if count == 1 else 'images'}"


def _show_old_images(services: "Sequence[OldImages]") -> None:
    """A table with a row a service."""
    from rich.filesize import decimal  # noqa: PLC0415 - rich is a tenth of a second

    from fleetform.screen import Screen  # noqa: PLC0415

    rows = [[old.service, str(old.kept), str(old.locked), str(len(old.images)), decimal(old.size)] for old in services]
    headings = ("service", "kept", "locked", "to delete", "frees up to")
    Screen().table(headings, rows, right=headings[1:])


def _plain(old: "OldImages") -> dict[str, object]:
    """What scripts get to know of a service."""
    images = [{"digest": image.digest, "tags": image.tags, "bytes": image.size} for image in old.images]
    return {"service": old.service, "kept": old.kept, "locked": old.locked, "deleted": images, "bytes": old.size}


def bootstrap(project: Project, env: str) -> None:
    """Makes the state bucket of an environment, or brings it up to date."""
    workplace = terraform.open_environment(project, env)
    made = terraform.bootstrap(workplace)
    _write(f"{workplace.environment.state_bucket} {'made' if made else 'is there, and up to date'}\n")


def plan(project: Project, env: str) -> None:
    """Plans every stack and shows the plans; changes nothing."""
    workplace = open_checked(project, env)
    planned = []
    for stack in STACKS:
        if stack is not STACKS[0] and not terraform.has_state(workplace, STACKS[0]):
            _write(f"{stack.name}: to be planned once {STACKS[0].name} is applied, as it reads its outputs\n")
            continue
        planned.append(_plan(workplace, stack))
    for done in planned:
        _write_summary(done.stack, str(done.summary), done.summary.seconds)
        done.discard()


def apply(project: Project, env: str, *, yes: bool) -> None:
    """Plans each stack, shows the plan, asks, and applies just that plan.

    Dependents come after what they depend on. If that only loses something, they go first: AWS does not delete what is
    in use, and a caller should stop calling before its way is closed.
    """
    workplace = open_checked(project, env)
    apply_stacks(workplace, lambda: images.require_images(project, workplace.environment), yes=yes)


def apply_stacks(workplace: Workplace, prepare_dependents: Callable[[], None], *, yes: bool) -> None:
    """Applies every stack of an environment; see `apply`.

    Args:
        workplace: The environment.
        prepare_dependents: Called once, before any other stack than the foundation is planned.
        yes: Do not ask.
    """
    foundation, *dependents = STACKS
    planned = _plan(workplace, foundation)
    dependents_first = planned.summary.only_destroys and all(
        terraform.has_state(workplace, stack) for stack in dependents
    )
    if dependents_first:
        _write(f"\n{foundation.name} only loses resources: what may still use them goes first\n")
        planned.discard()
        prepare_dependents()
        for stack in dependents:
            _carry_out(workplace, _plan(workplace, stack), yes=yes)
        planned = _plan(workplace, foundation)
    _carry_out(workplace, planned, yes=yes)
    if not dependents_first:
        prepare_dependents()
    for stack in dependents:
        _carry_out(workplace, _plan(workplace, stack), yes=yes)


def destroy(project: Project, env: str, *, yes: bool) -> None:
    """Destroys every stack that has a state, dependents first, and the images with their repositories."""
    workplace = open_checked(project, env)
    for stack in terraform.destroy_order():
        if terraform.has_state(workplace, stack):
            _carry_out(workplace, _plan(workplace, stack, destroy=True), yes=yes)


def drift(project: Project, env: str) -> None:
    """Plans every stack and fails if any has something to change."""
    workplace = open_checked(project, env)
    plans = [_plan(workplace, stack) for stack in STACKS]
    for planned in plans:
        planned.discard()
        _write_summary(planned.stack, str(planned.summary), planned.summary.seconds)
    drifted = [planned.stack.name for planned in plans if planned.changes]
    if drifted:
        raise CheckFailedError(
            f"not as the catalog says: {', '.join(drifted)}; the plan is above, `invoke apply --env {env}` mends it"
        )
    _write("no drift\n")


def require_sound(project: Project, env: str) -> None:
    """Makes sure that an environment's rendered files are current and within the policy.

    Raises:
        CheckFailedError: They are not.
    """
    files.require_rendered(project, env)
    if findings := files.findings(project, env):
        raise CheckFailedError("\n".join(map(str, findings)))


def open_checked(project: Project, env: str) -> Workplace:
    """Opens an environment whose rendered files are current and within the policy."""
    require_sound(project, env)
    workplace = terraform.open_environment(project, env)
    if workplace.environment.emulator:
        terraform.bootstrap(workplace)
    return workplace


def _plan(workplace: Workplace, stack: Stack, *, destroy: bool = False) -> Plan:
    _write(f"\n── {workplace.environment.name} {stack.name}: plan\n")
    terraform.init(workplace, stack)
    return terraform.plan(workplace, stack, _line, destroy=destroy, color=_color(sys.stdout))


def _carry_out(workplace: Workplace, planned: Plan, *, yes: bool) -> None:
    name, stack = workplace.environment.name, planned.stack.name
    if not planned.changes:
        planned.discard()
        _write_summary(planned.stack, "no changes", planned.summary.seconds)
        return
    try:
        doomed = _doomed_images(workplace, planned)
        if not (yes or workplace.environment.emulator):
            also = f", and {_images(sum(doomed.values()))} to delete" if doomed else ""
            _confirm(f"{name} {stack} in account {workplace.environment.account}: {planned.summary}{also}", name)
        if doomed:
            _delete_images(workplace, doomed)
    except BaseException:
        planned.discard()
        raise
    _write(f"\n── {name} {stack}: apply\n")
    summary = terraform.apply(workplace, planned, _line, color=_color(sys.stdout))
    _write_summary(planned.stack, summary.outcome, summary.seconds)


def _doomed_images(workplace: Workplace, planned: Plan) -> dict[str, int]:
    """How many images are in each repository that a plan destroys: ECR deletes none that holds any."""
    if not planned.destroys or planned.stack is not STACKS[0]:
        return {}
    from fleetform.workflow import pruning  # noqa: PLC0415 - most tasks delete no image

    return pruning.stored(workplace)


def _delete_images(workplace: Workplace, repositories: Mapping[str, int]) -> None:
    from fleetform.workflow import pruning  # noqa: PLC0415 - most tasks delete no image

    pruning.clear(workplace, repositories)
    _write("".join(f"{repository}: {_images(count)} deleted\n" for repository, count in repositories.items()))


def _write_summary(stack: Stack, what: str, seconds: float) -> None:
    _write(f"{stack.name}: {what} ({seconds:.0f} s)\n")


def _line(line: str) -> None:
    _write(line + "\n")
    sys.stdout.flush()


def _color(stream: TextIO) -> bool:
    import os  # noqa: PLC0415

    return stream.isatty() and not os.environ.get("NO_COLOR")


def _confirm(what: str, word: str) -> None:
    if not sys.stdin.isatty():
        raise InputError(f"{what}; nobody is there to confirm it: give --yes")
    if input(f"\n{what}. Type {word} to go on: ").strip() != word:
        raise InputError("not confirmed; nothing was changed")


def verify(project: Project, env: str, *, as_json: bool) -> None:
    """Compares the running environment with the catalog, through AWS's API."""
    from fleetform.screen import Screen, show_services  # noqa: PLC0415 - rich is a tenth of a second
    from fleetform.workflow import verification  # noqa: PLC0415 - a third of a second

    report = verification.verify(terraform.open_environment(project, env))
    if as_json:
        _print_json(asdict(report))
    else:
        show_services(Screen(), report.services)
        _write("".join(f"{difference}\n" for difference in report.differences))
    if report.differences:
        raise CheckFailedError(f"{len(report.differences)} of {report.checks} facts differ from the catalog")
    if not as_json:
        _write(f"{report.checks} facts are as the catalog says\n")


def start_emulator(project: Project, env: str) -> None:
    """Starts the emulator for an environment's account, or says where it runs."""
    from fleetform import emulator  # noqa: PLC0415 - most tasks have no use for it

    started = emulator.start(project.work, account=load(project.root, env).account)
    _write(f"emulator at {started.url} (process {started.pid})\n")


def stop_emulator(project: Project) -> None:
    """Stops the emulator; what was applied to `local` goes with it."""
    from fleetform import emulator  # noqa: PLC0415 - most tasks have no use for it

    _write("stopped\n" if emulator.stop(project.work) else "not running\n")


def emulator_status(project: Project, *, as_json: bool) -> None:
    """Says whether the emulator runs, and where."""
    from fleetform import emulator  # noqa: PLC0415 - most tasks have no use for it

    found = emulator.status(project.work)
    if as_json:
        _print_json(asdict(found) if found else None)
    else:
        _write(f"running at {found.url} (process {found.pid})\n" if found else "not running\n")
