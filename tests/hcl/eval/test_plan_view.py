"""Resources in a plan, beside their text."""

import pytest

from fleetform.base.errors import Position
from fleetform.hcl.eval import plan_view
from fleetform.hcl.eval.values import Unknown
from fleetform.policy.rules import built_in_rules
from fleetform.policy.verdicts import check_resources
from tests.policy.examples import FACTS, STACK, view

ROLE = """
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

resource "aws_iam_role" "web" {
  name               = "web"
  description        = aws_vpc.this.id
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
"""
TRUST = '{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}}'


def plan(address: str, values: dict[str, object], unknown: dict[str, object]) -> dict[str, object]:
    """Return a plan that creates one resource."""
    made = {"address": address, "mode": "managed", "type": address.partition(".")[0], "values": values}
    change = {"address": address, "change": {"after_unknown": unknown}}
    return {"planned_values": {"root_module": {"resources": [made]}}, "resource_changes": [change]}


def test_an_argument_that_the_text_does_not_set_is_absent() -> None:
    text = {resource.address: resource for resource in view(ROLE).resources}
    unknown: dict[str, object] = {
        "arn": True,
        "description": True,
        "inline_policy": True,
        "managed_policy_arns": True,
    }
    values: dict[str, object] = {"name": "web", "path": "/"}
    (role,) = plan_view.resources(plan("aws_iam_role.web", values, unknown), STACK, text)
    assert dict(role.values) == {
        "name": "web",
        "description": text["aws_iam_role.web"].value("description"),
    }
    assert isinstance(role.value("description"), Unknown)


def test_without_a_text_all_values_are_present() -> None:
    (role,) = plan_view.resources(
        plan("aws_iam_role.web", {"name": "web"}, {"inline_policy": True}), STACK, {}
    )
    assert role.value("inline_policy") == Unknown()


def test_the_statements_of_a_document_are_reported_once() -> None:
    text = {resource.address: resource for resource in view(ROLE).resources}
    (role,) = plan_view.resources(plan("aws_iam_role.web", {"assume_role_policy": TRUST}, {}), STACK, text)
    rules = {"FF076": built_in_rules()["FF076"]}
    assert check_resources([role], rules, FACTS).findings == []
    assert [finding.address for finding in check_resources(text.values(), rules, FACTS).findings] == [
        "data.aws_iam_policy_document.trust"
    ]


def test_a_trust_policy_without_a_text_is_checked_on_the_plan() -> None:
    (role,) = plan_view.resources(plan("aws_iam_role.web", {"assume_role_policy": TRUST}, {}), STACK, {})
    (finding,) = check_resources([role], {"FF076": built_in_rules()["FF076"]}, FACTS).findings
    assert finding.message == "anyone can assume the role"


def known(values: dict[str, object], unknown: dict[str, object], text: str = "") -> object:
    """Return the known values of `aws_x.this` in a plan, beside its text."""
    written = {
        resource.address: resource for resource in view(f'resource "aws_x" "this" {{\n{text}\n}}\n').resources
    }
    (found,) = plan_view.resources(plan("aws_x.this", values, unknown), STACK, written)
    return dict(found.values)


@pytest.mark.parametrize(
    ("values", "unknown", "text", "expected"),
    [
        ({"a": 1}, {}, "a = 1", {"a": 1}),
        ({"a": 1}, {"x": True}, "a = 1\nx = uuid()", {"a": 1, "x": Unknown()}),
        (
            {"b": [{"c": 1}]},
            {"b": [{"d": True}]},
            "b {\n  c = 1\n  d = uuid()\n}",
            {"b": [{"c": 1, "d": Unknown()}]},
        ),
        ({"b": [1]}, {"b": [False, True]}, "b = [1, uuid()]", {"b": [1, Unknown()]}),
        ({}, {"b": [True, False]}, "b = [uuid(), null]", {"b": [Unknown(), None]}),
        ({"b": {"c": 1}}, {"b": {"d": True}}, "b = { c = 1, d = uuid() }", {"b": {"c": 1, "d": Unknown()}}),
        ({"b": {"c": 1}}, {"b": {}}, "b = { c = 1 }", {"b": {"c": 1}}),
        ({"b": [1]}, {"b": []}, "b = [1]", {"b": [1]}),
        ({"policy": '{"a": [1]}'}, {}, 'policy = ""', {"policy": {"a": [1]}}),
    ],
)
def test_a_value_known_after_apply_is_unknown_at_its_path(
    values: dict[str, object], unknown: dict[str, object], text: str, expected: object
) -> None:
    assert known(values, unknown, text) == expected


def test_a_computed_value_has_the_reference_from_the_text() -> None:
    text = {
        resource.address: resource
        for resource in view(
            'resource "aws_y" "z" {}\nresource "aws_x" "this" {\n  x = aws_y.z.arn\n}\n'
        ).resources
    }
    (found,) = plan_view.resources(plan("aws_x.this", {}, {"x": True}), STACK, text)
    assert found.values == {"x": Unknown("aws_y.z.arn", present=True)}


@pytest.mark.parametrize(
    "address",
    [
        'module.a["k"].aws_x.y["k"]',
        'module.a["k"].aws_x.y[*]',
        "module.a[*].aws_x.y[*]",
        "module.a[*].aws_x.y[0]",
    ],
)
def test_a_resource_with_unknown_keys_in_the_text_keeps_its_position(address: str) -> None:
    (other,) = view('\n\nresource "aws_x" "y" {}\n').resources
    (found,) = plan_view.resources(
        plan(address.replace("[*]", '["k"]'), {"a": 1}, {}), STACK, {address: other}
    )
    assert found.place == Position(STACK / "main.tf", 3, 1)


def test_a_resource_without_a_text_is_positioned_in_the_stack() -> None:
    (found,) = plan_view.resources(plan("aws_x.this", {"a": 1}, {}), STACK, {})
    assert (found.values, found.place) == ({"a": 1}, Position(STACK / "main.tf", 1, 1))


def test_modules_and_data_sources_are_included() -> None:
    data = {"address": "module.a.data.aws_x.y", "mode": "data", "type": "aws_x", "values": {"a": 1}}
    made = {"address": "module.a.module.b.aws_x.y", "mode": "managed", "type": "aws_x", "values": {"a": 2}}
    shown = {
        "planned_values": {"root_module": {"child_modules": [{"child_modules": [{"resources": [made]}]}]}},
        "prior_state": {
            "values": {"root_module": {"child_modules": [{"resources": [data, {**made, "address": "x"}]}]}}
        },
    }
    found = plan_view.resources(shown, STACK, {})
    assert [(each.address, each.kind, each.type, each.values) for each in found] == [
        ("module.a.module.b.aws_x.y", "resource", "aws_x", {"a": 2}),
        ("module.a.data.aws_x.y", "data", "aws_x", {"a": 1}),
    ]


def test_a_plan_that_destroys_all_has_no_resources() -> None:
    assert list(plan_view.resources({"planned_values": {}}, STACK, {})) == []
