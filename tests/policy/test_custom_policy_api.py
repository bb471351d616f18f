"""Custom policies that were written for an earlier version still work."""

from pathlib import Path

import pytest

from fleetform.hcl.eval import resource_view
from fleetform.hcl.eval import values as hcl_values
from fleetform.policy import requirements, rule, team, trial, values, view

EARLIER = '''\
"""Rules for databases."""

from collections.abc import Iterator

from fleetform.policy.requirements import require
from fleetform.policy.rule import Facts, Fault, Severity, Undecided, rule
from fleetform.policy.view import Resource


@rule(
    "ACME001",
    "Every database has a backup plan.",
    "aws_db_instance",
    severity=Severity.HIGH,
    why="Backup plans select databases by the tag `backup`.",
    link="https://wiki.example.com/backups",
    good='resource "aws_db_instance" "this" {\\n  tags = { backup = "daily" }\\n}\\n',
    bad='resource "aws_db_instance" "this" {\\n  tags = { team = "payments" }\\n}\\n',
)
def databases_are_backed_up(resource: Resource, _: Facts) -> Iterator[Fault | Undecided]:
    fault = Fault("it has no backup plan", 'set tags = { backup = "daily" }', ("tags", "backup"))
    yield from require(resource, ("daily", "weekly"), fault)
'''


def test_a_rule_with_the_earlier_class_name_works_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/databases.py").write_text(EARLIER, encoding="utf-8")
    with pytest.warns(
        DeprecationWarning, match=r"^`Fault` is deprecated: import `Violation` from fleetform.policy.rule$"
    ):
        (declared,) = team.rules(tmp_path).values()
    assert trial.mistakes(declared) == []


def test_the_earlier_class_name_is_an_alias() -> None:
    with pytest.warns(DeprecationWarning, match="Violation"):
        assert rule.Fault is rule.Violation


def test_the_earlier_trial_function_is_an_alias() -> None:
    with pytest.warns(
        DeprecationWarning, match=r"^`judged` is deprecated: import `check_text` from fleetform.policy.trial$"
    ):
        assert trial.judged is trial.check_text


@pytest.mark.parametrize("module", [rule, trial])
def test_other_names_are_unknown(module: object) -> None:
    with pytest.raises(AttributeError, match=r"^module 'fleetform.policy.\w+' has no attribute 'nowhere'$"):
        module.nowhere  # type: ignore[attr-defined] # noqa: B018 - looked up for the error


def test_the_view_has_its_earlier_import_path() -> None:
    assert view.Resource is resource_view.Resource
    assert view.View is resource_view.View


def test_unknown_values_have_their_earlier_import_path() -> None:
    assert values.Unknown is hcl_values.Unknown
    assert values.UNKNOWN is hcl_values.UNKNOWN


def test_requirements_keep_their_names() -> None:
    assert all(
        hasattr(requirements, name) for name in ("FALSE", "TRUE", "number", "require", "require_present")
    )
