"""The meaning of names in a called module."""

from typing import TYPE_CHECKING

import pytest

from fleetform.hcl.eval.values import UNKNOWN, Set, Unknown, Value
from tests.policy.stacks import values

if TYPE_CHECKING:
    from collections.abc import Mapping

RESOURCE = 'resource "thing" "this" {\n  x = var.x\n}\n'


def variable(kind: str, given: str | None, more: str = "") -> Value:
    """Return the value of a typed variable from `terraform.tfvars`."""
    text = f'variable "x" {{\n  type = {kind}\n{more}\n}}\n{RESOURCE}'
    files = {"stack/main.tf": text} | ({"stack/terraform.tfvars": f"x = {given}\n"} if given else {})
    return values(files)["thing.this"]["x"]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("string", "80", "80"),
        ("string", "1.50", "1.5"),
        ("string", "true", "true"),
        ("string", "null", None),
        ("string", "[1]", UNKNOWN),
        ("number", '"80"', 80),
        ("number", '"1.0"', 1),
        ("number", '"x"', UNKNOWN),
        ("number", "true", UNKNOWN),
        ("bool", '"true"', True),
        ("bool", '"0"', False),
        ("bool", "1", UNKNOWN),
        ("any", '[1, "a"]', [1, "a"]),
        ("list(string)", "[1, true]", ["1", "true"]),
        ("list(any)", '[1, "a"]', ["1", "a"]),
        ("list(number)", "{ a = 1 }", UNKNOWN),
        ("set(string)", '["b", "a", "b"]', Set(["a", "b"])),
        ("set(number)", '["10", 9]', Set([9, 10])),
        ("map(string)", "{ a = 1, b = true }", {"a": "1", "b": "true"}),
        ("map(any)", '{ a = 1, b = "x" }', {"a": "1", "b": "x"}),
        ("map(list(number))", '{ a = ["1"] }', {"a": [1]}),
        ("tuple([string, number])", '[1, "2"]', ["1", 2]),
        ("tuple([string])", "[1, 2]", UNKNOWN),
        ("object({ a = string })", "{ a = 1, b = 2 }", {"a": "1"}),
        ("object({ a = optional(string) })", "{}", {"a": None}),
        ('object({ a = optional(string, "x") })', "{}", {"a": "x"}),
        ('object({ a = optional(string, "x") })', "{ a = null }", {"a": "x"}),
        ("object({ a = optional(number, 1) })", '{ a = "2" }', {"a": 2}),
        ("object({ a = optional(object({ b = optional(number, 1) }), {}) })", "{}", {"a": {"b": 1}}),
        ("object({ a = optional(object({ b = optional(number, 1) })) })", "{}", {"a": None}),
        ("object({ a = optional(object({ b = optional(number, 1) })) })", "{ a = {} }", {"a": {"b": 1}}),
        ("map(object({ a = optional(list(string), []) }))", "{ x = {} }", {"x": {"a": []}}),
        ("list(object({ a = optional(bool, true) }))", "[{}]", [{"a": True}]),
    ],
)
def test_a_value_has_the_type_of_its_variable(kind: str, given: str, expected: Value) -> None:
    assert variable(kind, given) == expected


@pytest.mark.parametrize(
    ("given", "more", "expected"),
    [
        (None, "", UNKNOWN),
        (None, "default = 1", "1"),
        (None, "default = null", None),
        ("2", "default = 1", "2"),
        ("null", "default = 1", None),
        ("null", "default = 1\nnullable = true", None),
        ("null", "default = 1\nnullable = false", "1"),
        (None, 'default = "x"\nsensitive = true', "x"),
    ],
)
def test_a_default_replaces_an_absent_value(given: str | None, more: str, expected: Value) -> None:
    assert variable("string", given, more) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("terraform.tfvars",), "terraform.tfvars"),
        (("terraform.tfvars", "a.auto.tfvars"), "a.auto.tfvars"),
        (("z.auto.tfvars", "a.auto.tfvars", "terraform.tfvars"), "z.auto.tfvars"),
        (("other.tfvars",), "default"),
    ],
)
def test_the_last_file_of_values_counts(files: tuple[str, ...], expected: str) -> None:
    """https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence."""
    texts = {f"stack/{name}": f'x = "{name}"\nundeclared = 1\n' for name in files}
    assert values({"stack/main.tf": f'variable "x" {{ default = "default" }}\n{RESOURCE}', **texts}) == {
        "thing.this": {"x": expected}
    }


