"""Rules for secrets, beyond their examples: what is a secret, what is not, and that none is printed."""

import json
from pathlib import Path

import pytest

from fleetform.hcl.eval.plan_view import resources
from fleetform.policy.helpers.credentials import find_kind, is_secret_name
from fleetform.policy.rules import built_in_rules
from fleetform.policy.verdicts import check_resources
from tests.policy.examples import FACTS, check_text

from .answers import answers
from .test_containers import task

TOKEN = "ghp_" + "a1B2" * 9


def variable(name: str, value: str) -> str:
    """Return a task with one variable, whose value is HCL."""
    return task(f'environment = [{{ name = "{name}", value = {value} }}]') + (
        'resource "random_password" "db" {\n  length = 40\n}\n'
        'resource "aws_secretsmanager_secret" "db" {\n  name = "db"\n}\n'
    )


@pytest.mark.parametrize(
    "name",
    [
        *(
            "PASSWORD",
            "DB_PASSWORD",
            "PGPASSWORD",
            "dbPassword",
            "spring.datasource.password",
            "SMTP_PASS",
            "DB_PWD",
        ),
        *("SECRET", "CLIENT_SECRET", "clientSecret", "JWT_SECRET", "SECRET_KEY_BASE", "DJANGO_SECRET_KEY"),
        *(
            "API_KEY",
            "APIKEY",
            "STRIPE_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "PRIVATE_KEY",
            "splunk-token",
            "AUTH_TOKEN",
        ),
        *("accessToken", "DB_CREDENTIALS"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "DB_PASSWORD_FILE",
            "SECRET_ARN",
            "SECRET_NAME",
            "TOKEN_URL",
            "API_KEY_HEADER",
            "PWD",
            "OLDPWD",
            "BYPASS",
        ),
        *(
            "KEY",
            "PUBLIC_KEY",
            "KMS_KEY",
            "AWS_ACCESS_KEY_ID",
            "MAX_TOKENS",
            "TOKENIZER",
            "COMPASS",
            "PARTITION_KEY",
        ),
        *("PASSWORD_MIN_LENGTH", "SECRETS_PATH", "MONKEY"),
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("AKIA" + "ABCDEFGH23456789", "an AWS access key"),
        ("x AccountKey=" + "a" * 88, "an Azure storage key"),
        ("amqp://shop:hunter2@mq:5672", "a password in a URL"),
        (TOKEN, "a GitHub token"),
        ("glpat-" + "a1B2" * 5, "a GitLab token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "a JSON web token"),
        ("0123456789abcdef" * 2 + "-us12", "a Mailchimp API key"),
        ("sk-" + "a" * 20 + "T3BlbkFJ" + "a" * 20, "an OpenAI API key"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII", "a private key"),
        ("pypi-AgEIcHlwaS5vcmc" + "a" * 70, "a PyPI token"),
        ("SG." + "a" * 22 + "." + "b" * 43, "a SendGrid API key"),
        ("https://hooks.slack.com/services/T0/B0/a1", "a Slack token"),
        ("xoxb-" + "1234567890-1234567890-abcdef", "a Slack token"),
        ("sq0csp-" + "a" * 43, "a Square secret"),
        ("rk_live_" + "a1B2" * 6, "a Stripe API key"),
    ],
)
def test_formats_of_secrets(value: str, expected: str) -> None:
    """The first, cheap test must match all of them inside a text."""
    assert find_kind(f"a {value} b") == expected


@pytest.mark.parametrize(
    "value",
    [
        *("", "http://orders.prod.shop.internal:8080", "https://user@example.com/", "mailto:a@b.example"),
        *("arn:aws:sns:eu-central-1:123456789012:a-topic-with-a-name-of-forty-characters", "0.0.0.0:8080"),
        *(
            "postgres://shop:${DB_PASSWORD}@db/shop",
            "postgres://shop:$DB_PASSWORD@db",
            "postgres://shop:{password}@db",
        ),
        *("postgres://shop:<password>@db", "1234abcd-12ab-34cd-a6ef-1234567890ab", "AKIAIOSFODNN7EXAMPLE"),
        *(f"sha256:{'5b0e' * 16}", "AC" + "0" * 32, "sk_test_" + "a1B2" * 6, "-----BEGIN PUBLIC KEY-----"),
        "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/shop-prod-web-with-a-long-name:0a7c9e4d1b2f3a68",
    ],
)
def test_values_that_look_like_secrets_pass(value: str) -> None:
    assert find_kind(value) is None


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DB_PASSWORD", '"hunter2"', ["DB_PASSWORD of container number 1 is a secret in plain text"]),
        ("DB_PASSWORD", '"123456"', ["DB_PASSWORD of container number 1 is a secret in plain text"]),
        ("API_TOKEN", '"3600"', []),
        ("API_TOKEN", '"true"', []),
        ("DB_PASSWORD", '""', []),
        ("DB_SECRET", '"shop/prod/db"', []),
        ("DB_SECRET", '"arn:aws:secretsmanager:eu-central-1:123456789012:secret:db"', []),
        ("GOOGLE_APPLICATION_CREDENTIALS", '"/etc/google.json"', []),
        ("API_KEY", '"$${API_KEY}"', []),
        (
            "DB_PASSWORD",
            "random_password.db.result",
            ["DB_PASSWORD of container number 1 is a secret in plain text"],
        ),
        ("DB_SECRET", "aws_secretsmanager_secret.db.arn", []),
        ("DB_PASSWORD", "var.password", ["? container_definitions.0.environment.0.value"]),
        ("DB_HOST", "var.host", []),
        ("LINK", f'"{TOKEN}"', ["LINK of container number 1 contains a GitHub token in plain text"]),
    ],
)
def test_variables(name: str, value: str, expected: list[str]) -> None:
    assert answers("FF054", variable(name, value)) == expected


