"""What `invoke plan` tells of plans that are read: on a screen, to scripts, in a file, by its exit code."""

import io
import json
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.cli.plans import OutputOptions, document, print_plans, show, show_drift
from fleetform.cli.screen import Screen
from fleetform.stacks import FOUNDATION
from fleetform.terraform.plan.drift import Drift
from fleetform.terraform.plan.markdown import comment
from fleetform.terraform.plan.models import Action, Change, Difference, StackPlan
from fleetform.terraform.plan.summary import Summary
from fleetform.validation.loading import load
from fleetform.workflow.apply import terraform
from fleetform.workflow.workspace import Workspace
from tests import small_project
from tests.terraform.plan import recorded

LOST = Change(
    "aws_lb.this",
    "aws_lb",
    Action.REPLACE,
    forced_by=("name",),
    differences=(Difference("name", "old\x1b[2J", "new"),),
)
MADE = Change("aws_eip.this", "aws_eip", Action.CREATE)
CALM = StackPlan("payments", (MADE,), (Difference("token", "(sensitive)", "(sensitive)"),))
PLANS = [StackPlan("foundation", (LOST,), drift=(MADE,)), CALM]


def shown(*, terminal: bool, with_details: bool = False) -> str:
    text = io.StringIO()
    colors: Literal["standard", "auto"] = "standard" if terminal else "auto"
    console = Console(
        file=text, width=120, highlight=False, force_terminal=terminal, no_color=False, color_system=colors
    )
    show(Screen(console), PLANS, with_details=with_details)
    return text.getvalue()


TABLE = """
stack       add  change  replace  destroy  risk
foundation    0       0        1        0  high
payments      1       0        0        0  -\x20\x20\x20

high foundation: aws_lb.this: replaced (old one destroyed first), because name forces it
  its DNS name is lost, and records that point to it break
"""


DETAILS = """
foundation
-/+ aws_lb.this: replaced (old one destroyed first), because name forces it
        name: "old\\u001b[2J" -> "new"
changed outside of Terraform
      + aws_eip.this: created

payments
  + aws_eip.this: created
outputs
    token: (sensitive) -> (sensitive)
"""


def test_a_log_gets_aligned_columns_and_what_is_risky() -> None:
    assert shown(terminal=False) == TABLE


def test_details_are_every_change_of_every_stack() -> None:
    assert shown(terminal=False, with_details=True) == TABLE + DETAILS


def test_drift_is_shown_beside_what_is_not_applied_yet() -> None:
    text = io.StringIO()
    drifts = [Drift("foundation", (MADE,), (LOST,)), Drift("payments", (), ())]
    show_drift(Screen(Console(file=text, highlight=False)), drifts)
    assert text.getvalue() == (
        "\n"
        "stack       changed outside  not applied yet\n"
        "foundation                1                1\n"
        "payments                  0                0\n"
        "\nfoundation: changed outside\n"
        "  + aws_eip.this: created\n"
        "\nfoundation: not applied yet\n"
        "-/+ aws_lb.this: replaced (old one destroyed first), because name forces it\n"
        '        name: "old\\u001b[2J" -> "new"\n'
    )


def test_a_terminal_gets_what_is_lost_in_red() -> None:
    red = [line for line in shown(terminal=True).splitlines() if "\x1b[1;31mhigh" in line]
    assert [line.split("\x1b")[0].split() for line in red] == [["foundation", "0", "0", "1", "0"], []]


def test_an_address_moves_no_cursor() -> None:
    text = io.StringIO()
    change = Change("a\x1b[2J\n[red]b", "aws_eip", Action.DELETE)
    show(Screen(Console(file=text, highlight=False)), [StackPlan("services", (change,))], with_details=False)
    assert text.getvalue().splitlines()[4] == "high services: a\\x1b[2J\\n[red]b: destroyed"


def test_a_destroy_of_everything_shows_all_high_risks_and_counts_most_medium_ones() -> None:
    text = io.StringIO()
    services = [
        Change(f"aws_ecs_service.s{number}", "aws_ecs_service", Action.DELETE) for number in range(20)
    ]
    lost = [Change(f"aws_lb.b{number}", "aws_lb", Action.DELETE) for number in range(10)]
    plan = StackPlan("services", (*services, *lost))
    show(Screen(Console(file=text, highlight=False)), [plan], with_details=False)
    lines = text.getvalue().splitlines()
    assert [line.split(":")[1].strip() for line in lines if line.startswith("high")] == [
        f"aws_lb.b{number}" for number in range(10)
    ]
    assert sum(line.startswith("medium") for line in lines) == 8
    assert lines[-1] == "12 more medium risks"


def test_a_script_gets_a_document_of_a_version() -> None:
    assert document("prod", PLANS[:1], ["services"]) == {
        "version": 1,
        "environment": "prod",
        "stacks": [
            {
                "stack": "foundation",
                "counts": {
                    "add": 0,
                    "change": 0,
                    "replace": 1,
                    "destroy": 0,
                    "import": 0,
                    "move": 0,
                    "forget": 0,
                    "restart": 0,
                },
                "risk": "high",
                "changes": [
                    {
                        "address": "aws_lb.this",
                        "type": "aws_lb",
                        "action": "replace",
                        "created_first": False,
                        "moved_from": "",
                        "imported": "",
                        "forced_by": ("name",),
                        "reason": "",
                        "differences": ({"name": "name", "before": "old\x1b[2J", "after": "new"},),
                        "restarts": False,
                        "phase": "add",
                        "risk": {
                            "level": "high",
                            "why": "its DNS name is lost, and records that point to it break",
                        },
                    }
                ],
                "stale": False,
                "outputs": [],
                "drift": [
                    {
                        "address": "aws_eip.this",
                        "type": "aws_eip",
                        "action": "create",
                        "created_first": False,
                        "moved_from": "",
                        "imported": "",
                        "forced_by": (),
                        "reason": "",
                        "differences": (),
                        "restarts": False,
                        "risk": None,
                    }
                ],
            }
        ],
        "waiting": ["services"],
    }


