"""What the text of a stack and its modules says about its resources."""

from collections.abc import Mapping
from pathlib import Path, PurePath

import pytest

from fleetform.errors import CheckFailedError
from fleetform.policy.folders import Folders
from fleetform.policy.view import UNKNOWN, Known, Resource, resources

STACK = PurePath("stack")


def view(root: Path, files: Mapping[str, str]) -> list[Resource]:
    """Writes files below a root and reads the stack among them."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return resources(Folders(root), STACK)


def argument(root: Path, expression: str, more: str = "") -> Known:
    """What is known of one argument, in a stack where `name` is `shop`, `port` is 80 and `flag` is true."""
    text = f"""
variable "name" {{ default = "shop" }}
variable "port" {{ default = 80 }}
variable "flag" {{ default = true }}
variable "free" {{}}
{more}
resource "thing" "this" {{
  x = {expression}
}}
"""
    (found,) = view(root, {"stack/main.tf": text})
    return found.values["x"]


def test_a_resource_has_its_address_arguments_and_place(tmp_path: Path) -> None:
    text = """
resource "aws_vpc" "this" {
  cidr_block         = "10.0.0.0/16"
  enable_dns_support = true
  timeout            = null
  tags               = { Name = "shop" }

  depends_on = [aws_kms_key.this]
}
"""
    assert view(tmp_path, {"stack/vpc.tf": text}) == [
        Resource(
            "aws_vpc.this",
            "aws_vpc",
            {"cidr_block": "10.0.0.0/16", "enable_dns_support": True, "timeout": None, "tags": {"Name": "shop"}},
            PurePath("stack/vpc.tf"),
            2,
        )
    ]


def test_a_data_source_is_addressed_as_in_a_plan(tmp_path: Path) -> None:
    text = 'data "aws_iam_policy_document" "this" {\n  statement {\n    actions = ["s3:*"]\n  }\n}\n'
    assert view(tmp_path, {"stack/main.tf": text}) == [
        Resource(
            "data.aws_iam_policy_document.this",
            "aws_iam_policy_document",
            {"statement": [{"actions": ["s3:*"]}]},
            PurePath("stack/main.tf"),
            1,
        )
    ]


def test_resources_of_all_files_are_in_the_order_of_their_addresses(tmp_path: Path) -> None:
    files = {"stack/a.tf": 'resource "z" "z" {}\n', "stack/b.tf": 'resource "a" "b" {}\nresource "a" "a" {}\n'}
    assert [resource.address for resource in view(tmp_path, files)] == ["a.a", "a.b", "z.z"]


def test_a_folder_that_does_not_exist_has_no_resources(tmp_path: Path) -> None:
    assert resources(Folders(tmp_path), PurePath("envs/none/foundation")) == []


def test_hidden_files_and_files_of_other_kinds_are_not_read(tmp_path: Path) -> None:
    files = {"stack/.terraform.lock.hcl": "}", "stack/README.md": "}", "stack/main.tf": 'resource "a" "a" {}\n'}
    assert [resource.address for resource in view(tmp_path, files)] == ["a.a"]


def test_invalid_hcl_is_reported_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"^stack/main.tf:1:1: not valid HCL; mend it, or render again$"):
        view(tmp_path, {"stack/main.tf": "}"})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("var.name", "shop"),
        ("var.port", 80),
        ('"${var.name}-web"', "shop-web"),
        ('"${ var.name }:${var.port}/${var.flag}"', "shop:80/true"),
        ("[var.name, var.free]", ["shop", UNKNOWN]),
        ("{ a = var.name, b = [var.port] }", {"a": "shop", "b": [80]}),
        ('jsonencode({ Action = "s3:*", name = var.name })', {"Action": "s3:*", "name": "shop"}),
        ('toset(["b", var.name])', ["b", "shop"]),
    ],
)
def test_what_the_text_says_is_resolved(tmp_path: Path, expression: str, expected: Known) -> None:
    assert argument(tmp_path, expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "var.free",
        "var.undeclared",
        "local.undeclared",
        "var.name.part",
        "var.name[0]",
        "aws_vpc.this.id",
        "each.value",
        "(var.name)",
        "max(1, 2)",
        'var.name == "shop" ? 1 : 2',
        "[for item in [1] : item]",
        'toset(["a"]) == toset(["b"])',
        '"${var.free}-web"',
        '"${upper(var.name)}"',
        '"${lookup({ a = 1 }, "a")}-${var.name}"',
        '"$${var.name} ${var.name}"',
        '"\\"${var.name}\\""',
        '"%{ if var.flag }yes%{ endif }"',
        "<<EOT\ntext\nEOT",
    ],
)
def test_what_the_text_alone_does_not_say_is_unknown(tmp_path: Path, expression: str) -> None:
    assert argument(tmp_path, expression) is UNKNOWN


def test_locals_are_resolved_through_each_other(tmp_path: Path) -> None:
    more = 'locals {\n  full = "${local.base.name}-web"\n  base = { name = var.name }\n}\n'
    assert argument(tmp_path, "local.full", more) == "shop-web"


def test_locals_that_go_round_in_circles_are_unknown(tmp_path: Path) -> None:
    assert argument(tmp_path, "local.a", "locals {\n  a = local.b\n  b = local.a\n}\n") is UNKNOWN


def test_tfvars_go_over_defaults(tmp_path: Path) -> None:
    files = {
        "stack/main.tf": 'variable "a" { default = 1 }\nvariable "b" { default = 2 }\n'
        'resource "thing" "this" {\n  a = var.a\n  b = var.b\n}\n',
        "stack/terraform.tfvars": "a = 3\nundeclared = 4\n",
    }
    (found,) = view(tmp_path, files)
    assert found.values == {"a": 3, "b": 2}


def test_nested_blocks_are_lists(tmp_path: Path) -> None:
    text = 'resource "thing" "this" {\n  rule {\n    port = 1\n  }\n  rule {\n    port = 2\n  }\n}\n'
    (found,) = view(tmp_path, {"stack/main.tf": text})
    assert found.values == {"rule": [{"port": 1}, {"port": 2}]}


def test_for_each_over_a_map_makes_a_resource_of_each_entry(tmp_path: Path) -> None:
    text = """