RUNS = "the command of container number 1 contains a secret"


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ('command = ["serve", "--password", "hunter2"]', [RUNS]),
        ('command = ["sh", "-c", "DB_PASSWORD=hunter2 serve"]', [RUNS]),
        ('entryPoint = ["serve", "-secret=hunter2"]', [RUNS]),
        ('healthCheck = { command = ["CMD-SHELL", "check --api-key=hunter2"] }', [RUNS]),
        (f'command = ["serve", "{TOKEN}"]', ["the command of container number 1 contains a GitHub token"]),
        ('command = ["serve", "--password", "$DB_PASSWORD"]', []),
        ('command = ["sh", "-c", "serve --password=$${DB_PASSWORD}"]', []),
        ('command = ["serve", "--password-file=/run/secrets/db", "--token-ttl=60"]', []),
        ('command = ["serve", "--password", "--verbose"]', []),
        ("command = [var.command]", []),
        ("command = var.command", []),
        (
            'logConfiguration = { options = { splunk-token = "0123-4567", splunk-url = "https://splunk" } }',
            ["splunk-token of container number 1 is a secret in plain text"],
        ),
    ],
)
def test_commands_and_options(container: str, expected: list[str]) -> None:
    assert answers("FF054", task(container)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"db-password"', []),
        ('"/shop/prod/db-password"', []),
        ('"arn:aws-cn:ssm:cn-north-1:123456789012:parameter/db"', []),
        ('"arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-a1b2c3:password::"', []),
        (
            '"arn:aws:s3:::secrets/db"',
            ["A of container number 1 references neither a secret nor a parameter"],
        ),
        (f'"{TOKEN}"', ["A of container number 1 references neither a secret nor a parameter"]),
        ("null", ["A of container number 1 references neither a secret nor a parameter"]),
        ("aws_secretsmanager_secret.db.arn", []),
        ('"${aws_secretsmanager_secret.db.arn}:password::"', []),
        ("var.secret", ["? container_definitions.0.secrets.0.valueFrom"]),
    ],
)
def test_references(value: str, expected: list[str]) -> None:
    text = task(f'secrets = [{{ name = "A", valueFrom = {value} }}]')
    assert (
        answers("FF056", text + 'resource "aws_secretsmanager_secret" "db" {\n  name = "db"\n}\n') == expected
    )


