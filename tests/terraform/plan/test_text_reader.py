"""Plans read from Terraform's text: the same as from its JSON, or None."""

import re
from dataclasses import replace

import pytest

from fleetform.terraform.plain_text import colorless
from fleetform.terraform.plan.models import UNKNOWN, Action, Change, StackPlan
from fleetform.terraform.plan.text_reader import NOT_SHOWN, read
from tests.terraform.plan import recorded

FORCED = """\
Terraform will perform the following actions:

  # module.a["x y"].aws_x.b must be replaced
  # (moved from aws_x.a)
  # (imported from "i d")
-/+ resource "aws_x" "b" {
      ~ document = jsonencode(
          ~ {
              ~ deep = {
                  ~ one = 1 -> 2
                }
            } # forces replacement
        )
      ~ spaced   = jsonencode( # whitespace changes force replacement
            {
                one = 1
            }
        )
      ~ tags     = {
          ~ "a.b" = "c" -> "d" # forces replacement
        }
      ~ text     = <<-EOT
          - old
          + forced = 1 # forces replacement
        EOT -> (known after apply) # forces replacement
      ~ quoted   = "a # forces replacement" -> "b # forces replacement"

      ~ rule "x" {
          ~ ports = [
              - 5, # forces replacement
                # (1 unchanged element hidden)
              + 6, # forces replacement
            ]
          ~ range {
              ~ from = 1 -> 2 # forces replacement
            }
          ~ to    = 1 -> 2
        }
    }

Plan: 1 to import, 1 to add, 0 to change, 1 to destroy.
"""
REPLACED = """\
Terraform will perform the following actions:

  # a.b {what}
{note}{sign} resource "a" "b" {{
      ~ c = 1 -> 2{force}
    }}

Plan: {counts}.
"""


def replaced(
    what: str,
    note: str = "",
    sign: str = "-/+",
    force: str = "",
    counts: str = "1 to add, 0 to change, 1 to destroy",
) -> list[str]:
    return REPLACED.format(what=what, note=note, sign=sign, force=force, counts=counts).splitlines()


def without_values(plan: StackPlan) -> StackPlan:
    """Return a plan with only what its text shows."""
    return replace(plan, changes=tuple(map(_without_values, plan.changes)), outputs=(), drift=())


def _without_values(change: Change) -> Change:
    imported = NOT_SHOWN if change.imported and change.action == Action.NONE else change.imported
    forced_by = tuple(re.sub(r"\[\d+\]", "", path) for path in change.forced_by)
    return replace(change, imported=imported, forced_by=forced_by, differences=())


def test_a_colored_plan_equals_its_json() -> None:
    assert read("services", recorded.printed().splitlines()) == without_values(recorded.pair())


def test_a_plan_without_colors_equals_its_json() -> None:
    assert read("services", map(colorless, recorded.printed().splitlines())) == without_values(
        recorded.pair()
    )


def test_the_phrases_of_opentofu_are_known() -> None:
    text = colorless(recorded.printed())
    for terraform, tofu in {
        "Terraform will perform": "OpenTofu will perform",
        "is tainted, so must be replaced": "is tainted, so it must be replaced",
        " # terraform_data.forgotten will no longer be managed by Terraform, but will not be destroyed": (
            "  # terraform_data.forgotten will be removed from the OpenTofu state but will not be destroyed "
        ),
        " # (destroy = false is set in the configuration)": (
            " (because lifecycle.destroy = false is set in the configuration)"
        ),
        " . resource": "  . resource",
        "to destroy.": "to destroy, 1 to forget.",
    }.items():
        assert text.count(terraform) == 1
        text = text.replace(terraform, tofu)
    assert read("services", text.splitlines()) == without_values(recorded.pair())


