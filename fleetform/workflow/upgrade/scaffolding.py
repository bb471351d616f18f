"""Writes the files of a project that a fork does not have."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fleetform.base.errors import InputError
from fleetform.catalog.files import CATALOG, environment_names
from fleetform.catalog.models import Environment
from fleetform.topology import calls
from fleetform.workflow.project import Project
from fleetform.workflow.setup.answers import NO_PIPELINE, Answers
from fleetform.workflow.setup.project_files import project_files

_IGNORED = ".gitignore"
_FILES = (".gitattributes", "README.md", "tasks.py")
_TEST = "tests/test_plans.py"
_TEST_START = '''\
"""Tests of this project's plans, on the emulator. Change what they expect together with the catalog."""

import pytest

CALLS = {
'''
_TEST_END = """\
}


@pytest.mark.parametrize("environment", CALLS)
def test_services_reach_those_that_they_call(plan_of, environment):
    assert plan_of(environment).calls >= CALLS[environment]
"""


def write_missing(draft: Project) -> None:
    """Write the files of a project into a draft. Files that exist stay; `.gitignore` gets the lines it lacks.

    Raises:
        InputError: There is no environment, or its catalog is wrong for this version.
    """
    environments = [draft.environment(name) for name in environment_names(draft.root)]
    if not environments:
        raise InputError(f"{CATALOG}: no environment beside it; add envs/<name>/environment.yaml")
    files = project_files(_answers(environments[0]))
    for name in _FILES:
        if not (draft.root / name).exists():
            (draft.root / name).write_bytes(files[name])
    _write_ignored(draft.root / _IGNORED, files[_IGNORED].decode())
    test = draft.root / _TEST
    test.parent.mkdir(exist_ok=True)
    test.write_text(_TEST_START + "".join(_expected_calls(environments)) + _TEST_END, encoding="utf-8")


def _answers(environment: Environment) -> Answers:
    """Return what `init` would have been answered for this project."""
    return Answers(
        environment.application,
        environment.account,
        environment.region,
        environment.zones,
        tuple(environment.services),
        NO_PIPELINE,
    )


def _write_ignored(path: Path, wanted: str) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = before.splitlines()
    patterns = [line for line in wanted.splitlines() if line and not line.startswith("#")]
    missing = [f"{line}\n" for line in patterns if line not in lines]
    separator = "\n" if before and not before.endswith("\n") and missing else ""
    path.write_text(before + separator + "".join(missing), encoding="utf-8")


def _expected_calls(environments: Sequence[Environment]) -> Iterator[str]:
    """Yield the lines that list the declared calls between services, by environment."""
    for environment in environments:
        keys = sorted(call.key for call in calls(environment) if call.callee in environment.services)
        if not keys:
            yield f'    "{environment.name}": set(),\n'
            continue
        yield f'    "{environment.name}": {{\n'
        yield from (f'        "{key}",\n' for key in keys)
        yield "    },\n"
