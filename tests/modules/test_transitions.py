"""Changes of services that run: what Terraform plans for each resource.

The plans are the proof, because the emulator accepts some calls that AWS refuses.
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetform.terraform.plan import models
from fleetform.terraform.plan.models import Action, Change

UPDATE, REPLACE = Action.UPDATE, Action.REPLACE


@dataclass(frozen=True)
class Applied:
    """Services that are applied.

    Attributes:
        run: Runs Terraform with arguments in their root module, and returns what it prints.
    """

    run: Callable[..., str]

    def plan(self, *options: str, **variables: str) -> tuple[Change, ...]:
        """Return the changes of a plan."""
        given = [f"-var={name}={value}" for name, value in variables.items()]
        self.run("plan", "-out=plan", *options, *given)
        return models.read("transitions", json.loads(self.run("show", "-json", "plan"))).changes


@pytest.fixture(scope="module")
def applied(checkout: Path, terraform_binary: str, terraform_environment: dict[str, str]) -> Applied:
    root = checkout / "tests/modules/transitions"

    def run(*arguments: str) -> str:
        argv = [terraform_binary, arguments[0], "-no-color", *arguments[1:]]
        result = subprocess.run(
            argv, cwd=root, env=terraform_environment, check=False, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    run("init")
    run("apply", "-auto-approve")
    return Applied(run)


def actions(changes: tuple[Change, ...], *types: str) -> dict[str, Action]:
    """Return what is done to resources, by address; without types, to all."""
    return {change.address: change.action for change in changes if not types or change.type in types}


@pytest.fixture(scope="module")
def everything(applied: Applied) -> tuple[Change, ...]:
    """The plan of all changes at once."""
    return applied.plan(
        connected="true",
        listened_port="9090",
        registry="second",
        spot="true",
        worker_count="2",
        force_new_deployment="true",
    )


def test_nothing_changes_after_an_apply(applied: Applied) -> None:
    assert applied.plan() == ()


def test_every_change_updates_ecs_services_in_place(everything: tuple[Change, ...]) -> None:
    assert actions(everything, "aws_ecs_service") == {
        'module.mail.aws_ecs_service.fixed["this"]': UPDATE,
        'module.orders.aws_ecs_service.autoscaled["this"]': UPDATE,
        'module.web.aws_ecs_service.autoscaled["this"]': UPDATE,
        'module.worker.aws_ecs_service.fixed["this"]': UPDATE,
    }


def test_changes_replace_only_task_definitions(everything: tuple[Change, ...]) -> None:
    """The other resources, such as target groups, rules and scaling, are not even updated."""
    assert actions(everything) == {
        **actions(everything, "aws_ecs_service"),
        "module.orders.aws_ecs_task_definition.this": REPLACE,
        "module.web.aws_ecs_task_definition.this": REPLACE,
    }


def test_another_number_of_tasks_starts_only_what_is_missing(applied: Applied) -> None:
    (change,) = applied.plan(worker_count="2")
    assert [difference.name for difference in change.differences] == ["desired_count"]


def test_a_replaced_callee_is_destroyed_first_and_its_scaling_with_it(applied: Applied) -> None:
    """ECS accepts no second service with the same name, and AWS deletes the scaling with the service."""
    address = 'module.orders.aws_ecs_service.autoscaled["this"]'
    changes = applied.plan(f"-replace={address}", connected="true")
    replaced = {change.address: change.created_first for change in changes if change.action == REPLACE}
    assert replaced == {
        'module.orders.aws_appautoscaling_policy.this["cpu"]': False,
        'module.orders.aws_appautoscaling_scheduled_action.this["sale"]': False,
        'module.orders.aws_appautoscaling_target.scheduled["this"]': False,
        address: False,
        "module.orders.aws_ecs_task_definition.this": True,
        "module.web.aws_ecs_task_definition.this": True,
    }


def test_service_connect_turns_off_as_it_turns_on(applied: Applied) -> None:
    applied.run("apply", "-auto-approve", "-var=connected=true")
    assert actions(applied.plan(), "aws_ecs_service") == {
        'module.orders.aws_ecs_service.autoscaled["this"]': UPDATE,
        'module.web.aws_ecs_service.autoscaled["this"]': UPDATE,
    }
    applied.run("apply", "-auto-approve")
    assert actions(applied.plan()) == {}
