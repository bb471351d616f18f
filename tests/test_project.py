"""This repository is a project: what holds of its own `envs/`, whatever their catalogs are."""

from pathlib import Path

import pytest

from fleetform.catalog.files import environment_names
from fleetform.ci.pipelines import PROVIDERS
from fleetform.images.checks import check_before_push
from fleetform.images.context import read_build_files
from fleetform.stacks import stacks
from fleetform.validation.loading import load
from fleetform.workflow import pipelines
from fleetform.workflow.check.assessment import assess
from fleetform.workflow.project import Project
from fleetform.workflow.render import files, formatting
from tests.conftest import ROOT

in_every_environment = pytest.mark.parametrize("environment", environment_names(ROOT))


@in_every_environment
def test_a_render_changes_nothing(root: Path, environment: str) -> None:
    changes = files.render_changes(Project(root), environment)
    assert changes == {stack.name: [] for stack in stacks(load(root, environment))}, "run: ./run golden"


def test_all_files_are_formatted(root: Path) -> None:
    with formatting.find_unformatted(Project(root)) as listed:
        assert listed() == []


@in_every_environment
def test_a_check_has_no_findings(root: Path, environment: str) -> None:
    assert assess(Project(root), environment).findings == []


@in_every_environment
def test_the_images_can_be_pushed(root: Path, environment: str) -> None:
    for name, service in load(root, environment).services.items():
        if service.build:
            context = read_build_files(root, service.build)
            text = context.dockerfile.read_text(encoding="utf-8")
            assert check_before_push(name, service, context, text) == []


def test_the_committed_workflow_matches_the_environments(root: Path) -> None:
    changes = pipelines.changes(Project(root), [PROVIDERS["github"]])
    assert [change.diff() for change in changes] == [], "run: ./run ci"
