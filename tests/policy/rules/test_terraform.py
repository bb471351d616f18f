"""Terraform itself, and cost, beyond the rules' examples."""

import pytest

from tests.policy.examples import counted


@pytest.mark.parametrize(
    ("rule", "settings", "expected"),
    [
        ("FF097", 'required_version = "1.10"', (1, 0)),
        ("FF097", 'cloud {\n organization = "shop"\n }', (0, 0)),
        ("FF097", 'backend "gcs" {\n bucket = "shop"\n }', (0, 0)),
        ("FF098", 'backend "s3" {}', (0, 1)),
        ("FF098", 'backend "s3" {\n bucket = "shop"\n dynamodb_table = "locks"\n }', (0, 0)),
        ("FF098", 'backend "gcs" {\n bucket = "shop"\n }', (0, 0)),
        ("FF099", 'backend "s3" {\n access_key = "AKIAIOSFODNN7EXAMPLE"\n }', (1, 0)),
        ("FF100", 'required_version = ">= 1.10"\n required_providers {\n aws = "~> 5.0"\n }', (0, 0)),
        ("FF100", 'required_version = "~> 1.10"\n required_providers {\n aws = ">= 5.0"\n }', (1, 0)),
    ],
)
def test_settings(rule: str, settings: str, expected: tuple[int, int]) -> None:
    assert counted(f"terraform {{\n  {settings}\n}}\n", rule) == expected


@pytest.mark.parametrize("version", ["5.100.0", "= 5.100.0", "~> 5.100", ">= 5.0, < 7.0.0", "<6"])
def test_a_version_with_an_upper_bound_passes(version: str) -> None:
    settings = (
        f'required_version = ">= 1.10"\n required_providers {{\n aws = {{ version = "{version}" }}\n }}'
    )
    text = f"terraform {{\n  {settings}\n}}\n"
    assert counted(text, "FF100") == (0, 0)


def test_settings_may_be_in_several_blocks() -> None:
    text = 'terraform {\n  required_version = "1.10.5"\n}\n\nterraform {\n  backend "s3" {}\n}\n'
    assert [counted(text, rule) for rule in ("FF097", "FF100")] == [(0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("rule", "provider", "arguments", "expected"),
    [
        ("FF099", "aws", 'access_key = "mock_access_key"\n secret_key = "mock_secret_key"', (0, 0)),
        ("FF099", "aws", "access_key = var.access_key", (0, 0)),
        ("FF099", "postgresql", 'password = "hunter2"', (1, 0)),
        ("FF099", "github", 'token = ""', (0, 0)),
        ("FF101", "aws", 'assume_role {\n role_arn = "arn:aws:iam::123456789012:role/deploy"\n }', (0, 0)),
        ("FF101", "aws", "allowed_account_ids = []", (1, 0)),
        ("FF101", "aws", "allowed_account_ids = [var.account]", (0, 0)),
        ("FF101", "random", "", (0, 0)),
        ("FF102", "aws", "default_tags {\n tags = {}\n }", (1, 0)),
        ("FF102", "aws", "default_tags {\n tags = var.tags\n }", (0, 0)),
        ("FF102", "random", "", (0, 0)),
    ],
)
def test_providers(rule: str, provider: str, arguments: str, expected: tuple[int, int]) -> None:
    assert counted(f'provider "{provider}" {{\n  {arguments}\n}}\n', rule) == expected


@pytest.mark.parametrize(
    ("source", "version", "expected"),
    [
        ("terraform-aws-modules/vpc/aws", None, (1, 0)),
        ("terraform-aws-modules/vpc/aws", ">= 5.0", (1, 0)),
        ("terraform-aws-modules/vpc/aws", "5.21.0", (0, 0)),
        ("terraform-aws-modules/iam/aws//modules/iam-role", "~> 5.0", (0, 0)),
        ("app.terraform.io/shop/vpc/aws", None, (1, 0)),
        ("github.com/example/queue", None, (1, 0)),
        ("github.com/example/queue?ref=3f1e9a7", None, (0, 0)),
        ("git@github.com:example/queue.git?ref=v1.0.0", None, (0, 0)),
        ("git::ssh://git@example.com/queue.git//sub?depth=1&ref=v1.0.0", None, (0, 0)),
        ("git::https://example.com/queue.git?ref=HEAD", None, (1, 0)),
        ("./queue", None, (0, 0)),
        ("../queue", None, (0, 0)),
        ("s3::https://s3.amazonaws.com/shop/queue-1.0.0.zip", None, (0, 0)),
    ],
)
def test_modules(source: str, version: str | None, expected: tuple[int, int]) -> None:
    given = f'version = "{version}"' if version else ""
    assert counted(f'module "x" {{\n  source = "{source}"\n  {given}\n}}\n', "FF103") == expected


GATEWAY = 'resource "aws_nat_gateway" "{}" {{\n  connectivity_type = "{}"\n}}\n'


@pytest.mark.parametrize(
    ("text", "protected", "expected"),
    [
        (GATEWAY.format("a", "public") + GATEWAY.format("b", "public"), False, (1, 0)),
        (GATEWAY.format("a", "public") + GATEWAY.format("b", "private"), False, (0, 0)),
        (GATEWAY.format("a", "public") + GATEWAY.format("b", "public"), True, (0, 0)),
    ],
)
def test_nat_gateways(text: str, protected: bool, expected: tuple[int, int]) -> None:  # noqa: FBT001 - a parameter
    assert counted(text, "FF106", protected=protected) == expected


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        ("aws_ecs_service", "desired_count = 101", (1, 0)),
        ("aws_ecs_service", 'desired_count = "100"', (0, 0)),
        ("aws_ecs_service", 'scheduling_strategy = "DAEMON"', (0, 0)),
        ("aws_ecs_service", "desired_count = var.count", (0, 1)),
        ("aws_appautoscaling_target", 'service_namespace = "dynamodb"\n max_capacity = 40000', (0, 0)),
    ],
)
def test_task_limits(kind: str, arguments: str, expected: tuple[int, int]) -> None:
    assert counted(f'resource "{kind}" "this" {{\n  {arguments}\n}}\n', "FF107") == expected


@pytest.mark.parametrize(
    ("cpu", "protected", "expected"),
    [
        ('"16384"', False, (1, 0)),
        ("16384", True, (0, 0)),
        ('"8192"', False, (0, 0)),
        ("var.cpu", False, (0, 1)),
    ],
)
def test_sizes(cpu: str, protected: bool, expected: tuple[int, int]) -> None:  # noqa: FBT001 - a parameter
    text = f'resource "aws_ecs_task_definition" "this" {{\n  cpu = {cpu}\n}}\n'
    assert counted(text, "FF108", protected=protected) == expected
