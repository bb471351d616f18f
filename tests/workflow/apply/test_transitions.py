"""Changes of a catalog, as the rendered foundation has them: what goes waits until services have left it."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import pytest

from fleetform.base import package_data
from fleetform.catalog.environment import IngressConfig, Network
from fleetform.catalog.models import Environment
from fleetform.hcl.eval.modules import Declarations, Module, collect_declarations
from fleetform.hcl.eval.resource_view import find_resources
from fleetform.hcl.parsing import parse
from fleetform.hcl.syntax import File
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.terraform.plan import models
from fleetform.terraform.plan.phases import arrange
from fleetform.terraform.plan.summary import Summary
from tests.topology.environments import environment, service

ROOT = Path(__file__).parents[3]
FOLDER = PurePath("envs/dev/foundation")
KEY = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')


@cache
def module_files() -> tuple[File, ...]:
    paths = sorted((ROOT / "modules").glob("*/*.tf"))
    return tuple(parse(path.read_bytes(), path.relative_to(ROOT)) for path in paths)


def addresses(environment: Environment) -> frozenset[str]:
    """The resources of the rendered foundation."""
    texts = render(environment, Templates(package_data.folder("templates")), {})["foundation"]
    own = [FOLDER / path for path in texts]
    files = [parse(texts[path.relative_to(FOLDER)].encode(), path) for path in own if path.suffix == ".tf"]

    def folders(folder: PurePath) -> Declarations:
        return collect_declarations(file for file in (*files, *module_files()) if file.path.parent == folder)

    root = Module(folders, FOLDER, folders(FOLDER))
    resources = find_resources(root, "foundation", own)
    return frozenset(each.address for each in resources if each.kind == "resource")


def blocks(found: frozenset[str]) -> list[dict[str, str]]:
    return [{"address": block, "mode": "managed"} for block in sorted({KEY.sub("", each) for each in found})]


def plan_of(before: frozenset[str], after: frozenset[str]) -> dict[str, Any]:
    """The plan of a change, in Terraform's JSON."""
    actions = dict.fromkeys(before & after, "no-op")
    actions |= dict.fromkeys(after - before, "create") | dict.fromkeys(before - after, "delete")
    return {
        "resource_changes": [
            {"address": address, "mode": "managed", "type": "any", "change": {"actions": [action]}}
            for address, action in sorted(actions.items())
        ],
        "configuration": {"root_module": {"resources": blocks(after)}},
    }


PRIVATE: Mapping[str, Any] = {
    "network": Network(subnets="private", nat="none"),
    "ingress": IngressConfig(type="alb"),
}
PUBLIC = {**PRIVATE, "network": Network()}
WEB_CALLS_ORDERS = {"web": service(80, "orders", public=True), "orders": service(8080)}
WEB_CALLS_BILLING = {"web": service(80, "billing", public=True), "billing": service(8080)}
ANOTHER_PORT = {"web": service(80, "orders", public=True), "orders": service(9090)}
ZONES = tuple(f"ap-northeast-1{zone}" for zone in "acd")
CHANGES = {
    "private to public": (environment(**PRIVATE), environment(**PUBLIC)),
    "public to private": (environment(**PUBLIC), environment(**PRIVATE)),
    "edges to shared": (environment(), environment(security="shared")),
    "shared to edges": (environment(security="shared"), environment()),
    "one service in place of another": (environment(WEB_CALLS_ORDERS), environment(WEB_CALLS_BILLING)),
    "another port": (environment(WEB_CALLS_ORDERS), environment(ANOTHER_PORT)),
    "one zone in place of another": (
        environment(zones=ZONES[:2]).with_zone_numbers({ZONES[0]: 1, ZONES[1]: 2}),
        environment(zones=(ZONES[0], ZONES[2])).with_zone_numbers({ZONES[0]: 1, ZONES[1]: 2}),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_additions_remove_nothing_that_services_use(change: str) -> None:
    before, after = map(addresses, CHANGES[change])
    shown = plan_of(before, after)
    found = arrange(models.read("foundation", shown), Summary(), shown)
    removed, added = before - after, after - before
    if change != "public to private":  # has everything that public tasks use, and more
        assert removed
    assert {*found.changes.later} == removed
    if added and removed:
        reached = {*found.targets, *(each for each in before | after if KEY.sub("", each) in found.targets)}
        assert reached & removed == set()
        assert added <= reached


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_another_order_of_zones_changes_no_resource(order: tuple[int, ...]) -> None:
    numbers = {zone: number for number, zone in enumerate(ZONES, start=1)}
    found = [
        render(
            environment(zones=zones, **PRIVATE).with_zone_numbers(numbers),
            Templates(package_data.folder("templates")),
            {},
        )["foundation"][PurePath("network.tf")]
        for zones in (ZONES, tuple(ZONES[at] for at in order))
    ]
    assert found[0] == found[1]
