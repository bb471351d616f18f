"""Plans as text and as a pull request comment in Markdown, with hostile addresses and values."""

import re

import pytest

from fleetform.reports.markdown import LIMIT
from fleetform.terraform.plan.markdown import comment
from fleetform.terraform.plan.messages import details, difference
from fleetform.terraform.plan.models import Action, Change, Difference, StackPlan
from tests.terraform.plan import recorded

HOSTILE = '</code> | **x** [a](http://b) @team #1 `y` <img> ```\n| \x1b[2J "]'
FLEET = """\
-/+ aws_db_instance.orders: replaced (old one destroyed first), because identifier and subnets[0].id force it
        endpoint: null -> (known after apply)
        identifier: "orders" -> "shop-orders"
        password: (sensitive) -> (sensitive)
  - module.discovery.aws_service_discovery_service.this["orders"] (deposed 0a1b2c3d): destroyed
-/+ module.orders.aws_ecs_service.this: replaced (old one destroyed first), because launch_type forces it,\
 and it is tainted, moved from module.order.aws_ecs_service.this
        launch_type: "EC2" -> "FARGATE"
+/- module.orders.aws_ecs_task_definition.this: replaced (new one first), because container_definitions\
 forces it
        container_definitions: …ernal:8080"}],"image":"orders:1","name":"orders"}] ->\
 …ernal:8080"}],"image":"orders:2","name":"orders"}]
  ~ module.web.aws_ecs_service.this: changed in place, imported by shop/web
        desired_count: 1 -> 2
        network: [{"key": "(sensitive)", "groups": ["sg-1"], "public": false}] ->\
 [{"key": "(sensitive)", "public": false, "groups": "(known after apply)"}]
outputs
    made: null -> {"url": "http://web"}
changed outside of Terraform
      ~ module.web.aws_ecs_service.this: changed in place
            desired_count: 3 -> 1
"""
RECORDED = """\
 <= data.terraform_remote_state.read: read during the apply
+/- terraform_data.anew: replaced (new one first), because triggers_replace forces it
        id: "id-1" -> (known after apply)
        triggers_replace: {"v": 1} -> {"v": 2}
  . terraform_data.forgotten: removed from the state, and kept
  - terraform_data.gone: destroyed, because its block was removed
  + terraform_data.made: created
    terraform_data.new_name: moved from terraform_data.old_name
-/+ terraform_data.replaced: replaced (old one destroyed first), because triggers_replace forces it
        id: "id-5" -> (known after apply)
        output: "a" -> (known after apply)
        triggers_replace: ["one"] -> ["two"]
  ~ terraform_data.secret: changed in place
        input: (sensitive) -> (sensitive)
        output: "old" -> (known after apply)
    terraform_data.taken: imported by taken-id
  ~ terraform_data.updated: changed in place
        input: {"cpu": 256, "keep": 1} -> {"cpu": 512, "keep": 1}
        output: {"cpu": 256, "keep": 1} -> (known after apply)
outputs
    token: (sensitive) -> (sensitive)
    url: "http://a" -> (known after apply)
"""


def hostile() -> StackPlan:
    """Return a plan in which every text tries to break out of its cell or code block."""
    change = Change(
        f'aws_ecr_repository.this["{HOSTILE}"]',
        "aws_ecr_repository",
        Action.REPLACE,
        forced_by=(f'tags["{HOSTILE}"]',),
        moved_from=HOSTILE,
        imported=HOSTILE,
        differences=(Difference(HOSTILE, HOSTILE, [HOSTILE]),),
    )
    return StackPlan("foundation", (change,), (Difference(HOSTILE, HOSTILE, None),), (change,))


def many(stack: str, count: int, width: int = 1) -> StackPlan:
    """Return a plan that destroys many resources with long names."""
    return StackPlan(
        stack, tuple(Change(f"a[{at}]" + "x" * width, "aws_eip", Action.DELETE) for at in range(count))
    )


def test_every_change_is_listed_with_its_values() -> None:
    assert "".join(f"{line}\n" for line in details(recorded.recorded())) == RECORDED
    assert "".join(f"{line}\n" for line in details(recorded.fleet())) == FLEET


