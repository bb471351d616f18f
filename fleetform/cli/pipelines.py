"""Writes the definitions of CI pipelines, or compares them with the environments."""

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.base.program_name import command
from fleetform.base.suggestions import suggestion
from fleetform.ci.pipelines import PROVIDERS, Provider
from fleetform.cli.printing import write, write_changes
from fleetform.workflow import pipelines
from fleetform.workflow.project import Project


def ci(project: Project, name: str, *, check: bool, as_json: bool) -> None:
    """Write the definition of a provider's pipeline, or with `check` fail if it is out of date.

    Without a name, this covers every pipeline that the project has.
    """
    providers = [_provider(name)] if name else _existing_providers(project)
    changes = pipelines.changes(project, providers)
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
        raise CheckFailedError(f"out of date with envs/ and templates/ci/: {stale}; run `{command('ci')}`")


def _provider(name: str) -> Provider:
    if name not in PROVIDERS:
        raise InputError(f"unknown provider `{name}`; {suggestion(name, list(PROVIDERS))}")
    return PROVIDERS[name]


def _existing_providers(project: Project) -> list[Provider]:
    if providers := pipelines.existing_providers(project, list(PROVIDERS.values())):
        return providers
    raise InputError(
        f"no generated pipeline here; write one with `--provider` and one of {', '.join(PROVIDERS)}"
    )
