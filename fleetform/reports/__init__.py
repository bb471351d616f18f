"""Reports of problems and findings, for people and for programs. Pure functions to text."""

from collections.abc import Callable, Mapping, Sequence

from fleetform.reports.diagnostic import SEVERITIES, Diagnostic, Level, Note, RuleText, summarize
from fleetform.reports.github import github
from fleetform.reports.json_format import as_json
from fleetform.reports.junit import junit
from fleetform.reports.markdown import markdown
from fleetform.reports.sarif import sarif
from fleetform.reports.text import text

FORMATS: Mapping[str, Callable[[Sequence[Diagnostic]], str]] = {
    "json": as_json,
    "github": github,
    "sarif": sarif,
    "junit": junit,
    "markdown": markdown,
}
"""The formats for programs; people read `text`."""

__all__ = [
    "FORMATS",
    "SEVERITIES",
    "Diagnostic",
    "Level",
    "Note",
    "RuleText",
    "as_json",
    "github",
    "junit",
    "markdown",
    "sarif",
    "summarize",
    "text",
]
