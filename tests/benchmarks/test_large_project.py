from pathlib import Path

import pytest

from benchmarks.large_project import ENVIRONMENT, Project, Shape
from fleetform.catalog.models import Environment
from fleetform.hcl.parsing import parse
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.validation.loading import load


def environment(root: Path, shape: Shape) -> Environment:
    """A project of some shape, as it is loaded."""
    Project(root, shape).write()
    return load(root, ENVIRONMENT)


def calls(folder: Path, loaded: Environment) -> dict[str, list[tuple[str, bool]]]:
    """Return the modules that the rendered stacks call, by stack, and whether they exist."""
    stacks = render(loaded, Templates(folder / "templates"), {})
    called: dict[str, list[tuple[str, bool]]] = {}
    for stack, files in stacks.items():
        place = folder / "envs" / ENVIRONMENT / stack
        place.mkdir(exist_ok=True)
        for path, text in sorted(files.items()):
            for block in parse(text.encode(), path).blocks if path.name.startswith("service_") else ():
                source = place / str(block.value("source")) / "versions.tf"
                called.setdefault(stack, []).append((block.labels[0], source.resolve().is_file()))
    return called


def test_services_are_rendered_into_stacks_of_some_size(tmp_path: Path) -> None:
    """Each service is a call of a module that is there."""
    assert calls(tmp_path, environment(tmp_path, Shape(3, stack_size=2))) == {
        "team-00": [("service-0000", True), ("service-0001", True)],
        "team-01": [("service-0002", True)],
    }


def test_all_services_may_share_a_stack(tmp_path: Path) -> None:
    found = calls(tmp_path, environment(tmp_path, Shape(2, stack_size=0)))
    assert found == {"services": [("service-0000", True), ("service-0001", True)]}


def test_services_are_of_several_kinds(tmp_path: Path) -> None:
    services = environment(tmp_path, Shape(100)).services.values()
    counts = {
        "autoscaled": sum(service.autoscaling is not None for service in services),
        "scheduled": sum(service.schedule is not None for service in services),
        "public": sum(service.public for service in services),
        "with sidecars": sum(bool(service.sidecars) for service in services),
        "with secrets": sum(bool(service.secrets) for service in services),
        "calls": sum(len(service.calls) for service in services),
    }
    assert counts == {
        "autoscaled": 48,
        "scheduled": 4,
        "public": 5,
        "with sidecars": 20,
        "with secrets": 50,
        "calls": 278,
    }


@pytest.mark.parametrize("number", [0, 1])
def test_a_change_is_one_variable_of_the_last_service(number: int, tmp_path: Path) -> None:
    before = environment(tmp_path, Shape(3))
    Project(tmp_path, Shape(3)).change(number)
    after = load(tmp_path, ENVIRONMENT)
    changed = {name: dict(after.services[name].environment) for name in after.services}
    unchanged = {name: dict(before.services[name].environment) for name in before.services}
    assert changed == unchanged | {"service-0002": {**unchanged["service-0002"], "CHANGE": str(number)}}
