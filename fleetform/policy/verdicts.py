"""Application of rules to resources: findings, open answers and passes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.policy.finding import Finding, OpenAnswer, Stage
from fleetform.policy.rule import Facts, Rule, Undecided, Violation

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment


@dataclass
class Verdicts:
    """The answers of rules.

    Attributes:
        findings: What fails.
        open: The open answers.
        passed: How often a rule passed on a resource.
    """

    findings: list[Finding] = field(default_factory=list)
    open: list[OpenAnswer] = field(default_factory=list)
    passed: int = 0

    def add(self, other: "Verdicts") -> None:
        """Add the answers of another one."""
        self.findings += other.findings
        self.open += other.open
        self.passed += other.passed

    def record(self, rule: Rule, resource: Resource, answer: Violation | Undecided, stage: Stage) -> None:
        """Add one answer of a rule."""
        if isinstance(answer, Undecided):
            self.open.append(OpenAnswer(rule.id, resource.stack, resource.address, answer.at))
            return
        place, cause = resource.trace(answer.at)
        self.findings.append(
            Finding(
                place,
                rule.id,
                resource.address,
                answer.message,
                answer.remedy,
                rule.severity,
                resource.stack,
                stage,
                cause,
            )
        )


def check_resources(
    resources: Iterable[Resource], rules: Mapping[str, Rule], facts: Facts, stage: Stage = Stage.HCL
) -> Verdicts:
    """Apply the rules for single resources."""
    by_type: dict[str, list[Rule]] = {}
    for rule in rules.values():
        for name in rule.types if rule.check else ():
            by_type.setdefault(name, []).append(rule)
    verdicts = Verdicts()
    for resource in resources:
        for rule in by_type.get(resource.type, ()):
            answers = list(rule.check(resource, facts)) if rule.check else []
            for answer in answers:
                verdicts.record(rule, resource, answer, stage)
            verdicts.passed += not answers
    return verdicts


def check_environment(
    view: View, rules: Mapping[str, Rule], environment: "Environment", stage: Stage = Stage.HCL
) -> Verdicts:
    """Apply the rules for environments."""
    verdicts = Verdicts()
    for rule in rules.values():
        if rule.check_environment is None:
            continue
        answers = list(rule.check_environment(view, environment))
        for resource, answer in answers:
            verdicts.record(rule, resource, answer, stage)
        failed = {(resource.stack, resource.address) for resource, _ in answers}
        verdicts.passed += sum((each.stack, each.address) not in failed for each in view.of(*rule.types))
    return verdicts


def environment_rule_types(rules: Mapping[str, Rule]) -> frozenset[str]:
    """Return the resource types that environment rules check."""
    return frozenset(name for rule in rules.values() if rule.check_environment for name in rule.types)
