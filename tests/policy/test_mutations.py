"""A safe setting of a shipped module that is turned off breaks exactly its rule."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetform.workflow.check.policy import Check
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from tests.conftest import copy_sample

from .mutations import MUTATIONS, Mutation

NETWORK = "  nat: single\n  endpoints: [ecr.api, ecr.dkr, logs]\n"
SERVICES = Path(__file__).parents[1] / "environments/production/services.yaml"
TWO_TASKS = re.compile(r"(?<=/media:1.0\n|./mail:1.0\n)")
WRITES = ("FF042", "module.media.aws_ecs_task_definition.this")  # ECS Exec cannot do without


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return `prod`, rendered with everything that a service can have."""
    project = Project(copy_sample(tmp_path_factory.mktemp("mutations")))
    with (project.root / "envs/catalog.yaml").open("a", encoding="utf-8") as file:
        file.write(TWO_TASKS.sub("    desired_count: 2\n", SERVICES.read_text(encoding="utf-8")))
    settings = project.root / "envs/prod/environment.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("subnets: private\n", f"subnets: private\n{NETWORK}"), encoding="utf-8")
    files.render_environment(project, "prod")
    return project


@pytest.fixture
def mutated(production: Project, mutation: Mutation) -> Iterator[Project]:
    """Return the project with one setting turned off."""
    path = production.root / mutation.file
    text = path.read_text(encoding="utf-8")
    assert text.count(mutation.safe) == mutation.times
    path.write_text(text.replace(mutation.safe, mutation.unsafe), encoding="utf-8")
    yield production
    path.write_text(text, encoding="utf-8")


def broken(project: Project) -> set[str]:
    """Return the broken rules."""
    found = Check(project, "prod").text().verdicts.findings
    return {finding.rule for finding in found if (finding.rule, finding.address) != WRITES}


def test_the_shipped_modules_pass_all_rules(production: Project) -> None:
    assert broken(production) == set()


@pytest.mark.parametrize(
    "mutation", MUTATIONS, ids=lambda each: f"{each.file.parent.name}: {each.unsafe[:60]}"
)
def test_a_setting_turned_off_breaks_only_its_rule(mutated: Project, mutation: Mutation) -> None:
    assert broken(mutated) == mutation.rules
