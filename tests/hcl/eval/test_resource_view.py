"""The resources of a stack and its modules, from the text."""

from pathlib import PurePath

import pytest

from fleetform.base.errors import CheckFailedError, Position
from fleetform.hcl.eval.resource_view import Resource, Trace, View
from fleetform.hcl.eval.values import PRESENT, UNKNOWN, Unknown, Value
from tests.policy.stacks import argument, module, values, view

MAIN = PurePath("stack/main.tf")


def place(line: int, column: int = 1) -> Trace:
    return Trace(Position(MAIN, line, column))


def test_a_resource_has_its_address_arguments_and_place() -> None:
    text = """
resource "aws_vpc" "this" {
  cidr_block         = "10.0.0.0/16"
  enable_dns_support = true
  timeout            = null
  tags               = { Name = "shop" }

  depends_on = [aws_kms_key.this]
}
"""
    (found,) = view({"stack/main.tf": text}).values()
    assert found == Resource(
        "aws_vpc.this",
        "resource",
        "aws_vpc",
        {"cidr_block": "10.0.0.0/16", "enable_dns_support": True, "timeout": None, "tags": {"Name": "shop"}},
        "stack",
    )
    assert found.place == Position(MAIN, 2, 1)


def test_a_data_source_is_addressed_as_in_a_plan() -> None:
    text = 'data "aws_iam_policy_document" "this" {\n  statement {\n    actions = ["s3:*"]\n  }\n}\n'
    assert view({"stack/main.tf": text}) == {
        "data.aws_iam_policy_document.this": Resource(
            "data.aws_iam_policy_document.this",
            "data",
            "aws_iam_policy_document",
            {"statement": [{"actions": ["s3:*"]}]},
            "stack",
        )
    }


def test_calls_providers_settings_and_the_backend_are_resources_too() -> None:
    text = """
module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "~> 5.0"
}

provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = { a = "b" }
  }
}

terraform {
  required_version = ">= 1.11"

  backend "s3" {
    encrypt = true
  }
}
"""
    assert values({"stack/main.tf": text, "stack/backend.hcl": 'bucket = "states"\n'}) == {
        "module.vpc": {"source": "terraform-aws-modules/vpc/aws", "version": "~> 5.0"},
        "provider.aws": {"region": "eu-central-1", "default_tags": [{"tags": {"a": "b"}}]},
        "terraform": {"required_version": ">= 1.11", "backend": [{"encrypt": True}]},
        "terraform.backend": {"type": "s3", "encrypt": True, "bucket": "states"},
    }


def test_a_stack_without_files_has_no_resources() -> None:
    assert view({}) == {}


def test_only_resources_of_the_requested_files_are_listed() -> None:
    text = 'resource "a" "a" {}\n'
    assert list(view({"stack/a.tf": text, "elsewhere/b.tf": text})) == ["a.a"]


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
        ('"$${var.name} ${var.name}"', "${var.name} shop"),
        ('"\\"${var.name}\\""', '"shop"'),
        ("(var.name)", "shop"),
        ('var.name == "shop" ? 1 : 2', 1),
        ("<<EOT\ntext\nEOT", "text\n"),
        ("aws_vpc.this.id", UNKNOWN),
        ("thing.this.id", Unknown("thing.this.id", present=True)),
        ("thing.this.name", Unknown("thing.this.name")),
        ("thing.this.y", Unknown("thing.this.y")),
        ('"${var.free}-web"', PRESENT),
        ('"%{ if var.flag }yes%{ endif }"', UNKNOWN),
        ("var.free", UNKNOWN),
        ("var.undeclared", UNKNOWN),
        ("local.undeclared", UNKNOWN),
        ("each.value", UNKNOWN),
        ("path.module", UNKNOWN),
        ("terraform.workspace", UNKNOWN),
        ("uuid()", UNKNOWN),
        ('file("x")', UNKNOWN),
    ],
)
def test_only_values_in_the_text_are_resolved(expression: str, expected: Value) -> None:
    assert argument(expression) == expected


@pytest.mark.parametrize("path", ["part", "0"])
def test_a_part_of_a_scalar_is_invalid(path: str) -> None:
    assert argument(f"try(var.name.{path}, 1)") == 1


def test_a_resource_has_its_arguments_as_attributes() -> None:
    text = """
resource "log" "this" {
  name  = "shop"
  class = null
}

resource "use" "this" {
  name  = log.this.name
  class = log.this.class
  arn   = log.this.arn
}
"""
    assert values({"stack/main.tf": text})["use.this"] == {
        "name": "shop",
        "class": Unknown("log.this.class"),
        "arn": Unknown("log.this.arn", present=True),
    }