def local(text: str) -> Value:
    return values(
        {"stack/main.tf": f'locals {{\n{text}\n}}\nresource "thing" "this" {{\n  x = local.a\n}}\n'}
    )["thing.this"]["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a = "${local.b.c}-web"\nb = { c = local.d }\nd = "shop"', "shop-web"),
        ("a = local.a", UNKNOWN),
        ("a = local.b\nb = local.a", UNKNOWN),
        ("a = [1, local.a]", [1, UNKNOWN]),
        ("a = local.none", UNKNOWN),
    ],
)
def test_locals_are_resolved_through_each_other(text: str, expected: Value) -> None:
    assert local(text) == expected


WEB = """
variable "x" {}
output "x" { value = var.x }
output "id" { value = thing.inner.id }
resource "thing" "inner" {}
"""


def called(call: str, output: str) -> Value:
    """Return a value in a stack that calls a module."""
    text = f"""
variable "free" {{}}

module "web" {{
  source = "../modules/web"
  {call}
}}

resource "thing" "this" {{
  x = {output}
}}
"""
    return values({"modules/web/main.tf": WEB, "stack/main.tf": text})["thing.this"]["x"]


@pytest.mark.parametrize(
    ("call", "wanted", "expected"),
    [
        ("x = 1", "module.web.x", 1),
        ("x = { a = [1] }", "module.web.x.a[0]", 1),
        ("x = 1", "module.web.id", Unknown("module.web.thing.inner.id", present=True)),
        ("x = 1", "module.web.none", UNKNOWN),
        ("x = 1", "module.none.x", UNKNOWN),
        ("x = 1", "module.web", UNKNOWN),
        ("x = var.free", "module.web.x", UNKNOWN),
        ("x = module.web.x", "module.web.x", UNKNOWN),
        ("for_each = { a = 1, b = 2 }\nx = each.value", 'module.web["b"].x', 2),
        ("for_each = { a = 1 }\nx = each.key", "module.web.a.x", "a"),
        ('for_each = toset(["a"])\nx = each.value', 'module.web["a"].x', "a"),
        ("for_each = { a = 1 }\nx = 1", 'module.web["c"].x', Unknown("module.web.x")),
        ("for_each = var.free\nx = 1", 'module.web["a"].x', Unknown("module.web.x")),
        ("count = 2\nx = count.index", "module.web[1].x", 1),
        ("count = 0\nx = 1", "module.web[0].x", Unknown("module.web.x")),
    ],
)
def test_an_output_has_the_value_of_the_called_module(call: str, wanted: str, expected: Value) -> None:
    assert called(call, wanted) == expected


@pytest.mark.parametrize(
    ("call", "addresses"),
    [
        ("", ["module.web.thing.inner"]),
        ('for_each = toset(["a", "b"])', ['module.web["a"].thing.inner', 'module.web["b"].thing.inner']),
        ("for_each = var.free", ["module.web[*].thing.inner"]),
        ("count = 2", ["module.web[0].thing.inner", "module.web[1].thing.inner"]),
        ("count = 0", []),
    ],
)
def test_a_module_has_an_instance_for_each_key_or_count(call: str, addresses: list[str]) -> None:
    text = f'variable "free" {{}}\nmodule "web" {{\n  source = "../modules/web"\n  {call}\n}}\n'
    found: Mapping[str, object] = values({"modules/web/main.tf": WEB, "stack/main.tf": text})
    assert [address for address in found if address != "module.web"] == addresses


def test_resources_with_for_each_have_keys() -> None:
    text = """
resource "log" "web" {
  for_each = toset(["a", "b"])
  name     = each.key
}

resource "thing" "this" {
  one  = log.web["a"].name
  none = try(log.web["c"].name, "none")
  arns = [for log in log.web : log.arn]
  keys = keys(log.web)
}
"""
    assert values({"stack/main.tf": text})["thing.this"] == {
        "one": "a",
        "none": "none",
        "arns": [Unknown('log.web["a"].arn', present=True), Unknown('log.web["b"].arn', present=True)],
        "keys": ["a", "b"],
    }
