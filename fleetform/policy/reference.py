"""The documentation of the rules: their table, each with its reason and examples, and docs/policy.md."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from fleetform.base.errors import InputError
from fleetform.base.suggestions import suggestion
from fleetform.catalog.constants import GENERATED_MARK
from fleetform.policy.exceptions import RULES as ABOUT_EXCEPTIONS
from fleetform.policy.rule import Rule

DOCUMENT = PurePath("docs/policy.md")

HEADINGS = ("id", "severity", "title", "checkov")


def with_exception_rules(rules: Mapping[str, Rule]) -> Mapping[str, Rule]:
    """Return rules together with those about exceptions, by ID."""
    return dict(sorted({**rules, **ABOUT_EXCEPTIONS}.items()))


def find_rule(rules: Mapping[str, Rule], identifier: str) -> Rule:
    """Return the rule with an ID.

    Raises:
        InputError: The ID is unknown.
    """
    if (key := identifier.upper()) not in rules:
        raise InputError(f"unknown rule `{identifier}`; {suggestion(key, list(rules))}")
    return rules[key]


def table_row(rule: Rule) -> tuple[str, ...]:
    """Return a row of the table."""
    return rule.id, str(rule.severity), rule.title, ", ".join(rule.checkov)


def to_json_data(rule: Rule) -> dict[str, Any]:
    """Return a rule as JSON data."""
    texts = {key: getattr(rule, key) for key in ("id", "title", "severity", "why", "link", "good", "bad")}
    return {
        **texts,
        "types": sorted(rule.types),
        "checkov": list(rule.checkov),
        "except": exception_comment(rule),
    }


def exception_comment(rule: Rule) -> str:
    """Return the comment that accepts a finding of a rule; empty if the rule cannot have exceptions."""
    if rule.id in ABOUT_EXCEPTIONS:
        return ""
    return f"# fleetform:allow {rule.id} <why it is accepted>"


def render_reference(rules: Mapping[str, Rule]) -> str:
    """Return the generated part of docs/policy.md, from the mark on."""
    table = [HEADINGS, ("---",) * len(HEADINGS), *(_linked(rule) for rule in rules.values())]
    lines = "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |" for cells in table)
    return "\n\n".join([GENERATED_MARK, "## Rules", lines, *map(_section, rules.values())]) + "\n"


def _linked(rule: Rule) -> tuple[str, ...]:
    identifier, *rest = table_row(rule)
    return f"[{identifier}](#{rule.id.lower()})", *rest


def _section(rule: Rule) -> str:
    link = rule.link.removeprefix(str(DOCUMENT))
    checkov = f" checkov: {', '.join(rule.checkov)}." if rule.checkov else ""
    return "\n\n".join(
        [
            f'### <a id="{rule.id.lower()}"></a>{rule.id}: {rule.title.removesuffix(".")}',
            f"{rule.severity.capitalize()}. {rule.why} [Read more]({link}).{checkov}",
            f"Fails:\n\n{_block(rule.bad)}",
            f"Passes:\n\n{_block(rule.good)}",
        ]
    )


def _block(code: str) -> str:
    language = "yaml" if code.startswith("exceptions:") else "hcl"
    return f"```{language}\n{code.strip()}\n```"