def test_a_comment_has_a_table_the_risks_and_all_changes_folded() -> None:
    assert comment("prod", [recorded.fleet(), recorded.recorded(), StackPlan("payments")], ["later"]) == (
        f"""\
<!-- fleetform plan -->
### Plan of <code>prod</code>

| stack | add | change | replace | destroy | import | move | forget | risk |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| <code>foundation</code> | 0 | 1 | 3 | 1 | 1 | 1 | 0 | **high** |
| <code>services</code> | 1 | 2 | 2 | 1 | 1 | 1 | 1 | - |
| <code>payments</code> | 0 | 0 | 0 | 0 | 0 | 0 | 0 | - |

| risk | stack | what | why it matters |
| --- | --- | --- | --- |
| **high** | <code>foundation</code> | <code>aws&#95;db&#95;instance.orders</code><br>replaced (old one\
 destroyed first), because identifier and subnets&#91;0&#93;.id force it | its data is lost, except in\
 snapshots |
| **high** | <code>foundation</code> | <code>module.discovery.aws&#95;service&#95;discovery&#95;service.this\
&#91;"orders"&#93; (deposed 0a1b2c3d)</code><br>destroyed | callers cannot find the service until its tasks\
 register again |
| **medium** | <code>foundation</code> | <code>module.orders.aws&#95;ecs&#95;service.this</code><br>replaced\
 (old one\
 destroyed first), because launch&#95;type forces it, and it is tainted,\
 moved from module.order.aws&#95;ecs&#95;service.this\
 | its tasks stop, and calls fail until new ones run |

Planned after foundation is applied: <code>later</code>.

<details><summary><code>foundation</code>: 5 resources</summary>

```text
{FLEET}```

</details>

<details><summary><code>services</code>: 10 resources</summary>

```text
{RECORDED}```

</details>
"""
    )


def test_hostile_text_stays_in_its_cell_and_code_block() -> None:
    text = comment("prod", [hostile()])
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert [len(re.findall(r"\|", row)) for row in rows] == [9, 9, 9, 5, 5, 5]
    assert re.sub(r"<(code|/code|br|!-- --)>", "", rows[-1]).count("<") == 0
    assert re.findall(r"@team|#1\b|\x1b|\*\*x|`", rows[-1]) == []
    opening, *body, closing = text.partition("</summary>\n\n")[2].partition("\n\n</details>")[0].splitlines()
    assert opening == "````text"
    assert closing == "````"
    assert [line for line in body if line.startswith("```") or not line.isprintable()] == []


@pytest.mark.parametrize(
    "found",
    [
        [many("services", 3000)],
        [many("services", 20, 5000)],
        [many(f"group-{number}", 40) for number in range(100)],
        [many(f"group-{number}", 1) for number in range(3000)],
        [StackPlan("services", (Change("`" * 40_000, "aws_eip", Action.DELETE),))],
    ],
    ids=["many changes", "long names", "many stacks", "too many stacks", "a giant fence"],
)
def test_a_comment_stays_below_githubs_limit(found: list[StackPlan]) -> None:
    text = comment("prod", found)
    assert len(text) <= LIMIT
    assert "`invoke plan --details` shows everything.*\n" in text
    assert text.count("<details>") == text.count("</details>")


def test_omitted_lines_are_counted() -> None:
    text = comment("prod", [many("services", 3000)])
    rows, lines = text.count("| **high** | <code>services</code> |"), text.count(": destroyed\n")
    assert re.findall(r"\*Omitted: (.*)\. ", text) == [
        f"{3000 - rows} rows",
        f"{3000 - lines} lines of <code>services</code>",
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, True, "a: null -> true"),
        ("x\ny", "(sensitive)", 'a: "x\\ny" -> (sensitive)'),
        ("\x1b]0;title\x07", "é", 'a: "\\u001b]0;title\\u0007" -> "é"'),
        ("[\x1b[2J", None, "a: [\\x1b[2J -> null"),
        ({"Statement": []}, '{"Statement": []}', 'a: {"Statement": []} -> {"Statement": []}'),
        ("a" * 200, "b", f'a: "{"a" * 99}… -> "b"'),
        ("a" * 200, "a" * 150 + "b", f'a: …{"a" * 80}" -> …{"a" * 30}b"'),
    ],
)
def test_a_difference_is_one_line_around_the_first_difference(
    before: object, after: object, expected: str
) -> None:
    assert difference(Difference("a", before, after)) == expected
