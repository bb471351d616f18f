"""`prod` with all that a service can have is applied, stays as it is, and goes without a trace."""

from tests.environments.production.conftest import Production


def test_a_plan_after_the_apply_is_empty(production: Production) -> None:
    assert production.drifted == {"foundation": False, "services": False}


def test_the_apply_makes_things_of_every_kind(production: Production) -> None:
    assert [kind for kind, found in production.meanwhile.items() if not found - production.before[kind]] == []


def test_the_destroy_leaves_nothing(production: Production) -> None:
    left = {kind: found ^ production.before[kind] for kind, found in production.after.items()}
    assert left == dict.fromkeys(production.before, frozenset())


def test_its_plans_break_no_rule_and_answer_what_its_text_leaves_open(production: Production) -> None:
    assert (production.assessed.findings, production.assessed.open) == ([], [])
