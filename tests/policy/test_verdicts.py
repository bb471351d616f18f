"""Rules are applied to their resources; answers are sorted into findings, open answers and passes."""

from collections.abc import Iterable, Mapping

from fleetform.base.errors import Position
from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.policy.finding import Finding, OpenAnswer, Stage
from fleetform.policy.rule import Facts, Rule, Severity, Undecided, Violation
from fleetform.policy.verdicts import Verdicts, check_environment, check_resources, environment_rule_types

from .examples import ENVIRONMENT, FACTS, FILE, STACK, view

FAULT = Violation("wrong", "fix it", ("x",))
OPEN = Undecided(("x",))
ANSWERS: Mapping[str, list[Violation | Undecided]] = {"a.good": [], "a.bad": [FAULT, FAULT], "a.open": [OPEN]}
TEXT = (
    'resource "a" "good" {}\nresource "a" "bad" {\n  x = 1\n}\nresource "a" "open" {}\nresource "b"'
    ' "good" {}\n'
)


def of_one(resource: Resource, _: Facts) -> Iterable[Violation | Undecided]:
    return ANSWERS[resource.address]


def of_all(view: View, _: object) -> Iterable[tuple[Resource, Violation | Undecided]]:
    return [(each, answer) for each in view.of("a") for answer in ANSWERS[each.address]]


COMMON = ("Title.", Severity.HIGH, "Why.", frozenset({"a"}), "https://a", "", "")
ONE, ALL = Rule("T1", *COMMON, check=of_one), Rule("T2", *COMMON, check_environment=of_all)
RULES = {"T1": ONE, "T2": ALL}


def expected(rule: str, stage: Stage, passed: int) -> Verdicts:
    found = Finding(Position(FILE, 3, 3), rule, "a.bad", "wrong", "fix it", Severity.HIGH, STACK.name, stage)
    return Verdicts([found, found], [OpenAnswer(rule, STACK.name, "a.open", ("x",))], passed)


def test_resource_rules_check_each_resource_of_their_types() -> None:
    assert check_resources(view(TEXT).resources, RULES, FACTS) == expected("T1", Stage.HCL, passed=1)


def test_environment_rules_run_once() -> None:
    assert check_environment(view(TEXT), RULES, ENVIRONMENT, Stage.PLAN) == expected(
        "T2", Stage.PLAN, passed=1
    )


def test_resources_with_the_same_address_in_two_stacks_are_separate() -> None:
    (bad,) = view('resource "a" "bad" {\n  x = 1\n}\n').resources
    other = Resource("a.bad", "resource", "a", {}, "other", traces={(): bad.trace()})

    def fails(_: View, __: object) -> Iterable[tuple[Resource, Violation | Undecided]]:
        yield bad, FAULT

    rule = Rule("T3", *COMMON, check_environment=fails)
    verdicts = check_environment(View((bad, other)), {"T3": rule}, ENVIRONMENT)
    assert len(verdicts.findings) == 1
    assert verdicts.passed == 1


def test_verdicts_are_added_up() -> None:
    verdicts = expected("T1", Stage.HCL, passed=1)
    verdicts.add(expected("T2", Stage.HCL, passed=2))
    assert len(verdicts.findings) == 4
    assert len(verdicts.open) == 2
    assert verdicts.passed == 3


def test_the_types_of_environment_rules_are_shared() -> None:
    assert environment_rule_types(RULES) == frozenset({"a"})
    assert environment_rule_types({"T1": ONE}) == frozenset()
