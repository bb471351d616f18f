"""Generates the definitions of CI pipelines from all environments of a project."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from fleetform.base.errors import CatalogError, InputError, Problem, ProgramError
from fleetform.base.program_name import command
from fleetform.base.suggestions import suggestion
from fleetform.catalog.files import CATALOG, environment_file, environment_names
from fleetform.catalog.repository import reject_outside
from fleetform.catalog.writer import write_atomically
from fleetform.ci.pipelines import EnvironmentInPipeline, Provider, StackInPipeline, is_generated, pipeline
from fleetform.render.writer import Change
from fleetform.stacks import Stack, stacks
from fleetform.validation.loading import load, read_environment
from fleetform.workflow.affected.snapshot import Inventory, take_snapshot
from fleetform.workflow.project import Project


def existing_providers(project: Project, providers: Sequence[Provider]) -> list[Provider]:
    """Return the providers whose generated definition exists in the project."""
    return [provider for provider in providers if is_generated(_text(project, provider) or "")]


def changes(project: Project, providers: Sequence[Provider]) -> list[Change]:
    """Return the definitions that are out of date, without writing them.

    Raises:
        CatalogError: An environment has problems.
        InputError: No environment is on AWS, a file with this name was not generated, or it is a link that
            leaves the repository.
    """
    names = environment_names(project.root)
    environments = [_environment(project, name, names) for name in names]
    if all(environment.emulator for environment in environments):
        raise InputError(
            f"no environment is on AWS, so a pipeline has nothing to plan; run `{command('new-env')}` to"
            " add one"
        )
    definitions = [
        Change(
            provider.file,
            _text(project, provider),
            pipeline(provider, project.templates, environments),
        )
        for provider in providers
    ]
    for change in definitions:
        if change.before is not None and not is_generated(change.before):
            raise InputError(f"{change.path}:1:1: exists but was not generated; rename or remove it")
    return [change for change in definitions if change.before != change.after]


def write(project: Project, definitions: Sequence[Change]) -> None:
    """Write definitions.

    Raises:
        ProgramError: A file cannot be written.
    """
    for change in definitions:
        path = project.root / change.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, change.after or "")
        except OSError as error:
            message = f"{change.path}: cannot be written: {error.strerror}"
            raise ProgramError(f"{message}; fix that and run the command again") from None


def _text(project: Project, provider: Provider) -> str | None:
    """Return the current text of a definition; None if it does not exist."""
    reject_outside(project.root, provider.file)
    try:
        return (project.root / provider.file).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{provider.file}: cannot be read: {error}; make it a readable file") from None


def _environment(project: Project, name: str, names: Sequence[str]) -> EnvironmentInPipeline:
    environment = load(project.root, name)
    others = [other for other in names if other != name]
    if unknown := [other for other in environment.applied_after if other not in others]:
        raise CatalogError([_unknown(project, name, other, others) for other in unknown])
    pipeline_stacks: tuple[StackInPipeline, ...] = ()
    if not environment.emulator:
        inventories = take_snapshot(project, name).stacks
        pipeline_stacks = tuple(_stack(stack, inventories[stack.name], name) for stack in stacks(environment))
    return EnvironmentInPipeline(
        name,
        environment.account,
        environment.region,
        environment.state_bucket,
        pipeline_stacks,
        emulator=environment.emulator,
        protection=environment.protection,
        after=environment.applied_after,
    )


def _unknown(project: Project, name: str, other: str, others: list[str]) -> Problem:
    tree = read_environment(project.root, name).tree
    position = (tree.at(("applied_after",)) or tree).position
    return Problem(
        position, f"`{name}` is applied after unknown environment `{other}`", suggestion(other, others)
    )


def _stack(stack: Stack, inventory: Inventory, env: str) -> StackInPipeline:
    # A catalog change that was not rendered triggers a plan, which refuses it.
    sources = (CATALOG.as_posix(), environment_file(env).as_posix()) if not stack.reads_foundation else ()
    return StackInPipeline(stack.name, stack.wave, bool(stack.tasks), (*sources, *_modules(inventory)))


def _modules(inventory: Inventory) -> Iterator[str]:
    """Yield patterns for the modules that a stack calls, directly or indirectly."""
    folders = {path.parent for path in inventory.files if not path.is_relative_to(inventory.folder)}
    outermost = (folder for folder in folders if folders.isdisjoint(folder.parents))
    yield from sorted(f"{folder.as_posix()}/**/*" for folder in outermost if folder != PurePath())
