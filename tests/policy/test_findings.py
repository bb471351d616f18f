"""Findings of stacks on disk, less their exceptions."""

from pathlib import Path, PurePath

import pytest

from fleetform.catalog.loading import load
from fleetform.catalog.models import Environment, PolicyException, Service
from fleetform.policy.findings import Finding, check
from fleetform.policy.folders import Folders

EXTRA = PurePath("envs/tiny/services/extra.tf")
SHELL = """# Written by hand.
resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = aws_security_group.this.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}
"""
OPEN = "is open to the internet; set `public: true` on its service or name who calls it in `calls`"
SHELL_FINDING = Finding(EXTRA, 2, "FF001", "aws_vpc_security_group_ingress_rule.ssh", f"port 22 {OPEN}")


def environment(*exceptions: PolicyException) -> Environment:
    return Environment(
        name="tiny",
        application="shop",
        account="123456789012",
        region="eu-central-1",
        zones=("eu-central-1a", "eu-central-1b"),
        exceptions=exceptions,
        services={
            "web": Service(image="nginx:1.29", port=80, public=True),
            "admin": Service(image="nginx:1.29", port=22),
            "worker": Service(image="nginx:1.29"),
        },
    )


def exception(rule: str, address: str) -> PolicyException:
    return PolicyException(rule=rule, address=address, reason="It is needed for this test.")


def unused(rule: str, address: str) -> Finding:
    message = f"the exception for {rule} excepts nothing; remove it"
    return Finding(PurePath("envs/tiny/environment.yaml"), 1, "FF000", address, message)


def findings(root: Path, text: str, *exceptions: PolicyException) -> list[Finding]:
    """The findings of an environment with a file that somebody wrote by hand."""
    (root / EXTRA).parent.mkdir(parents=True, exist_ok=True)
    (root / EXTRA).write_text(text, encoding="utf-8")
    return check(environment(*exceptions), Folders(root))


def test_a_port_that_is_opened_by_hand_is_found_where_it_is_written(tmp_path: Path) -> None:
    assert findings(tmp_path, SHELL) == [SHELL_FINDING]


def test_a_finding_reads_as_one_line() -> None:
    assert str(SHELL_FINDING) == (
        f"envs/tiny/services/extra.tf:2: FF001 aws_vpc_security_group_ingress_rule.ssh: port 22 {OPEN}"
    )


def test_the_ports_of_public_services_are_open_to_the_internet(tmp_path: Path) -> None:
    assert findings(tmp_path, SHELL.replace("22", "80")) == []


def test_findings_of_all_stacks_are_sorted_by_place(tmp_path: Path) -> None:
    foundation = tmp_path / "envs/tiny/foundation"
    foundation.mkdir(parents=True)
    (foundation / "z.tf").write_text('resource "aws_ecr_repository" "this" {}\n', encoding="utf-8")
    text = 'resource "aws_cloudwatch_log_group" "b" {}\n\nresource "aws_cloudwatch_log_group" "a" {}\n'
    for_ever = "logs are kept for ever; set retention_in_days"
    assert findings(tmp_path, text) == [
        Finding(
            PurePath("envs/tiny/foundation/z.tf"),
            1,
            "FF002",
            "aws_ecr_repository.this",
            'tags can be pushed over; set image_tag_mutability = "IMMUTABLE"',
        ),
        Finding(EXTRA, 1, "FF003", "aws_cloudwatch_log_group.b", for_ever),
        Finding(EXTRA, 3, "FF003", "aws_cloudwatch_log_group.a", for_ever),
    ]


@pytest.mark.parametrize(
    "address",
    [
        "aws_vpc_security_group_ingress_rule.ssh",
        "aws_vpc_security_group_ingress_rule.*",
        "*.ssh",
        "*",
    ],
)
def test_an_excepted_finding_is_not_reported(tmp_path: Path, address: str) -> None:
    assert findings(tmp_path, SHELL, exception("FF001", address)) == []


@pytest.mark.parametrize(
    ("rule", "address"),
    [
        ("FF002", "aws_vpc_security_group_ingress_rule.ssh"),
        ("FF001", "aws_vpc_security_group_ingress_rule.ss"),
        ("FF001", "aws_vpc_security_group_ingress_rule.ss?"),
        ("FF001", "aws_vpc_security_group_ingress_rule.ss[h]"),
        ("FF001", ".*"),
    ],
)
def test_an_exception_for_something_else_excepts_nothing_and_is_itself_a_finding(
    tmp_path: Path, rule: str, address: str
) -> None:
    assert findings(tmp_path, SHELL, exception(rule, address)) == [unused(rule, address), SHELL_FINDING]


@pytest.mark.parametrize("address", ['aws_ecr_repository.this["a"]', 'aws_ecr_repository.this["*"]', "*[*]"])
def test_brackets_in_an_exceptions_address_are_brackets(tmp_path: Path, address: str) -> None:
    text = 'resource "aws_ecr_repository" "this" {\n  for_each = toset(["a"])\n}\n'
    assert findings(tmp_path, text, exception("FF002", address)) == []


@pytest.mark.parametrize("name", ["dev", "local", "prod"])
def test_the_committed_environments_have_no_findings(root: Path, name: str) -> None:
    assert check(load(root, name), Folders(root)) == []


def test_development_without_its_exceptions_has_the_two_findings_that_they_are_for(project_copy: Path) -> None:
    yaml = project_copy / "envs/dev/environment.yaml"
    text = yaml.read_text(encoding="utf-8")
    yaml.write_text(text[: text.index("exceptions:")], encoding="utf-8")
    file = PurePath("envs/dev/foundation/security.tf")
    lines = (project_copy / file).read_text(encoding="utf-8").splitlines()
    assert check(load(project_copy, "dev"), Folders(project_copy)) == [
        Finding(
            file,
            lines.index('    "app->app" = {') + 1,
            "FF006",
            'module.security.aws_vpc_security_group_ingress_rule.this["app->app"]',
            "every port is open, whatever `calls` says; use `security: edges`",
        ),
        Finding(
            file,
            lines.index('    "app->internet" = {') + 1,
            "FF007",
            'module.security.aws_vpc_security_group_egress_rule.this["app->internet"]',
            "everything may leave; use `security: edges`",
        ),
    ]
