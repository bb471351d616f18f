"""The phases of a foundation's plan: what is added before the services, and what is removed after them."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fleetform.terraform import installation
from fleetform.terraform.commands import Terraform
from fleetform.terraform.plan import models
from fleetform.terraform.plan.models import Action, Change, StackPlan
from fleetform.terraform.plan.phases import Arrangement, Phase, arrange, is_within, phase_of
from fleetform.terraform.plan.summary import Summary
from fleetform.terraform.plan.targeting import without_warnings

NOTHING = Summary()
RULE = 'module.security.aws_vpc_security_group_ingress_rule.this["web->{}:8080"]'


def entry(address: str, *actions: str, depends_on: tuple[str, ...] = (), **others: object) -> dict[str, Any]:
    kind = address.replace("data.", "").partition("[")[0].split(".")[-2]
    return {
        "address": address,
        "mode": "data" if "data." in address else "managed",
        "type": kind,
        "change": {"actions": list(actions)},
        "depends_on": depends_on,
        **others,
    }


def document(*entries: dict[str, Any], outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A plan of `module.security`, which has a data source too."""
    blocks = {each["address"].partition("[")[0].removeprefix("module.security.") for each in entries}
    return {
        "resource_changes": entries,
        "output_changes": outputs or {},
        "prior_state": {"values": {"root_module": {"child_modules": [{"resources": entries}]}}},
        "configuration": {
            "root_module": {
                "module_calls": {
                    "security": {
                        "module": {
                            "resources": [
                                {"address": "data.aws_region.current", "mode": "data"},
                                *({"address": block, "mode": "managed"} for block in sorted(blocks)),
                            ]
                        }
                    }
                }
            }
        },
    }


def arranged(shown: dict[str, Any]) -> Arrangement:
    return arrange(models.read("foundation", shown), NOTHING, shown)


GROUP = 'module.security.aws_security_group.this["{}"]'


def test_what_is_removed_waits_and_everything_else_is_targeted() -> None:
    shown = document(
        entry(GROUP.format("web"), "no-op"),
        entry(GROUP.format("new"), "create"),
        entry(GROUP.format("old"), "delete"),
        entry(RULE.format("old"), "delete"),
        entry('module.security.aws_vpc_endpoint.this["logs"]', "update"),
    )
    found = arranged(shown)
    assert found.targets == (
        GROUP.format("new"),
        "module.security.aws_vpc_endpoint.this",
        'module.security.aws_vpc_security_group_ingress_rule.this["fleetform-none"]',
        "module.security.data.aws_region.current",
    )
    assert found.changes.later == (GROUP.format("old"), RULE.format("old"))
    phases = [phase_of(found.changes, change) for change in found.changes.changes]
    assert phases == [Phase.ADD, Phase.REMOVE, Phase.REMOVE, Phase.ADD]


def test_a_block_that_only_loses_instances_is_targeted_by_one_that_stays() -> None:
    shown = document(
        entry(GROUP.format("web"), "no-op"),
        entry(GROUP.format("old"), "delete"),
        entry(RULE.format("new"), "create"),
    )
    assert arranged(shown).targets == (
        GROUP.format("web"),
        "module.security.aws_vpc_security_group_ingress_rule.this",
        "module.security.data.aws_region.current",
    )


def test_a_foundation_that_only_adds_has_one_plan() -> None:
    shown = document(entry(GROUP.format("new"), "create"))
    found = arranged(shown)
    assert (found.is_split, found.goes_last, found.changes.later) == (False, False, ())


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"ids": {"actions": ["update"], "before": {"a": 1, "b": 2}, "after": {"a": 1}}},
        {"url": {"actions": ["delete"], "before": "https://a", "after": None}},
    ],
    ids=["no outputs", "entries are lost", "an output is lost"],
)
def test_a_foundation_that_only_loses_goes_last(outputs: dict[str, Any]) -> None:
    found = arranged(document(entry(GROUP.format("old"), "delete"), outputs=outputs))
    assert (found.is_split, found.goes_last) == (False, True)


@pytest.mark.parametrize(
    "output",
    [
        {"actions": ["update"], "before": ["a", "b"], "after": ["a"]},
        {"actions": ["update"], "before": {"a": 1, "b": 2}, "after": {"a": 2}},
        {"actions": ["update"], "before": {"a": 1}, "after": {}, "after_unknown": {"a": True}},
    ],
    ids=["a list", "a value", "an unknown value"],
)
def test_outputs_that_services_may_need_change_before_the_removals(output: dict[str, Any]) -> None:
    found = arranged(document(entry(GROUP.format("old"), "delete"), outputs={"subnet_ids": output}))
    assert found.is_split


