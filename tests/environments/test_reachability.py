"""As planned, the services of the sample reach those that its catalog says, the internet reaches `web`."""

from pathlib import Path

import pytest

from fleetform.testing import EnvironmentPlan, PlanOf
from fleetform.topology.reachability import Opening, find_differences, read_network
from fleetform.workflow.project import Project
from tests import sample

SERVICES = {"orders", "stock", "web"}


def differences(root: Path, plan: EnvironmentPlan) -> tuple[str, ...]:
    """Return the openings in which a plan and the catalog differ."""
    network = read_network(*({"planned_values": stack.document} for stack in plan.stacks.values()))
    return find_differences(Project(root).environment(plan.name), network)


@pytest.mark.parametrize("name", sample.ENVIRONMENTS)
def test_services_reach_those_that_the_catalog_says(
    fleetform_project: Path, plan_of: PlanOf, name: str
) -> None:
    assert differences(fleetform_project, plan_of(name)) == ()


def test_the_services_of_dev_share_all_that_is_open(plan_of: PlanOf) -> None:
    """The group is open on the public port for every task, but only `web` listens there."""
    plan = plan_of("dev")
    within = {Opening(one, other, "-1", 0, 65535) for one in SERVICES for other in {*SERVICES, "internet"}}
    entries = {Opening("internet", name, "tcp", 80, 80) for name in SERVICES}
    assert {each for each in plan.openings if each.protocol == "-1"} == within
    assert {each for each in plan.openings if each.source == "internet"} == entries
    listening = {"orders:8080", "stock:8080", "web:80"}
    assert plan.calls == {f"{caller}->{callee}" for caller in SERVICES for callee in listening}
    assert plan.public == {"web:80"}
