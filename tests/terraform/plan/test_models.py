"""Plans read from Terraform's JSON, and their risks."""

import json

import pytest

from fleetform.base.errors import ProgramError
from fleetform.terraform.plan.models import SENSITIVE, UNKNOWN, Action, Change, Difference, StackPlan, read
from fleetform.terraform.plan.risks import Level, Risk, risk, worst
from tests.terraform.plan import recorded

DEFINITIONS = (
    '[{"cpu":0,"environment":[{"name":"STOCK_URL","value":"http://stock.prod.shop.internal:8080"}],'
    '"image":"orders:%s","name":"orders"}]'
)


def test_every_recorded_kind_of_change_is_read() -> None:
    assert recorded.recorded() == StackPlan(
        "services",
        (
            Change("data.terraform_remote_state.read", "terraform_remote_state", Action.READ),
            Change(
                "terraform_data.anew",
                "terraform_data",
                Action.REPLACE,
                created_first=True,
                forced_by=("triggers_replace",),
                differences=(
                    Difference("id", "id-1", UNKNOWN),
                    Difference("triggers_replace", {"v": 1}, {"v": 2}),
                ),
            ),
            Change("terraform_data.forgotten", "terraform_data", Action.FORGET),
            Change("terraform_data.gone", "terraform_data", Action.DELETE, reason="its block was removed"),
            Change("terraform_data.made", "terraform_data", Action.CREATE),
            Change(
                "terraform_data.new_name", "terraform_data", Action.NONE, moved_from="terraform_data.old_name"
            ),
            Change(
                "terraform_data.replaced",
                "terraform_data",
                Action.REPLACE,
                forced_by=("triggers_replace",),
                differences=(
                    Difference("id", "id-5", UNKNOWN),
                    Difference("output", "a", UNKNOWN),
                    Difference("triggers_replace", ["one"], ["two"]),
                ),
            ),
            Change(
                "terraform_data.secret",
                "terraform_data",
                Action.UPDATE,
                differences=(Difference("input", SENSITIVE, SENSITIVE), Difference("output", "old", UNKNOWN)),
            ),
            Change("terraform_data.taken", "terraform_data", Action.NONE, imported="taken-id"),
            Change(
                "terraform_data.updated",
                "terraform_data",
                Action.UPDATE,
                differences=(
                    Difference("input", {"cpu": 256, "keep": 1}, {"cpu": 512, "keep": 1}),
                    Difference("output", {"cpu": 256, "keep": 1}, UNKNOWN),
                ),
            ),
        ),
        (Difference("token", SENSITIVE, SENSITIVE), Difference("url", "http://a", UNKNOWN)),
    )


def test_sensitive_unknown_deposed_and_drifted_parts_are_read() -> None:
    assert recorded.fleet() == StackPlan(
        "foundation",
        (
            Change(
                "aws_db_instance.orders",
                "aws_db_instance",
                Action.REPLACE,
                forced_by=("identifier", "subnets[0].id"),
                differences=(
                    Difference("endpoint", None, UNKNOWN),
                    Difference("identifier", "orders", "shop-orders"),
                    Difference("password", SENSITIVE, SENSITIVE),
                ),
            ),
            Change(
                'module.discovery.aws_service_discovery_service.this["orders"] (deposed 0a1b2c3d)',
                "aws_service_discovery_service",
                Action.DELETE,
                created_first=True,
            ),
            Change(
                "module.orders.aws_ecs_service.this",
                "aws_ecs_service",
                Action.REPLACE,
                moved_from="module.order.aws_ecs_service.this",
                forced_by=("launch_type",),
                reason="it is tainted",
                differences=(Difference("launch_type", "EC2", "FARGATE"),),
            ),
            Change(
                "module.orders.aws_ecs_task_definition.this",
                "aws_ecs_task_definition",
                Action.REPLACE,
                created_first=True,
                forced_by=("container_definitions",),
                differences=(Difference("container_definitions", DEFINITIONS % 1, DEFINITIONS % 2),),
            ),
            Change(
                "module.web.aws_ecs_service.this",
                "aws_ecs_service",
                Action.UPDATE,
                imported="shop/web",
                differences=(
                    Difference("desired_count", 1, 2),
                    Difference(
                        "network",
                        [{"key": SENSITIVE, "groups": ["sg-1"], "public": False}],
                        [{"key": SENSITIVE, "groups": UNKNOWN, "public": False}],
                    ),
                ),
            ),
        ),
        (Difference("made", None, {"url": "http://web"}),),
        (
            Change(
                "module.web.aws_ecs_service.this",
                "aws_ecs_service",
                Action.UPDATE,
                differences=(Difference("desired_count", 3, 1),),
            ),
        ),
    )


