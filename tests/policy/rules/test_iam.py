"""IAM permissions, beyond the rules' examples."""

import pytest

from fleetform.policy.rules import built_in_rules
from tests.policy.examples import check_text

from .statements import document, policy

EVERY = 'actions = ["{}"]\n resources = ["{}"]'
CONDITION = 'condition {\n test = "StringEquals"\n variable = "aws:ResourceTag/team"\n values = ["web"]\n}'


def messages(text: str, rule: str) -> list[str]:
    return [finding.message for finding in check_text(text, built_in_rules()[rule]).findings]


def undecided(text: str, rule: str) -> list[tuple[str | int, ...]]:
    return [question.at for question in check_text(text, built_in_rules()[rule]).open]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "*"),
        ("s3:Get*", "arn:aws:s3:::*"),
        ("S3:getobject", "arn:aws:s3:::*/*"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:*"),
        ("ssm:GetParameter?", "arn:aws:ssm:*:*:parameter/*"),
        ("sqs:SendMessage", "arn:aws:sqs:eu-central-1:123456789012:*"),
        ("states:StartExecution", "arn:aws:states:eu-central-1:123456789012:stateMachine:*"),
    ],
)
def test_actions_with_resources_are_not_allowed_on_all_resources(action: str, resource: str) -> None:
    assert messages(document(EVERY.format(action, resource)), "FF070") == [
        f"allows {action} on all resources"
    ]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ecr:GetAuthorizationToken", "*"),
        ("ssmmessages:OpenDataChannel", "*"),
        ("logs:DescribeLogGroups", "arn:aws:logs:eu-central-1:123456789012:log-group:*"),
        ("sns:Publish", "*"),
        ("s3:GetObject", "arn:aws:s3:::shop/*"),
        ("ssm:GetParameters", "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/*"),
        ("ecs:RunTask", "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:*"),
        ("s3:*", "*"),
    ],
)
def test_named_resources_and_actions_without_resources_pass(action: str, resource: str) -> None:
    assert check_text(document(EVERY.format(action, resource)), built_in_rules()["FF070"]).findings == []


def test_a_condition_restricts() -> None:
    text = document(EVERY.format("s3:GetObject", "*") + "\n" + CONDITION)
    assert messages(text, "FF070") == []
    assert undecided(text, "FF070") == []


def test_unknown_conditions_leave_it_open() -> None:
    dynamic = (
        'dynamic "condition" {\n for_each = var.x\n content {\n test = "a"\n variable = "b"\n values'
        " = []\n }\n}"
    )
    text = document(EVERY.format("s3:GetObject", "*") + "\n" + dynamic)
    assert messages(text, "FF070") == []
    assert undecided(text, "FF070") == [("statement", 0, "condition")]


@pytest.mark.parametrize(
    ("resources", "open_at"),
    [
        ("[aws_s3_bucket.web.arn]", []),
        ("[var.bucket_arn]", [("statement", 0, "resources")]),
        ("var.bucket_arns", [("statement", 0, "resources")]),
    ],
)
def test_an_unknown_resource_may_be_everything_unless_it_is_an_arn(
    resources: str, open_at: list[tuple[str | int, ...]]
) -> None:
    text = 'resource "aws_s3_bucket" "web" {}\n' + document(
        f'actions = ["s3:GetObject"]\n resources = {resources}'
    )
    assert messages(text, "FF070") == []
    assert undecided(text, "FF070") == open_at


def test_deny_statements_are_ignored() -> None:
    text = document('effect = "Deny"\n actions = ["*"]\n resources = ["*"]')
    assert [messages(text, rule) for rule in ("FF004", "FF070", "FF071", "FF072")] == [[], [], [], []]


def test_a_key_policy_may_grant_its_account_everything() -> None:
    principals = 'principals {\n type = "AWS"\n identifiers = ["arn:aws:iam::123456789012:root"]\n}'
    text = document(EVERY.format("kms:*", "*") + "\n" + principals)
    assert [messages(text, rule) for rule in ("FF004", "FF070")] == [[], []]


