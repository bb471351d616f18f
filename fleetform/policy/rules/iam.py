"""IAM: who may do what."""

from collections.abc import Iterator

from fleetform.policy.rule import Facts, Fault, Severity, Undecided, rule
from fleetform.policy.values import Known, Path, Unknown
from fleetform.policy.view import Resource

POLICIES = (
    *("aws_iam_policy_document", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy"),
    "aws_iam_group_policy",
)
"""Types whose policies say what their owner may do."""


@rule(
    "FF004",
    "IAM policies name their actions.",
    *POLICIES,
    severity=Severity.HIGH,
    why="A wildcard grants what nobody reviewed, and what AWS adds tomorrow.",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    checkov=("CKV_AWS_63", "CKV_AWS_49"),
    good="""\
data "aws_iam_policy_document" "web" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::shop-prod-web/*"]
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "web" {
  statement {
    actions   = ["s3:*"]
    resources = ["arn:aws:s3:::shop-prod-web/*"]
  }
}
""",
)
def iam_actions_are_named(resource: Resource, _: Facts) -> Iterator[Fault | Undecided]:
    """In statements that allow; `s3:Get*` is a choice that somebody made."""
    for path, statement in statements(resource):
        key = "actions" if "actions" in statement else "Action"
        for action in _listed(statement.get(key)):
            if isinstance(action, Unknown):
                yield Undecided((*path, key))
            elif isinstance(action, str) and (action == "*" or action.endswith(":*")):
                yield Fault(f"allows {action}", "name the actions that are needed", (*path, key))


def statements(resource: Resource) -> Iterator[tuple[Path, dict[str, Known]]]:
    """The statements of a policy that allow something, in HCL's form or JSON's, each with its path."""
    if resource.kind == "data":
        found: tuple[Path, Known] = ("statement",), resource.value("statement", default=[])
    else:
        found = ("policy", "Statement"), resource.value("policy", "Statement", default=[])
    path, given = found
    for index, statement in enumerate(given if isinstance(given, list) else [given]):
        if isinstance(statement, dict) and "Deny" not in (statement.get("effect"), statement.get("Effect")):
            yield (*path, index) if isinstance(given, list) else path, statement


def _listed(value: Known) -> list[Known]:
    return value if isinstance(value, list) else [value]
