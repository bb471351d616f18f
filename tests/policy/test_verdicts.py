"""Rules are applied to their resources; answers are sorted into findings, open answers and passes."""

from collections.abc import Iterable, Mapping

from fleetform.base.errors import Position
from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.policy.finding import Finding, Open, Stage
from fleetform.policy.rule import Facts, Fault, Rule, Severity, Undecided
from fleetform.policy.verdicts import Judgement, judge_environment, judge_resources, shared_types

from .examples import ENVIRONMENT, FACTS, FILE, STACK, view

FAULT = Fault("wrong", "fix it", ("x",))
OPEN = Undecided(("x",))
ANSWERS: Mapping[str, list[Fault | Undecided]] = {"a.good": [], "a.bad": [FAULT, FAULT], "a.open": [OPEN]}
TEXT = 'resource "a" "good" {}\nresource "a" "bad" {\n  x = 1\n}\nresource "a" "open" {}\nresource "b" "good" {}\n'


def of_one(resource: Resource, _: Facts) -> Iterable[Fault | Undecided]:
    return ANSWERS[resource.address]


def of_all(view: View, _: object) -> Iterable[tuple[Resource, Fault | Undecided]]:
    return [(each, answer) for each in view.of("a") for answer in ANSWERS[each.address]]


COMMON = ("Title.", Severity.HIGH, "Why.", frozenset({"a"}), "https://a", "", "")
ONE, ALL = Rule("T1", *COMMON, check=of_one), Rule("T2", *COMMON, check_environment=of_all)
RULES = {"T1": ONE, "T2": ALL}


def expected(rule: str, stage: Stage, passed: int) -> Judgement:
    found = Finding(Position(FILE, 3, 3), rule, "a.bad", "wrong", "fix it", Severity.HIGH, STACK.name, stage)
    return Judgement([found, found], [Open(rule, STACK.name, "a.open", ("x",))], passed)


def test_resource_rules_check_each_resource_of_their_types() -> None:
    assert judge_resources(view(TEXT).resources, RULES, FACTS) == expected("T1", Stage.HCL, passed=1)


def test_environment_rules_run_once() -> None:
    assert judge_environment(view(TEXT), RULES, ENVIRONMENT, Stage.PLAN) == expected("T2", Stage.PLAN, passed=1)


def test_resources_with_the_same_address_in_two_stacks_are_separate() -> None:
    (bad,) = view('resource "a" "bad" {\n  x = 1\n}\n').resources
    other = Resource("a.bad", "resource", "a", {}, "other", traces={(): bad.trace()})

    def fails(_: View, __: object) -> Iterable[tuple[Resource, Fault | Undecided]]:
        yield bad, FAULT

    rule = Rule("T3", *COMMON, check_environment=fails)
    judgement = judge_environment(View((bad, other)), {"T3": rule}, ENVIRONMENT)
    assert (len(judgement.findings), judgement.passed) == (1, 1)


def test_verdicts_are_added_up() -> None:
    judgement = expected("T1", Stage.HCL, passed=1)
    judgement.add(expected("T2", Stage.HCL, passed=2))
    assert (len(judgement.findings), len(judgement.open), judgement.passed) == (4, 2, 3)


def test_the_types_of_environment_rules_are_shared() -> None:
    assert (shared_types(RULES), shared_types({"T1": ONE})) == (frozenset({"a"}), frozenset())