def resource(kind: str, *lines: str) -> str:
    return f'resource "{kind}" "this" {{\n' + "\n".join(lines) + "\n}\n"


def parameter(kind: str, name: str, value: str) -> str:
    return resource("aws_ssm_parameter", f'type = "{kind}"', f'name = "{name}"', f"value = {value}")


def version(value: str) -> str:
    return resource("aws_secretsmanager_secret_version", f"secret_string = {value}")


HERE = ["a secret is hardcoded"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (resource("aws_rds_cluster", 'master_password = "hunter2"'), HERE),
        (resource("aws_rds_cluster", "master_password = var.password"), []),
        (resource("aws_rds_cluster", "master_password = random_password.db.result"), []),
        (resource("aws_elasticache_user", 'passwords = ["hunter2", var.second]'), HERE),
        (resource("aws_mq_broker", 'user {\n  username = "a"\n  password = "hunter2"\n}'), HERE),
        (resource("aws_mq_broker", 'user {\n  username = "a"\n  password = var.x\n}'), []),
        (parameter("SecureString", "/shop/limit", '"42x"'), HERE),
        (parameter("SecureString", "/shop/key", '"change-me"'), []),
        (parameter("SecureString", "/shop/key", '"placeholder"'), []),
        (parameter("String", "/shop/level", '"debug"'), []),
        (parameter("String", "/shop/db-password", '"hunter2"'), HERE),
        (parameter("String", "/shop/url", '"postgres://a:hunter2@db"'), ["a password in a URL is hardcoded"]),
        (version('"hunter2"'), HERE),
        (version('jsonencode({ username = "shop", password = "hunter2" })'), HERE),
        (version('jsonencode({ username = "shop", password = random_password.db.result })'), []),
        (
            resource(
                "aws_lambda_function",
                'environment {\n  variables = { API_KEY = "hunter2", MODE = "fast" }\n}',
            ),
            HERE,
        ),
        (resource("aws_instance", f'user_data = "export A={TOKEN}"'), ["a GitHub token is hardcoded"]),
        (resource("aws_instance", 'user_data = "export MODE=fast"'), []),
    ],
)
def test_literals(text: str, expected: list[str]) -> None:
    assert answers("FF055", text) == expected


def test_a_default_of_a_variable_is_reported_at_its_line() -> None:
    text = 'variable "password" {\n  default = "hunter2"\n}\n\n' + resource(
        "aws_db_instance", "password = var.password"
    )
    (finding,) = check_text(text, built_in_rules()["FF055"]).findings
    assert finding.place.line == 2
    assert finding.message == "a secret is hardcoded"


def test_a_plan_is_not_checked_for_literals() -> None:
    values = {"password": "hunter2"}
    found = {"address": "aws_db_instance.a", "mode": "managed", "type": "aws_db_instance", "values": values}
    plan = {"planned_values": {"root_module": {"resources": [found]}}}
    planned = list(resources(plan, Path("envs/tiny/services"), {}))
    assert check_resources(planned, {"FF055": built_in_rules()["FF055"]}, FACTS).findings == []


@pytest.mark.parametrize("rule", ["FF054", "FF055", "FF056"])
def test_no_message_shows_a_secret(rule: str) -> None:
    secrets = ("hunter2", "tr0ub4dor", "correct horse", "0123456789abcdef", TOKEN)
    messages = [
        str(finding) for finding in check_text(built_in_rules()[rule].bad, built_in_rules()[rule]).findings
    ]
    assert [secret for secret in secrets if secret in json.dumps(messages)] == []
