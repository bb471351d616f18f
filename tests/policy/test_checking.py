"""Answers about a file are cached until one of its dependencies changes."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import pytest

from fleetform.base.cache import Cache
from fleetform.base.errors import CheckFailedError
from fleetform.hcl.eval.library import Library, Summary
from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Unknown
from fleetform.policy import checking
from fleetform.policy.checking import Outcome, Policy
from fleetform.policy.finding import OpenAnswer
from fleetform.policy.rule import Facts, Rule, Severity, Undecided, Violation

from .examples import ENVIRONMENT

STACK = PurePath("stack")
FILES = {
    "stack/a.tf": 'resource "thing" "a" {\n  port = local.port\n}\n',
    "stack/b.tf": 'resource "thing" "b" {\n  port = module.web.port\n}\n',
    "stack/c.tf": 'module "web" {\n  source = "../modules/web"\n  port = var.port\n}\n',
    "stack/d.tf": 'resource "thing" "d" {\n  port = var.free\n}\n\nvariable "free" {}\n',
    "stack/locals.tf": 'locals {\n  port = 22\n}\n\nvariable "port" {}\n',
    "stack/terraform.tfvars": "port = 22\n",
    "modules/web/main.tf": 'module "inner" {\n  source = "../inner"\n  port = var.port\n}\n\n'
    'variable "port" {}\noutput "port" { value = module.inner.port }\n',
    "modules/inner/main.tf": 'variable "port" {}\noutput "port" { value = var.port }\n'
    'resource "thing" "inner" {\n  port = var.port\n}\n',
}
INNER = "module.web.module.inner.thing.inner"


@dataclass
class Project:
    """Files on disk, rules, and the resources that they were called with."""

    root: Path
    code: bytes = b"code"
    facts: Facts = field(default_factory=lambda: Facts("tiny", "123456789012"))
    asked: list[str] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """Writes a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def check(self, cache: str = "cache", stacks: Sequence[PurePath] = (STACK,)) -> Outcome:
        """Run a separate check."""
        self.asked.clear()
        kept = Cache(self.root / cache, 10**7)
        made = Policy(Library(self.root, kept, b""), kept, self.code, self._rules(), self.facts)
        return made.check(lambda: ENVIRONMENT, b"", stacks)

    def _rules(self) -> dict[str, Rule]:
        def port(resource: Resource, _: Facts) -> Iterable[Violation | Undecided]:
            self.asked.append(resource.address)
            value = resource.value("port")
            if isinstance(value, Unknown):
                yield Undecided(("port",))
            elif value == 22:
                yield Violation("port 22", "take another", ("port",))

        def twice(view: View, _: object) -> Iterable[tuple[Resource, Violation | Undecided]]:
            found = view.of("thing")
            yield from ((each, Violation("many", "have fewer")) for each in found if len(found) > 3)

        common = (Severity.LOW, "Why.", frozenset({"thing"}), "https://a", "", "")
        return {
            "T1": Rule("T1", "One.", *common, check=port),
            "T2": Rule("T2", "All.", *common, check_environment=twice),
        }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    for name, text in FILES.items():
        made.write(name, text)
    return made


def test_all_answers_of_rules_are_reported(project: Project) -> None:
    verdicts = project.check().verdicts
    assert [str(finding) for finding in sorted(verdicts.findings)] == [
        "stack/a.tf:1:1: T2 thing.a: many; have fewer",
        "stack/b.tf:1:1: T2 thing.b: many; have fewer",
        "stack/b.tf:2:3: T1 thing.b: port 22; take another",
        f"stack/c.tf:1:1: T2 {INNER}: many; have fewer",
        "stack/d.tf:1:1: T2 thing.d: many; have fewer",
        "stack/locals.tf:2:3: T1 thing.a: port 22; take another",
        f"stack/terraform.tfvars:1:1: T1 {INNER}: port 22; take another",
    ]
    assert verdicts.open == [OpenAnswer("T1", "stack", "thing.d", ("port",))]
    assert verdicts.passed == 0


def test_an_answer_is_cached(project: Project) -> None:
    first = project.check()
    assert sorted(project.asked) == [INNER, "thing.a", "thing.b", "thing.d"]
    assert project.check() == first
    assert project.asked == []


def written(name: str, text: str) -> Callable[[Project], None]:
    return lambda project: project.write(name, text)


def with_facts(project: Project) -> None:
    project.facts = Facts("tiny", "123456789012", protected=True)


