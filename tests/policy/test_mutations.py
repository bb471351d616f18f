"""Turning off a safe setting of a shipped module makes just the rule fire that is about it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetform.workflow import files
from fleetform.workflow.policy import Check
from fleetform.workflow.project import Project
from tests.conftest import copy_project

from .mutations import MUTATIONS, Mutation

NETWORK = "  nat: single\n  endpoints: [ecr.api, ecr.dkr, logs]\n"
SERVICES = Path(__file__).parents[1] / "environments/production/services.yaml"
TWO_TASKS = re.compile(r"(?<=/media:1.0\n|./mail:1.0\n)")
WRITES = ("FF042", "module.media.aws_ecs_task_definition.this")  # ECS Exec cannot do without


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """`prod` with all that a service can have, rendered."""
    project = Project(copy_project(tmp_path_factory.mktemp("mutations")))
    with (project.root / "envs/catalog.yaml").open("a", encoding="utf-8") as file:
        file.write(TWO_TASKS.sub("    desired_count: 2\n", SERVICES.read_text(encoding="utf-8")))
    settings = project.root / "envs/prod/environment.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("subnets: private\n", f"subnets: private\n{NETWORK}"), encoding="utf-8")
    files.render_environment(project, "prod")
    return project


@pytest.fixture
def mutated(production: Project, mutation: Mutation) -> Iterator[Project]:
    """The project with one setting turned off."""
    path = production.root / mutation.file
    text = path.read_text(encoding="utf-8")
    assert text.count(mutation.safe) == mutation.times
    path.write_text(text.replace(mutation.safe, mutation.unsafe), encoding="utf-8")
    yield production
    path.write_text(text, encoding="utf-8")


def broken(project: Project) -> set[str]:
    """The rules that are broken."""
    found = Check(project, "prod").text().judgement.findings
    return {finding.rule for finding in found if (finding.rule, finding.address) != WRITES}


def test_the_modules_as_they_ship_break_no_rule(production: Project) -> None:
    assert broken(production) == set()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: f"{each.file.parent.name}: {each.unsafe[:60]}")
def test_a_setting_turned_off_breaks_its_rule_alone(mutated: Project, mutation: Mutation) -> None:
    assert broken(mutated) == mutation.rules
