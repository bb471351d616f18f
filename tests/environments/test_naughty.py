"""What a value holds arrives in the plan as it was."""

import json

from tests.environments import naughty
from tests.environments.conftest import NAUGHTY, Plans


def test_every_naughty_string_is_in_the_plan_as_it_was(dev: Plans) -> None:
    definition = dev.services[f"module.{NAUGHTY}.aws_ecs_task_definition.this"]
    (container,) = json.loads(definition["container_definitions"])
    assert {item["name"]: item["value"] for item in container["environment"]} == naughty.ENVIRONMENT