@pytest.mark.parametrize(
    "mark", ['"before_sensitive": true, "after_sensitive": true', '"after_sensitive": {"a": true}']
)
def test_sensitive_values_are_not_read(mark: str) -> None:
    change = (
        f'{{"actions": ["update"], "before": {{}}, "after": {{"a": ["swordfish"]}}, "after_unknown":'
        f" {{}}, {mark}}}"
    )
    shown = json.loads(f'{{"resource_changes": [{{"address": "a.b", "type": "a", "change": {change}}}]}}')
    assert read("services", shown).changes[0].differences == (Difference("a", None, SENSITIVE),)


def test_an_imported_or_moved_change_counts_in_each_column() -> None:
    assert recorded.fleet().counts == {
        "add": 0,
        "change": 1,
        "replace": 3,
        "destroy": 1,
        "import": 1,
        "move": 1,
        "forget": 0,
        "restart": 0,
    }


def test_an_unknown_action_is_an_error() -> None:
    shown = {"resource_changes": [{"address": "a.b", "type": "a", "change": {"actions": ["paint"]}}]}
    with pytest.raises(ProgramError) as caught:
        read("services", shown)
    assert str(caught.value) == (
        "a.b: Terraform would `paint` it, which this version of Fleetform does not know; use an older"
        " Terraform, or a"
        " newer Fleetform"
    )


def test_a_plan_without_changes_is_empty() -> None:
    assert read("services", {"format_version": "1.2"}) == StackPlan("services")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change("a", "aws_kms_key", Action.UPDATE), None),
        (Change("a", "aws_kms_key", Action.FORGET), None),
        (Change("a", "aws_iam_role_policy", Action.DELETE), None),
        (Change("a", "aws_eip", Action.DELETE), Level.HIGH),
        (Change("a", "aws_eip", Action.REPLACE, created_first=True), Level.HIGH),
        (Change("a", "aws_ecs_service", Action.REPLACE), Level.MEDIUM),
        (Change("a", "aws_ecs_service", Action.DELETE), Level.MEDIUM),
        (Change("a", "aws_nat_gateway", Action.REPLACE, created_first=True), Level.HIGH),
        (Change("a", "aws_vpc_endpoint", Action.REPLACE, created_first=True), None),
    ],
)
def test_the_level_of_a_risk_depends_on_the_loss(change: Change, expected: Level | None) -> None:
    found = risk(change)
    assert (found.level if found else None) == expected


def test_a_risk_has_a_reason() -> None:
    lost = Change("a", "aws_cloudwatch_log_group", Action.DELETE)
    assert risk(lost) == Risk(Level.HIGH, "the logs in it are lost")


def test_the_worst_level_is_returned() -> None:
    outage, data_loss = (Change("a", type_, Action.DELETE) for type_ in ("aws_ecs_service", "aws_eip"))
    assert [worst([]), worst([outage]), worst([outage, data_loss])] == [None, Level.MEDIUM, Level.HIGH]


def drifted(before: object, after: object) -> StackPlan:
    change = {"actions": ["update"], "before": {"tags": before}, "after": {"tags": after}}
    return read("services", {"resource_drift": [{"address": "a", "type": "aws_eip", "change": change}]})


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, {}), ({}, None), (None, []), ("", None), ([{"a": None}], [{"a": ""}]), ({"a": None}, {})],
)
def test_an_empty_value_in_place_of_none_is_no_drift(before: object, after: object) -> None:
    assert drifted(before, after).drift == ()


@pytest.mark.parametrize(
    ("before", "after"), [(None, {"a": "b"}), (False, None), (0, None), (["a"], []), ([None], ["a"])]
)
def test_any_other_value_is_drift(before: object, after: object) -> None:
    (change,) = drifted(before, after).drift
    assert change.differences == (Difference("tags", before, after),)
