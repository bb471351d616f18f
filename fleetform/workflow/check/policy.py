"""The policy applied to an environment: to its files, and to plans for the answers that files leave open."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.base.errors import InputError, Position, Problem, ProgramError
from fleetform.catalog.files import baseline_file
from fleetform.catalog.locator import locator
from fleetform.catalog.overlay import remove_nulls
from fleetform.catalog.writer import write_atomically
from fleetform.hcl.eval import plan_view
from fleetform.hcl.eval.library import Library
from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.parsing import UnreadableError
from fleetform.policy import baseline, team
from fleetform.policy.checking import Outcome, Policy
from fleetform.policy.exceptions import AllowComment, ExceptionContext, apply_exceptions, find_comments
from fleetform.policy.finding import Finding, OpenAnswer, Stage
from fleetform.policy.rule import Rule
from fleetform.policy.verdicts import Verdicts, check_environment, check_resources
from fleetform.validation.loading import read_environment
from fleetform.workflow.check import rego
from fleetform.workflow.check.facts import EnvironmentFacts, read_facts
from fleetform.workflow.check.origins import add_origins
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment


@dataclass
class Check:
    """A check of one environment.

    Args:
        project: The checkout.
        name: The environment's name.

    Attributes:
        facts: The facts about the environment.
        rules: The rules, with custom ones.

    Raises:
        InputError: The catalog is wrong, there is no such environment, or a custom rule is invalid.
    """

    project: Project
    name: str
    facts: EnvironmentFacts = field(init=False)
    rules: Mapping[str, Rule] = field(init=False)
    _library: Library = field(init=False)
    _policy: Policy = field(init=False)

    def __post_init__(self) -> None:
        """Read the facts and the rules, and nothing else yet."""
        root, cache, code = self.project.root, self.project.cache, fingerprint.code()
        self.facts = read_facts(self.project, self.name)
        self.rules = team.all_rules(root)
        self._library = Library(root, cache, code)
        code = digest(code, team.rules_fingerprint(root))
        self._policy = Policy(self._library, cache, code, self.rules, self.facts.rule_facts)

    def text(self) -> Outcome:
        """Check the stacks as they are on disk.

        Raises:
            CheckFailedError: A module calls itself.
        """
        outcome = self._policy.check(self._environment, self.facts.content, self._folders)
        outcome.verdicts.findings += rego.collect_denials(
            self.project, self.name, self._policy, self._folders
        )
        return replace(outcome, verdicts=self._with_origins(outcome.verdicts))

    def resources(self) -> list[Resource]:
        """Return all resources in the stacks' files."""
        return [resource for folder in self._folders for resource in self._policy.resources(folder)]

    def plans(self, shown: Mapping[str, Any], text: Verdicts) -> Verdicts:
        """Check plans, for the answers that the text left open and for resources that only plans show.

        Args:
            shown: The output of ``terraform show -json`` by stack, for the stacks with a plan.
            text: The verdicts on the text.
        """
        planned = [stack for stack in self.facts.stacks if stack in shown]
        found = [resource for stack in planned for resource in self._planned(stack, shown[stack])]
        verdicts = check_resources(found, self.rules, self.facts.rule_facts, Stage.PLAN)
        view = View(tuple(found))
        verdicts.add(check_environment(view, self.rules, self._environment(), Stage.PLAN))
        return self._with_origins(combine(text, verdicts, shown))

    @property
    def folders(self) -> list[str]:
        """Return the folders of the modules that were read."""
        return sorted(folder.as_posix() for folder in self._library.modules())

    def comments(self, files: Iterable[PurePath]) -> Iterator[AllowComment]:
        """Yield the comments in some files that except findings."""
        for path in files:
            yield from find_comments(self._library.content(path).decode(errors="replace"), path)

    def _planned(self, stack: str, plan: Mapping[str, Any]) -> Iterable[Resource]:
        folder = self._folder(stack)
        written = {resource.address: resource for resource in self._policy.resources(folder)}
        return plan_view.resources(plan, folder, written)

    def _environment(self) -> "Environment":
        return self.project.environment(self.name)

    @property
    def _folders(self) -> list[PurePath]:
        return [self._folder(stack) for stack in self.facts.stacks]

    def _folder(self, stack: str) -> PurePath:
        return PurePath("envs", self.name, stack)

    def _with_origins(self, verdicts: Verdicts) -> Verdicts:
        findings = add_origins(verdicts.findings, self.project, self.name, self._library)
        return Verdicts(findings, verdicts.open, verdicts.passed)


