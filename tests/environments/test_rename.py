"""A service that is renamed stays what it is on AWS."""

from fleetform.terraform.plan.models import Action
from tests.environments.conftest import Plans


def test_a_rename_changes_nothing_in_the_foundation(dev: Plans) -> None:
    assert dev.renamed.files == []


def test_a_role_that_is_tainted_is_kept_as_a_new_one_could_not_be_made_first(dev: Plans) -> None:
    assert "module.web.aws_iam_role.task has been successfully untainted." in dev.renamed.untainted


def test_a_rename_replaces_task_definitions_alone(dev: Plans) -> None:
    """Its own has the container's new name, its callers' the new variable."""
    plan = dev.renamed.plan
    assert plan.printed
    assert {change.address for change in plan.printed.changes if change.action == Action.REPLACE} == {
        "module.inventory.aws_ecs_task_definition.this",
        "module.orders.aws_ecs_task_definition.this",
    }
    assert (plan.summary.add, plan.summary.change, plan.summary.destroy) == (2, 2, 2)
