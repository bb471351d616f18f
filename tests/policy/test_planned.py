"""What a plan says of resources, beside what their text says."""

from fleetform.policy import planned
from fleetform.policy.judging import judge_resources
from fleetform.policy.rules import shipped
from fleetform.policy.values import Unknown

from .examples import FACTS, STACK, view

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
    """A plan that makes one resource."""
    made = {"address": address, "mode": "managed", "type": address.partition(".")[0], "values": values}
    change = {"address": address, "change": {"after_unknown": unknown}}
    return {"planned_values": {"root_module": {"resources": [made]}}, "resource_changes": [change]}


def test_what_the_text_does_not_set_and_aws_will_choose_is_absent_as_in_the_text() -> None:
    text = {resource.address: resource for resource in view(ROLE).resources}
    unknown: dict[str, object] = {"arn": True, "description": True, "inline_policy": True, "managed_policy_arns": True}
    values: dict[str, object] = {"name": "web", "path": "/"}
    (role,) = planned.resources(plan("aws_iam_role.web", values, unknown), STACK, text)
    assert dict(role.values) == {
        "name": "web",
        "path": "/",
        "description": text["aws_iam_role.web"].value("description"),
    }
    assert isinstance(role.value("description"), Unknown)


def test_without_a_text_nobody_knows_what_was_set() -> None:
    (role,) = planned.resources(plan("aws_iam_role.web", {"name": "web"}, {"inline_policy": True}), STACK, {})
    assert role.value("inline_policy") == Unknown()


def test_what_a_document_says_is_told_once() -> None:
    text = {resource.address: resource for resource in view(ROLE).resources}
    (role,) = planned.resources(plan("aws_iam_role.web", {"assume_role_policy": TRUST}, {}), STACK, text)
    rules = {"FF076": shipped()["FF076"]}
    assert judge_resources([role], rules, FACTS).findings == []
    assert [finding.address for finding in judge_resources(text.values(), rules, FACTS).findings] == [
        "data.aws_iam_policy_document.trust"
    ]


def test_a_trust_that_no_text_is_known_of_is_judged_as_the_plan_has_it() -> None:
    (role,) = planned.resources(plan("aws_iam_role.web", {"assume_role_policy": TRUST}, {}), STACK, {})
    (finding,) = judge_resources([role], {"FF076": shipped()["FF076"]}, FACTS).findings
    assert finding.message == "anybody may take on the role"
