"""`moved` blocks keep a service that changes its variant, in any order of applied catalogs."""

from itertools import permutations
from pathlib import Path, PurePath

import pytest

from fleetform.hcl.parsing import parse
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from tests.catalog.catalogs import HEAD, loaded

FILE = PurePath("moved.tf")
SCHEDULE = 'schedule: { night: { expression: "cron(0 20 * * ? *)", min: 1, max: 1 } }'

VARIANTS = {
    "fixed": "desired_count: 2",
    "autoscaled": "autoscaling: { min: 1, max: 4 }",
    "scheduled": f"autoscaling: {{ min: 1, max: 4, {SCHEDULE} }}",
}
ADDRESSES = {
    "fixed": {"aws_ecs_service": "fixed"},
    "autoscaled": {"aws_ecs_service": "autoscaled", "aws_appautoscaling_target": "this"},
    "scheduled": {"aws_ecs_service": "autoscaled", "aws_appautoscaling_target": "scheduled"},
}


@pytest.fixture(scope="module")
def templates(root: Path) -> Templates:
    return Templates(root / "templates")


def moves(folder: Path, templates: Templates, service: str) -> set[tuple[str, str]]:
    """The moves that are rendered for a service `web`, as pairs of addresses."""
    environment = loaded(folder, f"{HEAD}services: {{ web: {{ image: nginx, {service} }} }}\n")
    text = render(environment, templates, {})["services"].get(FILE, "")
    blocks = parse(text.encode(), FILE).blocks
    return {(str(block.value("from")), str(block.value("to"))) for block in blocks}


def address(kind: str, name: str) -> str:
    """An address as it is parsed."""
    text = f'moved {{\n  from = module.web.{kind}.{name}["this"]\n}}\n'
    return str(parse(text.encode(), FILE).blocks[0].value("from"))


@pytest.mark.parametrize(("before", "after"), list(permutations(VARIANTS, 2)))
def test_a_service_that_changes_its_variant_is_moved(
    tmp_path: Path, templates: Templates, before: str, after: str
) -> None:
    """Also when the change is reverted: what a catalog said before does not show in its files."""
    expected = {
        (address(kind, name), address(kind, ADDRESSES[after][kind]))
        for kind, name in ADDRESSES[before].items()
        if ADDRESSES[after].get(kind, name) != name
    }
    assert moves(tmp_path, templates, VARIANTS[after]) >= expected


def test_a_task_has_one_variant_and_is_not_moved(tmp_path: Path, templates: Templates) -> None:
    assert moves(tmp_path, templates, "schedule: rate(1 hour)") == set()