resource "rule" "this" {
  for_each = { web = { port = 80 }, orders = { port = aws_lb.this.port } }

  name = "shop-${each.key}"
  port = each.value.port
  peer = each.value.peer
}
"""
    place = (PurePath("stack/main.tf"), 2)
    assert view(tmp_path, {"stack/main.tf": text}) == [
        Resource('rule.this["orders"]', "rule", {"name": "shop-orders", "port": UNKNOWN, "peer": UNKNOWN}, *place),
        Resource('rule.this["web"]', "rule", {"name": "shop-web", "port": 80, "peer": UNKNOWN}, *place),
    ]


def test_for_each_over_a_set_makes_a_resource_of_each_element(tmp_path: Path) -> None:
    text = 'resource "repository" "this" {\n  for_each = toset(["web", "orders", "web"])\n  name = each.value\n}\n'
    assert [(found.address, found.values) for found in view(tmp_path, {"stack/main.tf": text})] == [
        ('repository.this["orders"]', {"name": "orders"}),
        ('repository.this["web"]', {"name": "web"}),
    ]


@pytest.mark.parametrize("empty", ["{}", "toset([])"])
def test_for_each_over_nothing_makes_no_resource(tmp_path: Path, empty: str) -> None:
    assert view(tmp_path, {"stack/main.tf": f'resource "thing" "this" {{\n  for_each = {empty}\n}}\n'}) == []


@pytest.mark.parametrize("unknown", ["aws_subnet.public", "toset([aws_vpc.this.id])", "{ for k in [] : k => k }"])
def test_for_each_over_the_unknown_is_one_resource_with_a_star(tmp_path: Path, unknown: str) -> None:
    text = f'resource "thing" "this" {{\n  for_each = {unknown}\n  key = each.key\n  port = 1\n}}\n'
    assert view(tmp_path, {"stack/main.tf": text}) == [
        Resource("thing.this[*]", "thing", {"key": UNKNOWN, "port": 1}, PurePath("stack/main.tf"), 1)
    ]


MODULE = """
variable "name" {}
variable "port" { default = 80 }
variable "rules" { default = {} }