def test_circular_references_are_unknown() -> None:
    text = 'resource "a" "a" {\n  x = a.b.x\n}\nresource "a" "b" {\n  x = a.a.x\n}\n'
    assert {value for each in values({"stack/main.tf": text}).values() for value in each.values()} <= {
        Unknown("a.a.x"),
        Unknown("a.b.x"),
    }


@pytest.mark.parametrize("loop", ["for_each = a.a", "count = a.a[0].x", "x = a.a.x"])
def test_a_self_reference_does_not_recurse(loop: str) -> None:
    assert len(view({"stack/main.tf": f'resource "a" "a" {{\n  {loop}\n}}\n'})) == 1


def test_nested_blocks_are_lists() -> None:
    text = 'resource "thing" "this" {\n  rule {\n    port = 1\n  }\n  rule {\n    port = 2\n  }\n}\n'
    assert values({"stack/main.tf": text}) == {"thing.this": {"rule": [{"port": 1}, {"port": 2}]}}


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("[80, 81]", [{"key": 0, "port": 80}, {"key": 1, "port": 81}]),
        ('["a", "b"]', [{"key": 0, "port": "a"}, {"key": 1, "port": "b"}]),
        ('toset(["b", "a"])', [{"key": "a", "port": "a"}, {"key": "b", "port": "b"}]),
        ("{ b = 1, a = 2 }", [{"key": "a", "port": 2}, {"key": "b", "port": 1}]),
        ("var.free", UNKNOWN),
        ("[var.free]", [{"key": 0, "port": UNKNOWN}]),
    ],
)
def test_dynamic_blocks_are_expanded(over: str, expected: Value) -> None:
    text = f"""
variable "free" {{}}

resource "thing" "this" {{
  dynamic "rule" {{
    for_each = {over}
    iterator = each_rule

    content {{
      key  = each_rule.key
      port = each_rule.value
    }}
  }}
}}
"""
    found = values({"stack/main.tf": text})["thing.this"]
    assert found == ({"rule": expected} if expected else {})


def test_for_each_over_a_map_creates_a_resource_for_each_entry() -> None:
    text = """
resource "rule" "this" {
  for_each = { web = { port = 80 }, orders = { port = aws_lb.this.port } }

  name = "shop-${each.key}"
  port = each.value.port
  peer = try(each.value.peer, "none")
}
"""
    assert values({"stack/main.tf": text}) == {
        'rule.this["orders"]': {"name": "shop-orders", "port": UNKNOWN, "peer": "none"},
        'rule.this["web"]': {"name": "shop-web", "port": 80, "peer": "none"},
    }


def test_for_each_over_a_set_creates_a_resource_for_each_element() -> None:
    text = (
        'resource "repository" "this" {\n  for_each = toset(["web", "orders", "web"])\n  name ='
        " each.value\n}\n"
    )
    assert values({"stack/main.tf": text}) == {
        'repository.this["orders"]': {"name": "orders"},
        'repository.this["web"]': {"name": "web"},
    }


def test_a_key_is_quoted_as_terraform_quotes_it() -> None:
    text = 'resource "a" "a" {\n  for_each = { "x\\"\\n$${}" = 1 }\n}\n'
    assert list(view({"stack/main.tf": text})) == ['a.a["x\\"\\n$${}"]']


@pytest.mark.parametrize(
    ("count", "addresses"),
    [
        ("0", []),
        ("2", ["a.a[0]", "a.a[1]"]),
        ("var.free", ["a.a[*]"]),
        ("var.flag ? 1 : 0", ["a.a[0]"]),
        ("true", ["a.a[*]"]),
    ],
)
def test_count_creates_that_many_resources(count: str, addresses: list[str]) -> None:
    text = (
        f'variable "free" {{}}\nvariable "flag" {{ default = true }}\nresource "a" "a" {{\n  count ='
        f" {count}\n}}\n"
    )
    assert list(view({"stack/main.tf": text})) == addresses


@pytest.mark.parametrize("empty", ["{}", "toset([])"])
def test_for_each_over_nothing_creates_no_resource(empty: str) -> None:
    assert view({"stack/main.tf": f'resource "thing" "this" {{\n  for_each = {empty}\n}}\n'}) == {}


@pytest.mark.parametrize("unknown", ["aws_subnet.public", "toset([aws_vpc.this.id])", '["a"]', "null"])
def test_for_each_over_an_unknown_value_is_one_resource_with_a_star(unknown: str) -> None:
    text = f'resource "thing" "this" {{\n  for_each = {unknown}\n  key = each.key\n  port = 1\n}}\n'
    assert values({"stack/main.tf": text}) == {"thing.this[*]": {"key": UNKNOWN, "port": 1}}


