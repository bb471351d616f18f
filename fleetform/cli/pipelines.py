"""Definitions of pipelines: written, or compared with what the environments say."""

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.base.program_name import command
from fleetform.base.suggestions import suggestion
from fleetform.ci.pipelines import PROVIDERS, Provider
from fleetform.cli.printing import write, write_changes
from fleetform.workflow import pipelines
from fleetform.workflow.project import Project


def ci(project: Project, name: str, *, check: bool, as_json: bool) -> None:
    """Writes the definition of a provider's pipeline, or with `check` fails if that would change it.

    Without a name it is about those that stand in the project.
    """
    wanted = [_provider(name)] if name else _existing_providers(project)
    changes = pipelines.changes(project, wanted)
    if not check:
        pipelines.write(project, changes)
        write_changes(changes, as_json=as_json)
        return
    if as_json:
        write_changes(changes, as_json=True)
    else:
        write("".join(change.diff() for change in changes))
    if changes:
        stale = ", ".join(change.path.as_posix() for change in changes)
        raise CheckFailedError(f"not what envs/ and templates/ci/ say: {stale}; `{command('ci')}` mends it")


def _provider(name: str) -> Provider:
    if name not in PROVIDERS:
        raise InputError(f"there is no provider `{name}`; {suggestion(name, list(PROVIDERS))}")
    return PROVIDERS[name]


def _existing_providers(project: Project) -> list[Provider]:
    if found := pipelines.existing_providers(project, list(PROVIDERS.values())):
        return found
    raise InputError(f"no pipeline of ours is here yet; `--provider` with one of {', '.join(PROVIDERS)} writes it")
