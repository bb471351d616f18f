"""The policy of an environment: what its files say, and what its plans say where the files leave it open."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.hcl.eval import plan_view
from fleetform.hcl.eval.library import Library
from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.policy import team
from fleetform.policy.checking import Outcome, Policy
from fleetform.policy.exceptions import AllowComment, find_comments
from fleetform.policy.finding import Finding, OpenAnswer, Stage
from fleetform.policy.rule import Rule
from fleetform.policy.verdicts import Verdicts, check_environment, check_resources
from fleetform.workflow import environments
from fleetform.workflow.check import outline, rego
from fleetform.workflow.check.origins import with_origins
from fleetform.workflow.check.outline import Outline
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
        outline: What is known of the environment.
        rules: The rules.

    Raises:
        InputError: The catalog is wrong, or there is no such environment; or a team's rule is none.
    """

    project: Project
    name: str
    outline: Outline = field(init=False)
    rules: Mapping[str, Rule] = field(init=False)
    _library: Library = field(init=False)
    _policy: Policy = field(init=False)

    def __post_init__(self) -> None:
        """Reads the outline and the team's own rules, and nothing else yet."""
        root, store, code = self.project.root, self.project.store, fingerprint.code()
        self.outline = outline.read(self.project, self.name)
        self.rules = team.all_rules(root)
        self._library = Library(root, store, code)
        code = digest(code, team.rules_fingerprint(root))
        self._policy = Policy(self._library, store, code, self.rules, self.outline.facts)

    def text(self) -> Outcome:
        """What the rules say of the stacks as they stand on disk.

        Raises:
            CheckFailedError: A module calls itself.
        """
        outcome = self._policy.check(self._environment, self.outline.content, self._folders)
        outcome.verdicts.findings += rego.findings(self.project, self.name, self._policy, self._folders)
        return replace(outcome, verdicts=self._placed(outcome.verdicts))

    def resources(self) -> list[Resource]:
        """Everything that the stacks' files ask for."""
        return [resource for folder in self._folders for resource in self._policy.resources(folder)]

    def plans(self, shown: Mapping[str, Any], text: Verdicts) -> Verdicts:
        """What the rules say where the text left it open, and of what it did not know of.

        Args:
            shown: What ``terraform show -json`` says of each stack's plan, by stack.
            text: What they said of the text.
        """
        planned = [stack for stack in self.outline.stacks if stack in shown]
        found = [resource for stack in planned for resource in self._planned(stack, shown[stack])]
        verdicts = check_resources(found, self.rules, self.outline.facts, Stage.PLAN)
        view = View(tuple(found))
        verdicts.add(check_environment(view, self.rules, self._environment(), Stage.PLAN))
        return self._placed(combined(text, verdicts, shown))

    @property
    def folders(self) -> list[str]:
        """The folders of the modules that were read."""
        return sorted(folder.as_posix() for folder in self._library.modules())

    def allows(self, files: Iterable[PurePath]) -> Iterator[AllowComment]:
        """The comments of some files that except findings."""
        for path in files:
            yield from find_comments(self._library.content(path).decode(errors="replace"), path)

    def _planned(self, stack: str, plan: Mapping[str, Any]) -> Iterable[Resource]:
        folder = self._folder(stack)
        written = {resource.address: resource for resource in self._policy.resources(folder)}
        return plan_view.resources(plan, folder, written)

    def _environment(self) -> "Environment":
        return environments.environment(self.project, self.name)

    @property
    def _folders(self) -> list[PurePath]:
        return [self._folder(stack) for stack in self.outline.stacks]

    def _folder(self, stack: str) -> PurePath:
        return PurePath("envs", self.name, stack)

    def _placed(self, verdicts: Verdicts) -> Verdicts:
        findings = with_origins(verdicts.findings, self.project, self.name, self._library)
        return Verdicts(findings, verdicts.open, verdicts.passed)


def combined(text: Verdicts, plan: Verdicts, stacks: Iterable[str]) -> Verdicts:
    """What text and plans say together: of a stack with a plan, the plan answers what the text left open.

    Args:
        text: What the text says of all stacks.
        plan: What plans say of some.
        stacks: The stacks that have plans.
    """
    known = {_subject(finding) for finding in text.findings}
    more = [finding for finding in plan.findings if _subject(finding) not in known]
    without = [question for question in text.open if question.stack not in set(stacks)]
    return Verdicts([*text.findings, *more], [*without, *plan.open], text.passed)


def _subject(answer: Finding | OpenAnswer) -> tuple[str, str, str]:
    return answer.rule, answer.stack, answer.address
