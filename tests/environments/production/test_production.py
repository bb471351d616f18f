"""`prod` with all that a service can have is applied, stays as it is, and goes without a trace."""

from tests.environments.production.conftest import Production


def test_a_plan_after_the_apply_is_empty(production: Production) -> None:
    assert production.drifted == {"foundation": False, "services": False}


def test_the_apply_makes_things_of_every_kind(production: Production) -> None:
    assert [kind for kind, found in production.meanwhile.items() if not found - production.before[kind]] == []


def test_the_destroy_leaves_nothing(production: Production) -> None:
    left = {kind: found ^ production.before[kind] for kind, found in production.after.items()}
    assert left == dict.fromkeys(production.before, frozenset())


def test_its_plans_break_no_rule_but_what_a_shell_needs_and_leave_no_answer_open(
    production: Production,
) -> None:
    found = [(finding.rule, finding.address) for finding in production.assessed.findings]
    assert (found, production.assessed.open) == ([("FF042", "module.media.aws_ecs_task_definition.this")], [])
