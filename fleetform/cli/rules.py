"""Prints the rules of the policy."""

import sys
from collections.abc import Sequence

from fleetform.cli.printing import color, write, write_json
from fleetform.policy.reference import (
    HEADINGS,
    exception_comment,
    find_rule,
    table_row,
    to_json_data,
    with_exception_rules,
)
from fleetform.policy.rule import Rule
from fleetform.policy.team import all_rules
from fleetform.workflow.project import Project


def explain(project: Project, identifier: str, *, as_json: bool) -> None:
    """Print the full documentation of a rule."""
    rule = find_rule(with_exception_rules(all_rules(project.root)), identifier)
    if as_json:
        write_json(to_json_data(rule))
    else:
        write(render_explanation(rule, color=color(sys.stdout)))


def render_explanation(rule: Rule, *, color: bool) -> str:
    """Return a rule's documentation.

    What it requires, why, a failing and a passing example, and how to except it.
    """
    parts = [
        f"{_paint('1', f'{rule.id}: {rule.title}', color=color)}\nseverity: {rule.severity}",
        rule.why,
        f"{_paint('31', 'fails:', color=color)}\n{_indent(rule.bad)}",
        f"{_paint('32', 'passes:', color=color)}\n{_indent(rule.good)}",
        *(
            [f"to accept it, beside the line or in `exceptions`:\n{_indent(exception_comment(rule))}"]
            if exception_comment(rule)
            else []
        ),
        "\n".join([rule.link, *([f"checkov: {', '.join(rule.checkov)}"] if rule.checkov else [])]),
    ]
    return "\n\n".join(parts) + "\n"


def _paint(style: str, text: str, *, color: bool) -> str:
    return f"\033[{style}m{text}\033[0m" if color else text


def _indent(code: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in code.strip().splitlines())


def list_rules(project: Project, *, as_json: bool) -> None:
    """Print all rules."""
    rules = with_exception_rules(all_rules(project.root)).values()
    if as_json:
        write_json([to_json_data(rule) for rule in rules])
    else:
        write(_align_columns([HEADINGS, *map(table_row, rules)]))


def _align_columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, cells, widths)).rstrip() + "\n" for cells in rows)