def test_a_view_has_the_resources_of_some_types() -> None:
    found = tuple(
        view({"stack/main.tf": 'resource "a" "x" {}\nresource "b" "x" {}\nresource "a" "y" {}\n'}).values()
    )
    assert [each.address for each in View(found).of("a", "c")] == ["a.x", "a.y"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a", "b"), 1),
        (("a", "c"), "default"),
        (("n",), "default"),
        (("none", "x"), "default"),
        (("l", 0), 2),
        (("l", -1), 3),
        (("l", 2), "default"),
        (("u",), Unknown("thing.this.id", present=True)),
        (("u", "x"), UNKNOWN),
        (("policy", "Statement", 0), {"Action": "*"}),
        (("s", "x"), "default"),
    ],
)
def test_a_value_is_found_by_its_path(path: tuple[str | int, ...], expected: Value) -> None:
    text = """
resource "thing" "this" {
  a      = { b = 1 }
  n      = null
  l      = [2, 3]
  s      = "text"
  u      = thing.this.id
  policy = "{\\"Statement\\": [{\\"Action\\": \\"*\\"}]}"
}
"""
    assert view({"stack/main.tf": text})["thing.this"].value(*path, default="default") == expected


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


def resources_of(files: dict[str, str]) -> dict[str, tuple[object, Position]]:
    """Return values and positions of all resources but module calls."""
    found = view(files)
    return {name: (each.values, each.place) for name, each in found.items() if each.kind == "resource"}


def test_a_module_call_binds_variables_and_keeps_defaults() -> None:
    files = {
        "modules/thing/main.tf": MODULE,
        "stack/main.tf": 'variable "name" {}\n\n'
        'module "web" {\n  source = "../modules/thing"\n\n  name = "${var.name}-web"\n}\n',
        "stack/terraform.tfvars": 'name = "shop"\n',
    }
    assert resources_of(files) == {
        "module.web.thing.this": ({"name": "shop-web", "port": 80}, Position(MAIN, 3, 1)),
    }


def test_an_instance_is_positioned_at_its_for_each_entry_in_the_caller() -> None:
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
    assert {name: place for name, (_, place) in resources_of(files).items()} == {
        'module.web.rule.this["a->b:80"]': Position(MAIN, 6, 5),
        'module.web.rule.this["b->a:81"]': Position(MAIN, 7, 5),
        "module.web.thing.this": Position(MAIN, 1, 1),
    }


def test_resources_of_nested_modules_belong_to_the_call_in_the_stack() -> None:
    files = {
        "modules/thing/main.tf": MODULE,
        "modules/pair/main.tf": 'variable "name" {}\n'
        'module "inner" {\n  source = "../thing"\n  name = var.name\n  port = 81\n}\n',
        "stack/main.tf": '\nmodule "outer" {\n  source = "../modules/pair"\n  name = "shop"\n}\n',
    }
    assert resources_of(files) == {
        "module.outer.module.inner.thing.this": ({"name": "shop", "port": 81}, Position(MAIN, 2, 1)),
    }


def test_a_computed_argument_of_a_module_is_unknown_in_it() -> None:
    files = {
        "modules/thing/main.tf": MODULE,
        "stack/main.tf": 'module "web" {\n  source = "../modules/thing"\n  name = module.network.vpc_id\n}\n',
    }
    assert values(files)["module.web.thing.this"] == {"name": UNKNOWN, "port": 80}


def test_modules_from_a_registry_are_left_to_the_plan() -> None:
    text = 'module "vpc" {\n  source = "terraform-aws-modules/vpc/aws"\n}\n'
    assert list(view({"stack/main.tf": text})) == ["module.vpc"]


def test_a_module_outside_the_project_is_read_too() -> None:
    files = {
        "../elsewhere/main.tf": 'resource "thing" "this" {}\n',
        "stack/main.tf": 'module "far" {\n  source = "../../elsewhere"\n}\n',
    }
    assert list(view(files)) == ["module.far", "module.far.thing.this"]


def test_a_module_that_calls_itself_is_refused() -> None:
    files = {
        "modules/round/main.tf": 'module "again" {\n  source = "../round"\n}\n',
        "stack/main.tf": 'module "first" {\n  source = "../modules/round"\n}\n',
    }
    with pytest.raises(CheckFailedError, match=r"^modules/round: the module calls itself; remove the call$"):
        view(files)


def test_a_detached_resource_keeps_its_position() -> None:
    found = view({"stack/main.tf": '\nresource "a" "a" {\n  x = 1\n}\n'})["a.a"]
    assert found.trace(("x",)) == place(3, 3)
    assert found.without_origin().trace(("x",)) == place(2)
    assert module({}).prefix == ""
