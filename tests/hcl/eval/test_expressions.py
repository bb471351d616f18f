"""Expressions with unknown parts: nothing is guessed. Known values are compared with Terraform elsewhere."""

from typing import Any

import pytest

from fleetform.hcl.eval.values import INVALID, PRESENT, UNKNOWN, Unknown, Value
from tests.policy.stacks import argument

ID = Unknown("thing.this.id", present=True)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("var.free + 1", UNKNOWN),
        ("var.free > 1", UNKNOWN),
        ("-var.free", UNKNOWN),
        ("!var.free", UNKNOWN),
        ("var.free == 1", UNKNOWN),
        ("var.free == null", UNKNOWN),
        ("thing.this.id == null", False),
        ("thing.this.id != null", True),
        ("thing.this.name != null", UNKNOWN),
        ("[var.free] == []", UNKNOWN),
        ("var.free && false", False),
        ("false && var.free", False),
        ("var.free && true", UNKNOWN),
        ("var.free || true", True),
        ("var.free || false", UNKNOWN),
        ("var.free ? 1 : 1", UNKNOWN),
        ("true ? 1 : var.free", 1),
        ("false ? 1 : var.free", UNKNOWN),
        ("true ? [var.free] : []", [UNKNOWN]),
        ("true ? { a = var.free, b = 1 } : null", {"a": UNKNOWN, "b": 1}),
        ("[var.free, 1]", [UNKNOWN, 1]),
        ("{ a = var.free }", {"a": UNKNOWN}),
        ("{ (var.free) = 1 }", UNKNOWN),
        ("[for x in var.free : x]", UNKNOWN),
        ("[for x in [var.free, 1] : x]", [UNKNOWN, 1]),
        ("[for x in [1, 2] : x if var.free]", UNKNOWN),
        ("[for x in toset([var.free, 1]) : x]", UNKNOWN),
        ("{ for x in [1] : var.free => x }", UNKNOWN),
        ("{ for x in [1] : x => var.free }", {"1": UNKNOWN}),
        ("var.free[*].id", UNKNOWN),
        ("thing.this[*].id", [ID]),
        ("[var.free][*].a", [UNKNOWN]),
        ("[1, 2][var.free]", UNKNOWN),
        ("var.free[0]", UNKNOWN),
        ("{ a = 1 }[var.free]", UNKNOWN),
        ("thing.this.names[0]", Unknown("thing.this.names[0]")),
        ('thing.this.names["a b"]', Unknown('thing.this.names["a b"]')),
        ('"${var.free}"', UNKNOWN),
        ('"a${var.free}"', PRESENT),
        ('"${thing.this.id}"', ID),
        ("jsonencode({ a = var.free })", {"a": UNKNOWN}),
        ('"x${jsonencode({ a = var.free })}"', PRESENT),
        ('jsonencode({ a = 1 }) == "{\\"a\\":1}"', True),
        ("upper(var.free)", PRESENT),
        ("tostring(var.free)", UNKNOWN),
        ("length(var.free)", PRESENT),
        ("length([var.free])", 1),
        ("length(toset([var.free]))", 1),
        ("length(toset([var.free, 1]))", PRESENT),
        ("length({ a = var.free })", 1),
        ("concat([var.free], [1])", [UNKNOWN, 1]),
        ("concat(var.free, [1])", UNKNOWN),
        ("merge({ a = 1 }, var.free)", UNKNOWN),
        ("merge({ a = var.free }, { b = 1 })", {"a": UNKNOWN, "b": 1}),
        ("flatten([[var.free]])", UNKNOWN),
        ("contains([var.free, 1], 1)", True),
        ("contains([var.free], 1)", UNKNOWN),
        ("contains([1], var.free)", UNKNOWN),
        ("distinct([var.free])", UNKNOWN),
        ("sort([var.free])", UNKNOWN),
        ("join(var.free, [])", PRESENT),
        ("keys({ a = var.free })", ["a"]),
        ("values({ a = var.free })", [UNKNOWN]),
        ('lookup({ a = var.free }, "a", 1)', UNKNOWN),
        ('lookup({ a = var.free }, "b", 1)', UNKNOWN),
        ('toset([var.free, "b", "a"])', ["a", "b", UNKNOWN]),
        ("tolist([var.free, 1])", [UNKNOWN, 1]),
        ("setunion([var.free], [1])", UNKNOWN),
        ("coalesce(var.free, 1)", UNKNOWN),
        ("coalesce(null, thing.this.id)", ID),
        ('coalesce("a", var.free)', "a"),
        ("try(var.free, 1)", UNKNOWN),
        ("try(var.free.a, 1)", UNKNOWN),
        ("try({}.a, var.free)", UNKNOWN),
        ("try(1, var.free)", 1),
        ("can(var.free)", UNKNOWN),
        ("max(1, var.free)", UNKNOWN),
        ("max(var.free...)", UNKNOWN),
        ("f(1)", UNKNOWN),
        ('templatefile("x", {})', UNKNOWN),
        ("{}.a", INVALID),
        ("null.a", INVALID),
        ("var.name.a", INVALID),
    ],
)
def test_nothing_unknown_is_guessed(expression: str, expected: Value) -> None:
    assert argument(expression) == expected


def test_values_that_are_equal_in_python_may_differ_in_terraform() -> None:
    found: Any = argument("[1 == true, contains([true], 1), 0 == false, distinct([1, 1.0])]")
    assert found == [False, False, False, [1]]
    assert [type(value) for value in found] == [bool, bool, bool, list]
