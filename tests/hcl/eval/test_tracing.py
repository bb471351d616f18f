"""Tracing of a value to the line that sets it."""

from pathlib import PurePath

import pytest

from fleetform.base.errors import Position
from fleetform.hcl.eval.resource_view import Trace
from fleetform.hcl.eval.values import Path
from tests.policy.stacks import view

MAIN = PurePath("stack/main.tf")
MODULE = PurePath("modules/web/main.tf")


def traced(files: dict[str, str], address: str, path: Path) -> Trace:
    return view(files)[address].trace(path)


def own(line: int, column: int) -> Trace:
    """Return a position in the stack's own file, which is the cause too."""
    return Trace(Position(MAIN, line, column))


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("x = 1", (), (1, 1)),
        ("x = 1", ("x",), (2, 3)),
        ("x = 1", ("none",), (1, 1)),
        ("x = { a = [1, { b = 2 }] }", ("x", "a", 1, "b"), (2, 19)),
        ("x = { a = 1 }", ("x", "none"), (2, 3)),
        ("x = [\n    1,\n    2,\n  ]", ("x", 1), (4, 5)),
        ("x = local.list", ("x", 1), (20, 14)),
        ("x = local.map.a", ("x",), (21, 11)),
        ("x = local.map.a.b", ("x",), (21, 17)),
        ("x = local.map[local.key]", ("x", "b"), (21, 17)),
        ("x = true ? local.map : {}", ("x", "a"), (21, 11)),
        ("x = false ? local.list : local.map", ("x", "a"), (21, 11)),
        ("x = merge({ a = 1 }, local.map)", ("x", "a", "b"), (21, 17)),
        ("x = merge(local.map, { c = 1 })", ("x", "a"), (21, 11)),
        ("x = merge(local.map, { a = 1 })", ("x", "a"), (2, 26)),
        ("x = concat([1], local.list)", ("x", 0), (2, 15)),
        ("x = concat([1], local.list)", ("x", 2), (20, 14)),
        ("x = [for v in local.list : v]", ("x", 1), (20, 14)),
        ("x = [for v in local.list : v if v > 1]", ("x", 0), (20, 14)),
        ("x = { for k, v in local.map : k => v.b }", ("x", "a"), (21, 17)),
        ("x = toset(local.list)", ("x",), (20, 3)),
        ("x = jsonencode({ a = 1 })", ("x", "a"), (2, 20)),
        ("x = try(local.map.a, 1)", ("x", "b"), (21, 17)),
        ("x = try({}.a, local.map.a)", ("x", "b"), (21, 17)),
        ('x = toset(["b", "a"])', ("x",), (2, 3)),
        ("x = local.round", ("x", "a"), (2, 3)),
        ("x = var.free", ("x",), (24, 19)),
        ("x = var.given", ("x", "a"), (25, 20)),
        ("x = thing.other.id", ("x",), (2, 3)),
        ("x = upper(local.key)", ("x",), (2, 3)),
        ("rule {\n    port = 1\n  }\n  rule {\n    port = 2\n  }", ("rule", 1, "port"), (6, 5)),
        ("rule {\n    port = local.map.a.b\n  }", ("rule", 0, "port"), (21, 17)),
        ("rule {}", ("rule", 3), (1, 1)),
    ],
)
def test_a_value_is_traced_to_where_it_is_written(text: str, path: Path, expected: tuple[int, int]) -> None:
    resource = f'resource "thing" "this" {{\n  {text}\n}}\n'
    blank = "\n" * (18 - resource.count("\n"))
    names = """locals {
  list = [1, 2]
  map = { a = { b = 1 } }
  key = "a"
  round = local.round }
variable "free" { default = 1 }
variable "given" { default = { a = 1 } }
"""
    files = {"stack/main.tf": resource + blank + names}
    found = traced(files, "thing.this", path)
    assert found == own(*expected)


CALL = """module "web" {
  source = "../modules/web"

  name = "shop"
  rules = {
    "a->b" = { port = 80 }
    "b->a" = local.rule
  }
}

locals {
  rule = { port = 81 }
}
"""
WEB = """variable "name" {}
variable "size" { default = 5 }
variable "rules" {}

resource "thing" "this" {
  name  = "${var.name}-web"
  title = var.name
  size  = var.size
  fixed = 1

  dynamic "rule" {
    for_each = var.rules

    content {
      port  = rule.value.port
      fixed = 2
    }
  }
}

resource "rule" "this" {
  for_each = var.rules

  port  = each.value.port
  fixed = 3
}

module "inner" {
  source = "../inner"
  ports  = [for rule in var.rules : rule.port]
}
"""
INNER = """variable "ports" {}

resource "thing" "this" {
  port  = var.ports[1]
  fixed = 4
}
"""
FILES = {"stack/main.tf": CALL, "modules/web/main.tf": WEB, "modules/inner/main.tf": INNER}
INNER_FILE = PurePath("modules/inner/main.tf")


@pytest.mark.parametrize(
    ("address", "path", "place", "cause"),
    [
        ("module.web.thing.this", ("title",), (4, 3), None),
        ("module.web.thing.this", ("name",), (1, 1), (MODULE, 6, 3)),
        ("module.web.thing.this", ("size",), (1, 1), (MODULE, 2, 19)),
        ("module.web.thing.this", ("fixed",), (1, 1), (MODULE, 9, 3)),
        ("module.web.thing.this", (), (1, 1), (MODULE, 5, 1)),
        ("module.web.thing.this", ("rule", 0, "port"), (6, 16), None),
        ("module.web.thing.this", ("rule", 1, "port"), (12, 12), None),
        ("module.web.thing.this", ("rule", 1, "fixed"), (1, 1), (MODULE, 16, 7)),
        ('module.web.rule.this["a->b"]', ("port",), (6, 16), None),
        ('module.web.rule.this["b->a"]', ("port",), (12, 12), None),
        ('module.web.rule.this["b->a"]', ("fixed",), (12, 3), (MODULE, 25, 3)),
        ("module.web.module.inner.thing.this", ("port",), (12, 12), None),
        ("module.web.module.inner.thing.this", ("fixed",), (1, 1), (INNER_FILE, 5, 3)),
    ],
)
def test_the_place_is_in_the_stack_and_the_cause_in_the_module(
    address: str, path: Path, place: tuple[int, int], cause: tuple[PurePath, int, int] | None
) -> None:
    assert traced(FILES, address, path) == Trace(Position(MAIN, *place), Position(*cause) if cause else None)


def test_a_tfvars_value_is_traced_to_its_file() -> None:
    files = {
        "stack/main.tf": 'variable "x" {}\nresource "a" "a" {\n  x = var.x\n}\n',
        "stack/terraform.tfvars": "x = {\n  a = 1\n}\n",
    }
    assert traced(files, "a.a", ("x", "a")) == Trace(Position(PurePath("stack/terraform.tfvars"), 2, 3))


@pytest.mark.parametrize(("key", "line"), [("a", 6), ("b", 7)])
def test_a_module_with_for_each_is_traced_to_the_entry(key: str, line: int) -> None:
    files = {
        "stack/main.tf": """module "web" {
  source = "../modules/web"
  size   = each.value

  for_each = {
    a = 1
    b = 2
  }
}
""",
        "modules/web/main.tf": 'variable "size" {}\nresource "a" "a" {\n  size = var.size\n}\n',
    }
    assert traced(files, f'module.web["{key}"].a.a', ("size",)) == own(line, 5)