def test_a_dashboard_changes_with_the_removals() -> None:
    shown = document(
        entry("module.security.aws_cloudwatch_dashboard.this", "update"),
        entry(GROUP.format("old"), "delete"),
    )
    assert arranged(shown).goes_last


def test_what_depends_on_a_replaced_resource_does_not_wait() -> None:
    namespace = "module.security.aws_service_discovery_private_dns_namespace.this"
    shown = document(
        entry(namespace, "delete", "create"),
        entry('module.security.aws_service_discovery_service.this["old"]', "delete", depends_on=(namespace,)),
        entry(GROUP.format("old"), "delete"),
    )
    assert arranged(shown).changes.later == (GROUP.format("old"),)


def test_both_ends_of_a_move_are_targeted() -> None:
    shown = document(
        entry(GROUP.format("new"), "no-op", previous_address="module.security.aws_security_group.before"),
        entry(GROUP.format("old"), "delete"),
        entry(RULE.format("new"), "create"),
    )
    assert arranged(shown).targets == (
        "module.security.aws_security_group.before",
        GROUP.format("new"),
        "module.security.aws_vpc_security_group_ingress_rule.this",
        "module.security.data.aws_region.current",
    )


def test_other_changes_than_the_approved_ones_are_noticed() -> None:
    approved = StackPlan("foundation", (Change("a.b", "a", Action.DELETE),))
    assert is_within([Change("a.b", "a", Action.DELETE)], approved)
    assert not is_within([Change("a.b", "a", Action.REPLACE)], approved)
    assert not is_within([Change("a.c", "a", Action.DELETE)], approved)


BEFORE = """
module "security" {
  source = "./security"
  groups = ["web", "old"]
  rules  = { "web->old:80" = "old" }
}

resource "terraform_data" "block" {}
"""
AFTER = """
module "security" {
  source = "./security"
  groups = ["web", "new"]
  rules  = {}
}
"""
OUTPUTS = """
output "groups" {
  value = module.security.groups
}

output "rules" {
  value = module.security.rules
}
"""
MODULE = """
variable "groups" {
  type = set(string)
}

variable "rules" {
  type = map(string)
}

resource "terraform_data" "group" {
  for_each = var.groups
  input    = each.key
}

resource "terraform_data" "rule" {
  for_each = var.rules
  input    = terraform_data.group[each.value].id
}

output "groups" {
  value = sort([for key in var.groups : terraform_data.group[key].input])
}

output "rules" {
  value = { for key in keys(var.rules) : key => terraform_data.rule[key].id }
}
"""


def test_terraform_adds_without_removing_and_updates_the_outputs(tmp_path: Path) -> None:
    """With the real Terraform: its rules of what a target includes decide the design."""
    (tmp_path / "security").mkdir()
    (tmp_path / "security" / "main.tf").write_text(MODULE)
    (tmp_path / "outputs.tf").write_text(OUTPUTS)
    terraform = Terraform(installation.find_program(), tmp_path)
    plan = tmp_path / "foundation.tfplan"

    def run(argv: list[str]) -> str:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 2), done.stderr
        return done.stdout

    def show() -> Any:  # noqa: ANN401 - JSON
        return json.loads(run(terraform.show(plan)))

    def actions(shown: dict[str, Any]) -> dict[str, str]:
        changes = models.read("foundation", shown).changes
        return {change.address: change.action for change in changes}

    (tmp_path / "main.tf").write_text(BEFORE)
    run(terraform.init(backend=False))
    run(terraform.plan(plan))
    run(terraform.apply(plan))
    (tmp_path / "main.tf").write_text(AFTER)
    run(terraform.plan(plan))
    shown = show()
    found = arranged(shown)
    run(terraform.plan(plan, targets=found.targets))
    assert actions(show()) == {'module.security.terraform_data.group["new"]': "create"}
    run(terraform.apply(plan))
    outputs = [json.loads(run(terraform.output(name))) for name in ("groups", "rules")]
    assert outputs == [["new", "web"], {}]
    run(terraform.plan(plan))
    assert actions(show()) == dict.fromkeys(found.changes.later, "delete")


WARNED = """foundation: Creation complete
╷
│ Warning: Resource targeting is in effect
│
│ You are creating a plan with the -target option, which means that the result
╵
╷
│ Warning: Deprecated
╵

Warning: Applied changes may be incomplete

The plan was created with the -target option in effect, so some changes

Apply complete! Resources: 2 added, 0 changed, 0 destroyed.
"""


def test_warnings_about_targets_are_left_out() -> None:
    lines: list[str] = []
    write = without_warnings(lines.append)
    for line in WARNED.splitlines():
        write(line)
    assert lines == [
        "foundation: Creation complete",
        "╷",
        "│ Warning: Deprecated",
        "╵",
        "",
        "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.",
    ]