def test_a_key_policy_must_name_the_actions_of_others() -> None:
    principals = 'principals {\n type = "AWS"\n identifiers = ["arn:aws:iam::123456789012:role/web"]\n}'
    assert messages(document(EVERY.format("kms:*", "*") + "\n" + principals), "FF004") == ["allows kms:*"]


def test_policies_within_a_role_are_read() -> None:
    text = """
resource "aws_iam_role" "web" {
  inline_policy {
    policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
  }
}
"""
    assert messages(text, "FF004") == ["allows s3:*"]


def test_json_text_is_read() -> None:
    text = """
resource "aws_iam_policy" "web" {
  policy =\
 "{\\"Statement\\":[{\\"Effect\\":\\"Allow\\",\\"Action\\":\\"s3:GetObject\\",\\"Resource\\":\\"*\\"}]}"
}
"""
    assert messages(text, "FF070") == ["allows s3:GetObject on all resources"]


def test_statements_from_a_document_are_checked_there() -> None:
    text = 'resource "aws_iam_policy" "web" {\n  policy = data.aws_iam_policy_document.this.json\n}\n'
    text += document(EVERY.format("s3:GetObject", "*"))
    verdicts = check_text(text, built_in_rules()["FF070"])
    assert [finding.address for finding in verdicts.findings] == ["data.aws_iam_policy_document.this"]
    assert verdicts.open == []


def test_roles_may_be_passed_to_a_named_service() -> None:
    condition = CONDITION.replace("aws:ResourceTag/team", "iam:PassedToService")
    assert messages(document(EVERY.format("iam:PassRole", "*") + "\n" + condition), "FF071") == []


@pytest.mark.parametrize("action", ["iam:AttachRolePolicy", "iam:Create*", "sts:AssumeRole", "iam:*Policy"])
def test_privilege_escalation_is_found(action: str) -> None:
    resource = "arn:aws:iam::123456789012:role/*"
    assert messages(document(EVERY.format(action, resource)), "FF072") == [
        f"allows {action} on all resources"
    ]


@pytest.mark.parametrize(
    "action", ["iam:GetRole", "iam:List*", "sts:GetCallerIdentity", "iam:CreateServiceLinkedRole"]
)
def test_reading_iam_is_not_an_escalation(action: str) -> None:
    assert messages(document(EVERY.format(action, "*")), "FF072") == []


def test_not_elements_in_json_are_found_at_their_position() -> None:
    text = policy('Effect = "Allow", NotResource = "*", Action = "s3:GetObject"')
    assert messages(text, "FF073") == ["allows everything except NotResource"]


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", ["attaches AdministratorAccess"]),
        ("arn:aws-cn:iam::aws:policy/PowerUserAccess", ["attaches PowerUserAccess"]),
        ("arn:aws:iam::aws:policy/AmazonECS_FullAccess", ["attaches AmazonECS_FullAccess"]),
        ("arn:aws:iam::aws:policy/AmazonSSMFullAccess", ["attaches AmazonSSMFullAccess"]),
        (
            "arn:aws:iam::aws:policy/AmazonElasticFileSystemClientFullAccess",
            ["attaches AmazonElasticFileSystemClientFullAccess"],
        ),
        ("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy", []),
        ("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", []),
        ("arn:aws:iam::123456789012:policy/OurFullAccess", []),
    ],
)
def test_full_access_is_matched_by_policy_name(arn: str, expected: list[str]) -> None:
    text = f'resource "aws_iam_role_policy_attachment" "this" {{\n  policy_arn = "{arn}"\n}}\n'
    assert messages(text, "FF074") == expected


@pytest.mark.parametrize(
    ("arn", "open_at"), [("aws_iam_policy.web.arn", []), ("var.policy_arn", [("policy_arn",)])]
)
def test_a_terraform_policy_is_not_an_aws_managed_one(arn: str, open_at: list[tuple[str | int, ...]]) -> None:
    text = f'resource "aws_iam_role_policy_attachment" "this" {{\n  policy_arn = {arn}\n}}\n'
    text += 'resource "aws_iam_policy" "web" {}\n'
    assert undecided(text, "FF074") == open_at
