"""IAM trust, beyond the rules' examples."""

import pytest

from tests.policy.examples import counted

from .statements import document, policy

ASSUME = 'Effect = "Allow", Action = "sts:AssumeRole", '
SERVICE = 'principals {{\n type = "Service"\n identifiers = ["{}"]\n}}\n'


def trust(statement: str) -> str:
    return policy(ASSUME + statement, "aws_iam_role", "assume_role_policy")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('Principal = "*"', (1, 0)),
        ('Principal = { AWS = ["arn:aws:iam::123456789012:role/ci", "*"] }', (1, 0)),
        ('Principal = { AWS = "*" }, Condition = { StringEquals = { "sts:ExternalId" = "x" } }', (1, 0)),
        ('Principal = "*", Condition = { StringNotEquals = { "aws:PrincipalAccount" = "1" } }', (1, 0)),
        ('Principal = "*", Condition = { StringEqualsIfExists = { "aws:PrincipalOrgID" = "o-1" } }', (1, 0)),
        ('Principal = "*", Condition = { StringLike = { "aws:PrincipalArn" = "*" } }', (1, 0)),
        ('Principal = "*", Condition = { StringEquals = { "AWS:PrincipalOrgID" = "o-1" } }', (0, 0)),
        ('Principal = "*", Condition = var.condition', (0, 1)),
        ("Principal = { AWS = var.principal }", (0, 1)),
        ("Principal = { AWS = aws_iam_role.ci.arn }", (0, 0)),
        ('Principal = { Service = "ecs-tasks.amazonaws.com" }', (0, 0)),
        ('Principal = { Federated = "cognito-identity.amazonaws.com" }', (0, 0)),
    ],
)
def test_a_trust_policy_names_its_principals(statement: str, expected: tuple[int, int]) -> None:
    assert counted('resource "aws_iam_role" "ci" {}\n' + trust(statement), "FF076") == expected


@pytest.mark.parametrize(
    ("kind", "statement", "expected"),
    [
        ("aws_sns_topic_policy", 'Effect = "Allow", Action = "sns:Publish", Principal = "*"', (1, 0)),
        (
            "aws_ecr_repository_policy",
            'Effect = "Allow", Action = "ecr:BatchGetImage", Principal = { AWS = "*" }',
            (1, 0),
        ),
        ("aws_s3_bucket_policy", 'Effect = "Deny", Action = "s3:*", Principal = "*"', (0, 0)),
        (
            "aws_sns_topic",
            (
                'Effect = "Allow", Principal = "*", Condition = { StringEquals = { "AWS:SourceOwner" ='
                ' "123456789012" } }'
            ),
            (0, 0),
        ),
        ("aws_vpc_endpoint", 'Effect = "Allow", Action = "s3:GetObject", Principal = "*"', (0, 0)),
    ],
)
def test_a_resource_policy_names_its_principals(kind: str, statement: str, expected: tuple[int, int]) -> None:
    assert counted(policy(statement, kind), "FF077") == expected


def test_a_document_is_checked_where_it_is_used() -> None:
    text = document(
        'actions = ["s3:GetObject"]\n resources = ["*"]\n principals {\n type = "*"\n identifiers = ["*"]\n }'
    )
    text += 'resource "aws_s3_bucket_policy" "this" {\n  policy = data.aws_iam_policy_document.this.json\n}\n'
    assert counted(text, "FF077") == (0, 1)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("ecs-tasks.amazonaws.com", (1, 0)),
        ("scheduler.amazonaws.com", (1, 0)),
        ("ec2.amazonaws.com", (0, 0)),
        ("lambda.amazonaws.com", (0, 0)),
    ],
)
def test_services_that_send_their_source_are_restricted(service: str, expected: tuple[int, int]) -> None:
    assert counted(document('actions = ["sts:AssumeRole"]\n' + SERVICE.format(service)), "FF078") == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('principal = "events.amazonaws.com"', (1, 0)),
        ('principal = "*"', (1, 0)),
        ('principal = "s3.amazonaws.com"\n source_account = "123456789012"', (0, 0)),
        ('principal = "sns.amazonaws.com"\n source_arn = aws_sns_topic.this.arn', (0, 0)),
        ('principal = "arn:aws:iam::123456789012:role/web"', (0, 0)),
        ("principal = var.principal", (0, 1)),
    ],
)
def test_a_function_is_invoked_by_named_sources(arguments: str, expected: tuple[int, int]) -> None:
    text = (
        f'resource "aws_sns_topic" "this" {{}}\nresource "aws_lambda_permission" "this" {{\n '
        f" {arguments}\n}}\n"
    )
    assert counted(text, "FF079") == expected


def test_a_service_may_write_without_delivering() -> None:
    text = document(
        'actions = ["s3:PutObject"]\n' + SERVICE.format("logdelivery.elasticloadbalancing.amazonaws.com")
    )
    assert counted(text, "FF079") == (0, 0)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("arn:aws:iam::210987654321:root", (1, 0)),
        ("210987654321", (1, 0)),
        ("arn:aws:iam::123456789012:root", (0, 0)),
        ("arn:aws:iam::210987654321:role/audit", (0, 0)),
        ("*", (0, 0)),
    ],
)
def test_a_whole_account_needs_a_condition(principal: str, expected: tuple[int, int]) -> None:
    assert counted(trust(f'Principal = {{ AWS = "{principal}" }}'), "FF080") == expected


def test_a_repository_may_allow_a_different_account() -> None:
    statement = (
        'Effect = "Allow", Action = "ecr:BatchGetImage", Principal = { AWS ='
        ' "arn:aws:iam::210987654321:root" }'
    )
    text = policy(statement, "aws_ecr_repository_policy")
    assert [counted(text, rule) for rule in ("FF073", "FF077")] == [(0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("claim", "value", "expected"),
    [
        ("sub", "repo:example/shop:*", (0, 0)),
        ("sub", "repo:example/*", (0, 0)),
        ("repository", "example/shop", (0, 0)),
        ("sub", "repo:*", (1, 0)),
        ("sub", "*", (1, 0)),
        ("aud", "sts.amazonaws.com", (1, 0)),
    ],
)
def test_ci_needs_a_named_organization(claim: str, value: str, expected: tuple[int, int]) -> None:
    host = "token.actions.githubusercontent.com"
    statement = (
        f'Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = {{ Federated ='
        f' "{host}" }}, '
    )
    statement += f'Condition = {{ StringLike = {{ "{host}:{claim}" = "{value}" }} }}'
    assert counted(policy(statement, "aws_iam_role", "assume_role_policy"), "FF081") == expected