def test_paths_of_forcing_attributes_follow_the_indentation() -> None:
    forced_by = ("document", "rule.ports", "rule.range.from", "spaced", "tags.a.b", "text")
    change = Change(
        'module.a["x y"].aws_x.b',
        "aws_x",
        Action.REPLACE,
        moved_from="aws_x.a",
        imported="i d",
        forced_by=forced_by,
    )
    assert read("services", FORCED.splitlines()) == StackPlan("services", (change,))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (replaced("is tainted, so must be replaced"), "it is tainted"),
        (replaced("will be replaced, as requested"), "it was requested"),
        (replaced("will be replaced due to changes in replace_triggered_by"), "of its replace_triggered_by"),
        *(
            (
                replaced(
                    "will be destroyed",
                    f"  # (because {because})\n",
                    "  -",
                    "",
                    "0 to add, 0 to change, 1 to destroy",
                ),
                expected,
            )
            for because, expected in {
                "a.b is not in configuration": "its block was removed",
                "module.x[0] is not in configuration": "its module was removed",
                "a.c was moved to a.b, which is not in configuration": "the block that it moves to is"
                " missing",
                "resource uses count or for_each": "its block's count or for_each changed",
                "resource does not use for_each": "its block's count or for_each changed",
                "index [3] is out of range for count": "its index is beyond the count",
                'key ["a) b"] is not in for_each map': "its key was removed from for_each",
                "enabled is false": "its enabled is false",
            }.items()
        ),
    ],
)
def test_a_reason_is_the_same_as_from_the_json(lines: list[str], expected: str) -> None:
    plan = read("services", lines)
    assert plan
    assert [change.reason for change in plan.changes] == [expected]


def test_an_import_by_an_identity_is_an_import() -> None:
    lines = replaced(
        "will be updated in-place",
        "  # (will be imported first)\n",
        "  ~",
        "",
        "1 to import, 0 to add, 1 to change, 0 to destroy",
    )
    assert read("services", lines) == StackPlan(
        "services", (Change("a.b", "a", Action.UPDATE, imported=UNKNOWN),)
    )


@pytest.mark.parametrize("sign", [" +/.", "  ./+"])
def test_replacing_without_destroying_is_a_creation(sign: str) -> None:
    lines = replaced(
        "must be replaced, but the existing object will not be destroyed",
        " # (destroy = false is set in the configuration)\n",
        sign,
        " # forces replacement",
        "1 to add, 0 to change, 0 to destroy",
    )
    assert read("services", lines) == StackPlan(
        "services", (Change("a.b", "a", Action.CREATE, forced_by=("c",)),)
    )


def test_a_plan_that_only_changes_outputs_has_no_changes() -> None:
    lines = ["", "Changes to Outputs:", '  + url = "Plan: 1 to add, 0 to change, 0 to destroy."']
    assert read("services", lines) == StackPlan("services")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["The following will be done:", "a.b: created"],
        replaced(
            "must be replaced", force=" # forces replacement", counts="1 to add, 0 to change, 0 to destroy"
        ),
        replaced(
            "must be replaced",
            force=" # forces replacement",
            counts="1 to import, 1 to add, 0 to change, 1 to destroy",
        ),
        [
            *replaced("must be replaced", force=" # forces replacement"),
            "Plan: 1 to add, 0 to change, 1 to destroy.",
        ],
        replaced("must be replaced", force=" # forces replacement")[1:],
        replaced("must be replaced", force=" # forces replacement")[:-1],
        replaced("must be replaced"),
        replaced("must be painted", sign="  ?"),
        replaced("was painted", force=" # forces replacement"),
        replaced(
            "must be replaced",
            "  # Warning: this will destroy the imported resource\n",
            force=" # forces replacement",
        ),
        replaced("must be replaced", "  # a.c will be painted\n", force=" # forces replacement"),
        replaced("must be replaced", "and so:\n", force=" # forces replacement"),
        [
            line.replace("    }", "  # (and then)")
            for line in replaced("must be replaced", force=" # forces replacement")
        ],
    ],
    ids=[
        "nothing",
        "other phrases",
        "one more than counted",
        "one less than counted",
        "counts twice",
        "no start",
        "no counts",
        "a replacement without a reason",
        "an unknown sign",
        "an unknown verb",
        "an unknown comment",
        "an address without a block",
        "an unknown line above a block",
        "a comment after a block",
    ],
)
def test_an_unclear_text_is_not_read(lines: list[str]) -> None:
    assert read("services", lines) is None


def test_a_value_is_never_read_as_a_change() -> None:
    lines = replaced("must be replaced", force=" # forces replacement")
    at = lines.index("    }")
    value = [
        "      ~ d = <<-EOT",
        '            resource "a" "c" {',
        "          +   # a.c will be destroyed",
        '          +   - resource "a" "c" {',
        "        EOT",
    ]
    assert read("services", lines[:at] + value + lines[at:]) == read("services", lines)
