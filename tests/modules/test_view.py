"""What the text of all modules says about their resources is what Terraform plans."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import pytest

from fleetform.hcl.eval import resource_view
from fleetform.hcl.eval.modules import Declarations, Module, collect_declarations
from fleetform.hcl.eval.values import Path as Steps
from fleetform.hcl.eval.values import Unknown, Value, scalar_text
from fleetform.hcl.parsing import parse

STACK = PurePath("tests/modules/planned")
_KEY = re.compile(r"\[[^]]*\]")


@pytest.fixture(scope="module")
def written(root: Path) -> Mapping[str, resource_view.Resource]:
    """What the text says, by address."""

    def folders(folder: PurePath) -> Declarations:
        return collect_declarations(
            parse(path.read_bytes(), folder / path.name) for path in (root / folder).glob("*.tf")
        )

    found = resource_view.find_resources(
        Module(folders, STACK, folders(STACK)), "planned", [STACK / "main.tf"]
    )
    return {each.address: each for each in found if each.kind == "resource"}


@pytest.fixture(scope="module")
def planned(plan: Any) -> Mapping[str, Mapping[str, Any]]:  # noqa: ANN401 - tftest is not typed
    """What is planned, by address."""
    return {each["address"]: each["values"] for each in _found(plan.root_module) if each["mode"] == "managed"}


def _found(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _found(child)


def contradictions(known: Value, planned: Any, path: Steps = ()) -> Iterator[tuple[Steps, Value, Any]]:  # noqa: ANN401
    """Where something is said to be known and is not what is planned; null leaves it to the provider."""
    if isinstance(known, (dict, list)) and isinstance(planned, str):
        planned = json.loads(planned)
    if known is None or planned is None or isinstance(known, Unknown):
        return
    if isinstance(known, dict) and isinstance(planned, dict):
        for key, value in known.items():
            yield from contradictions(value, planned.get(key), (*path, key))
    elif isinstance(known, list) and isinstance(planned, list):
        yield from _of_items(known, planned, path)
    elif scalar_text(known) != scalar_text(planned):
        yield path, known, planned


def _of_items(known: list[Value], planned: list[Any], path: Steps) -> Iterator[tuple[Steps, Value, Any]]:
    """Of a list in its order; of a set, each value has one that it is."""
    if len(known) != len(planned):
        yield path, known, planned
        return
    waiting = list(planned)
    for item in known:
        found = next((each for each in waiting if not any(contradictions(item, each))), None)
        if found is None and waiting:
            yield path, item, planned
        elif waiting:
            waiting.remove(found)


def test_the_same_resources_are_there(
    written: Mapping[str, resource_view.Resource], planned: Mapping[str, Mapping[str, Any]]
) -> None:
    """Where the number is unknown before the plan, all keys are one star."""
    stars = {address for address in written if "[*]" in address}
    starred = {address: _KEY.sub("[*]", address) for address in planned}
    shown = {starred[address] if starred[address] in stars else address for address in planned}
    assert sorted(written.keys() ^ shown) == []


def test_what_is_known_is_what_is_planned(
    written: Mapping[str, resource_view.Resource], planned: Mapping[str, Mapping[str, Any]]
) -> None:
    both = written.keys() & planned.keys()
    found = {
        address: list(contradictions(dict(written[address].values), planned[address])) for address in both
    }
    assert {address: each for address, each in found.items() if each} == {}