def with_code(project: Project) -> None:
    project.code = b"other"


EVERYTHING = {INNER, "thing.a", "thing.b", "thing.d"}
CHANGES: dict[str, tuple[Callable[[Project], None], set[str]]] = {
    "the file": (written("stack/a.tf", FILES["stack/a.tf"] + "# new\n"), {"thing.a"}),
    "what it uses": (
        written("stack/locals.tf", 'locals {\n  port = 80\n}\nvariable "port" {}\n'),
        EVERYTHING - {"thing.d"},
    ),
    "a value": (written("stack/terraform.tfvars", "port = 23\n"), {INNER, "thing.b"}),
    "a module": (written("modules/web/more.tf", ""), {INNER, "thing.b"}),
    "a nested module": (
        written(
            "modules/inner/main.tf", FILES["modules/inner/main.tf"].replace("value = var.port", "value = 80")
        ),
        {INNER, "thing.b"},
    ),
    "a file that nothing refers to": (written("stack/new.tf", 'resource "other" "x" {}\n'), set()),
    "another module": (written("modules/other/main.tf", ""), set()),
    "another stack": (written("elsewhere/main.tf", ""), set()),
    "facts": (with_facts, EVERYTHING),
    "code": (with_code, EVERYTHING),
    "a file that is gone": (lambda project: (project.root / "stack/a.tf").unlink(), set()),
    "a damaged cache": (written("cache", "damaged"), EVERYTHING),
}


@pytest.mark.parametrize(("change", "asked"), CHANGES.values(), ids=CHANGES)
def test_rules_run_again_if_a_dependency_of_their_answer_changed(
    project: Project, change: Callable[[Project], None], asked: set[str]
) -> None:
    project.check()
    change(project)
    again = project.check()
    assert set(project.asked) == asked
    assert again == project.check("another cache")


def test_no_file_of_an_unchanged_stack_is_checked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("other/a.tf", 'resource "thing" "x" {\n  port = 80\n}\n')
    stacks = (STACK, PurePath("other"))
    project.check(stacks=stacks)
    gone_into: set[PurePath] = set()
    summaries = Library.summaries

    def noted(library: Library, paths: Iterable[PurePath]) -> dict[PurePath, Summary]:
        found = summaries(library, paths)
        gone_into.update(path.parent for path in found)
        return found

    monkeypatch.setattr(Library, "summaries", noted)
    project.write("other/a.tf", 'resource "thing" "x" {\n  port = 81\n}\n')
    again = project.check(stacks=stacks)
    assert gone_into == {PurePath("other"), PurePath("modules/web"), PurePath("modules/inner")}
    assert project.asked == ["thing.x"]
    assert again == project.check("another cache", stacks)


def test_files_with_exceptions_are_listed_for_stacks_and_modules_beside_them(project: Project) -> None:
    comment = "# fleetform:allow T1 It is meant so.\n"
    project.write("envs/tiny/stack/a.tf", f'{comment}module "own" {{\n  source = "../own"\n}}\n')
    project.write("envs/tiny/stack/b.tf", 'module "far" {\n  source = "../../../far"\n}\n')
    project.write("envs/tiny/own/main.tf", comment)
    project.write("far/main.tf", comment)
    for _ in range(2):
        allowing = project.check(stacks=[PurePath("envs/tiny/stack")]).allowing
        assert allowing == [PurePath("envs/tiny/stack/a.tf"), PurePath("envs/tiny/own/main.tf")]


def test_several_processes_have_the_same_result_as_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    alone = project.check("alone")
    monkeypatch.setattr(checking, "_MANY", 2)
    assert project.check("together") == alone
    assert project.asked == []  # by this process


def test_an_unreadable_file_is_reported(project: Project) -> None:
    project.write("modules/inner/main.tf", "}")
    for _ in range(2):
        outcome = project.check()
        assert [str(error) for error in outcome.unreadable] == [
            "modules/inner/main.tf:1:1: not valid HCL; fix it, or render again"
        ]
        assert {finding.address for finding in outcome.verdicts.findings} == {"thing.a"}


def test_a_module_that_calls_itself_is_refused(project: Project) -> None:
    project.write("modules/inner/main.tf", 'module "again" { source = "../web" }')
    with pytest.raises(CheckFailedError, match=r"^modules/web: the module calls itself; remove the call$"):
        project.check()


def test_no_stack_has_no_findings(project: Project) -> None:
    for name in FILES:
        (project.root / name).unlink()
    assert project.check() == Outcome()