def test_a_file_gets_the_markdown_although_the_plan_fails(tmp_path: Path) -> None:
    file = tmp_path / "plan.md"
    with pytest.raises(CheckFailedError):
        print_plans("prod", PLANS, ["later"], OutputOptions(out=str(file), fail_on="replace"))
    assert file.read_text(encoding="utf-8") == comment("prod", PLANS, ["later"])


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        print_plans("prod", PLANS, [], OutputOptions(out=str(tmp_path)))
    assert str(caught.value) == f"--out {tmp_path}: Is a directory; name a file that can be written"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("risk", "foundation: aws_lb.this replaced (old one destroyed first), because name forces it"),
        (
            "destroy, replace",
            "foundation: aws_lb.this replaced (old one destroyed first), because name forces it",
        ),
        ("add", "payments: aws_eip.this created"),
    ],
)
def test_a_plan_fails_on_the_requested_severity(words: str, expected: str) -> None:
    with pytest.raises(CheckFailedError) as caught:
        print_plans("prod", PLANS, [], OutputOptions(fail_on=words))
    assert str(caught.value) == f"--fail-on {words.replace(' ', '')}: {expected}"


def test_of_many_changes_the_first_are_named() -> None:
    found = [StackPlan("services", tuple(Change(f"a.b[{at}]", "a", Action.DELETE) for at in range(7)))]
    with pytest.raises(CheckFailedError) as caught:
        print_plans("prod", found, [], OutputOptions(fail_on="destroy"))
    named = "; ".join(f"services: a.b[{at}] destroyed" for at in range(5))
    assert str(caught.value) == f"--fail-on destroy: {named}; and 2 more"


@pytest.mark.parametrize("words", ["", "change", "destroy,change"])
def test_a_plan_without_such_a_change_does_not_fail(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_plans("prod", PLANS, [], OutputOptions(fail_on=words))
    assert capsys.readouterr().out == TABLE


def test_only_imports_and_moves_fail_nothing_but_have_their_columns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    calm = [
        StackPlan(
            "services",
            tuple(change for change in recorded.recorded().changes if change.action == Action.NONE),
        )
    ]
    print_plans("prod", calm, [], OutputOptions(fail_on="add,change,replace,destroy,risk"))
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        [],
        ["stack", "add", "change", "replace", "destroy", "import", "move", "risk"],
        ["services", "0", "0", "0", "0", "1", "1", "-"],
    ]


def test_another_word_is_refused_with_what_was_meant() -> None:
    with pytest.raises(InputError) as caught:
        OutputOptions(fail_on="destroy,replcae")
    assert str(caught.value) == "--fail-on: unknown `replcae`; did you mean `replace`?"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (OutputOptions(), False),
        (OutputOptions(fail_on="destroy,risk"), False),
        (OutputOptions(details=True), True),
        (OutputOptions(as_json=True), True),
        (OutputOptions(out="plan.md"), True),
    ],
)
def test_values_are_requested_only_where_they_are_shown(options: OutputOptions, *, expected: bool) -> None:
    assert options.wants_values == expected


SHOWN = StackPlan("foundation", (Change("aws_eip.shown", "aws_eip", Action.CREATE),))
PRINTED = StackPlan("foundation", (Change("aws_eip.printed", "aws_eip", Action.CREATE),))


@pytest.mark.parametrize(
    ("printed", "changes", "values", "expected"),
    [
        (PRINTED, True, False, PRINTED),
        (PRINTED, True, True, SHOWN),
        (None, True, False, SHOWN),
        (None, False, True, StackPlan("foundation")),
    ],
    ids=["the text is enough", "values are asked for", "the text is not enough", "nothing changes"],
)
def test_terraform_is_asked_for_json_only_where_its_text_does_not_do(
    tmp_path: Path, printed: StackPlan | None, *, changes: bool, values: bool, expected: StackPlan
) -> None:
    environment = load(small_project.make(tmp_path).root, "tiny")
    program = tmp_path / "terraform"
    change = {"address": "aws_eip.shown", "type": "aws_eip", "change": {"actions": ["create"]}}
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'resource_changes': [change]})}'\n", encoding="utf-8")
    program.chmod(0o755)
    workspace = Workspace(environment, str(program), tmp_path, tmp_path, {})
    planned = terraform.Plan(FOUNDATION, tmp_path / "foundation.tfplan", Summary(add=1), changes, printed)
    assert terraform.read_changes(workspace, planned, values=values) == expected


def test_a_stack_that_may_change_more_has_a_plus() -> None:
    plans = [StackPlan("foundation"), StackPlan("services", stale=True)]
    stream = io.StringIO()
    show(Screen(Console(file=stream, width=80)), plans, with_details=False)
    assert [line.rstrip() for line in stream.getvalue().splitlines()] == [
        "",
        "stack       add  change  replace  destroy  risk",
        "foundation    0       0        0        0  -",
        "services     0+      0+       0+       0+  -",
    ]
