"""Objects whose entries are only partly known."""

import pytest

from fleetform.hcl.eval.values import MAYBE, UNKNOWN, Value

from .examples import view

OBJECT = "{ for key, value in { a = 1, b = var.free, c = null } : key => value if value != null }"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (OBJECT, {"a": 1, "b": MAYBE}),
        (f"jsonencode([{OBJECT}])", [{"a": 1, "b": MAYBE}]),
        (f"{OBJECT}.a", 1),
        (f"{OBJECT}.b", MAYBE),
        (f"{OBJECT}.b.c", UNKNOWN),
        (f"length({OBJECT})", UNKNOWN._replace(present=True)),
        (f"keys({OBJECT})", UNKNOWN),
        (f"merge({OBJECT}, {{}})", UNKNOWN),
        (f"[for key, value in {OBJECT} : key]", UNKNOWN),
        (f"{{ for key, value in {OBJECT} : key => 2 }}", {"a": 2, "b": MAYBE}),
        (f"{{ for key, value in {OBJECT} : value => key... }}", UNKNOWN),
    ],
)
def test_an_entry_that_may_be_absent_leaves_the_others_known(expression: str, expected: Value) -> None:
    (found,) = view(f'variable "free" {{}}\nresource "thing" "this" {{\n  x = {expression}\n}}\n').resources
    assert found.values["x"] == expected


def test_the_resources_of_such_entries_are_unknown() -> None:
    found = view(f'variable "free" {{}}\nresource "thing" "this" {{\n  for_each = {OBJECT}\n}}\n').resources
    assert [resource.address for resource in found] == ["thing.this[*]"]