resource "thing" "this" {
  name = var.name
  port = var.port
}

resource "rule" "this" {
  for_each = var.rules

  port = each.value.port
}
"""


def test_a_module_call_binds_variables_and_leaves_defaults(tmp_path: Path) -> None:
    files = {
        "modules/thing/main.tf": MODULE,
        "stack/main.tf": 'variable "name" {}\n\n'
        'module "web" {\n  source = "../modules/thing"\n\n  name = "${var.name}-web"\n}\n',
        "stack/terraform.tfvars": 'name = "shop"\n',
    }
    assert view(tmp_path, files) == [
        Resource("module.web.thing.this", "thing", {"name": "shop-web", "port": 80}, PurePath("stack/main.tf"), 3)
    ]


def test_an_entry_that_for_each_came_from_is_found_at_its_line_in_the_caller(tmp_path: Path) -> None:
    call = """module "web" {
  source = "../modules/thing"
  name   = "web"

  rules = {
    "a->b:80" = { port = 80 }
    "b->a:81" = {
      port = 81
    }
  }
}
"""
    files = {"modules/thing/main.tf": MODULE, "stack/main.tf": call}
    assert [(found.address, found.line) for found in view(tmp_path, files)] == [
        ('module.web.rule.this["a->b:80"]', 6),
        ('module.web.rule.this["b->a:81"]', 7),
        ("module.web.thing.this", 1),
    ]


def test_resources_of_nested_modules_belong_to_the_call_in_the_stack(tmp_path: Path) -> None:
    files = {
        "modules/thing/main.tf": MODULE,
        "modules/pair/main.tf": 'variable "name" {}\n'
        'module "inner" {\n  source = "../thing"\n  name = var.name\n  port = 81\n}\n',
        "stack/main.tf": '\nmodule "outer" {\n  source = "../modules/pair"\n  name = "shop"\n}\n',
    }
    assert view(tmp_path, files) == [
        Resource(
            "module.outer.module.inner.thing.this",
            "thing",
            {"name": "shop", "port": 81},
            PurePath("stack/main.tf"),
            2,
        )
    ]


def test_what_a_module_is_given_of_a_resource_is_unknown_in_it(tmp_path: Path) -> None:
    files = {
        "modules/thing/main.tf": MODULE,
        "stack/main.tf": 'module "web" {\n  source = "../modules/thing"\n  name = module.network.vpc_id\n}\n',
    }
    (found,) = view(tmp_path, files)
    assert found.values == {"name": UNKNOWN, "port": 80}


def test_modules_from_a_registry_are_left_to_the_plan(tmp_path: Path) -> None:
    assert view(tmp_path, {"stack/main.tf": 'module "vpc" {\n  source = "terraform-aws-modules/vpc/aws"\n}\n'}) == []


def test_a_module_outside_the_project_is_read_too(tmp_path: Path) -> None:
    files = {
        "elsewhere/main.tf": 'resource "thing" "this" {}\n',
        "project/stack/main.tf": 'module "far" {\n  source = "../../elsewhere"\n}\n',
    }
    view(tmp_path, files)
    assert resources(Folders(tmp_path / "project"), STACK) == [
        Resource("module.far.thing.this", "thing", {}, PurePath("stack/main.tf"), 1)
    ]


def test_a_module_that_calls_itself_is_refused(tmp_path: Path) -> None:
    files = {
        "modules/round/main.tf": 'module "again" {\n  source = "../round"\n}\n',
        "stack/main.tf": 'module "first" {\n  source = "../modules/round"\n}\n',
    }
    with pytest.raises(CheckFailedError, match=r"^modules/round: the module calls itself; remove the call$"):
        view(tmp_path, files)