def combine(text: Verdicts, plan: Verdicts, stacks: Iterable[str]) -> Verdicts:
    """Combine the verdicts on text and plans.

    For a stack with a plan, it has the answers that the text left open.

    Args:
        text: The verdicts on the text of all stacks.
        plan: The verdicts on the plans of some.
        stacks: The stacks with a plan.
    """
    known = {_subject(finding) for finding in text.findings}
    more = [finding for finding in plan.findings if _subject(finding) not in known]
    without = [question for question in text.open if question.stack not in set(stacks)]
    return Verdicts([*text.findings, *more], [*without, *plan.open], text.passed)


def _subject(answer: Finding | OpenAnswer) -> tuple[str, str, str]:
    return answer.rule, answer.stack, answer.address


class Results(NamedTuple):
    """The results of a check, without the findings that have an exception; the baseline does not count.

    Attributes:
        findings: The findings, by place.
        open: The answers that only a plan has.
        unparsed: The files that cannot be parsed, whose resources only a plan shows.
        folders: The folders of the modules that were read.
    """

    findings: list[Finding]
    open: list[OpenAnswer]
    unparsed: list[Problem]
    folders: list[str]


def evaluate(project: Project, name: str, plans: Mapping[str, Any]) -> Results:
    """Check an environment, and apply its exceptions.

    Args:
        project: The checkout.
        name: The environment's name.
        plans: The output of ``terraform show -json`` by stack, for the stacks with a plan.

    Raises:
        CheckFailedError: A module calls itself.
        InputError: The catalog is wrong, there is no such environment, or a custom rule is invalid.
    """
    check = Check(project, name)
    outcome = check.text()
    verdicts = check.plans(plans, outcome.verdicts) if plans else outcome.verdicts
    context = ExceptionContext(
        datetime.now(UTC).date(),
        # Rules in Rego are known only by their findings.
        {*check.rules, *(finding.rule for finding in verdicts.findings)},
        _locate_exceptions(project.root, name),
        frozenset(verdicts.open),
    )
    comments = list(check.comments(outcome.allowing))
    return Results(
        apply_exceptions(verdicts.findings, check.facts.exceptions, comments, context),
        verdicts.open,
        [] if plans else [_describe(error) for error in outcome.unreadable],
        check.folders,
    )


def compare_with_baseline(project: Project, name: str, results: Results) -> baseline.Comparison:
    """Compare findings with the baseline of an environment.

    Raises:
        InputError: The baseline cannot be read, or is invalid.
    """
    file = baseline_file(name)
    try:
        text = (project.root / file).read_text(encoding="utf-8")
    except FileNotFoundError:
        return baseline.compare(results.findings, [], results.open)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}; make it a readable file") from None
    return baseline.compare(results.findings, baseline.parse(text, name), results.open)


def write_baseline(project: Project, name: str) -> int:
    """Write the current findings into the baseline, or remove it; see `assessment.write_baseline`."""
    text, file = baseline.to_json(evaluate(project, name, {}).findings), baseline_file(name)
    entries = baseline.parse(text, name)
    try:
        if entries:
            write_atomically(project.root / file, text)
        else:
            (project.root / file).unlink(missing_ok=True)
    except OSError as error:
        raise ProgramError(
            f"{file}: cannot be written: {error.strerror}; fix that and run the command again"
        ) from None
    return len(entries)


def _describe(error: UnreadableError) -> Problem:
    reason = f" ({error.reason})" if error.reason else ""
    message = (
        f"the policy cannot parse this file from here on{reason}: its resources are checked only on a plan"
    )
    return Problem(error.position, message)


def _locate_exceptions(root: Path, name: str) -> Callable[[int], Position]:
    """Return a function from an exception's index to its position; the first call reads the catalog."""

    @cache
    def locate() -> Callable[..., Position]:
        return locator(remove_nulls(read_environment(root, name).tree))

    return lambda index: locate()("exceptions", index)
