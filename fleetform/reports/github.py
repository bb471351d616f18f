"""Diagnostics as GitHub workflow commands, which annotate the lines of a pull request."""

from collections.abc import Sequence

from fleetform.reports.diagnostic import Diagnostic


def github(diagnostics: Sequence[Diagnostic]) -> str:
    """Return GitHub workflow commands, which annotate the lines of a pull request."""
    return "".join(map(_command, diagnostics))


def _command(diagnostic: Diagnostic) -> str:
    """Return an annotation.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
    """
    properties = {
        "file": diagnostic.file.as_posix(),
        "line": diagnostic.line,
        "col": diagnostic.column,
        "title": _title(diagnostic),
    }
    properties_text = ",".join(
        f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None
    )
    return f"::{diagnostic.level} {properties_text}::{_data(diagnostic.sentence)}\n"


def _title(diagnostic: Diagnostic) -> str:
    return (
        f"{diagnostic.rule} {diagnostic.severity}: {diagnostic.topic.title}"
        if diagnostic.topic
        else diagnostic.rule
    )


def _data(value: str) -> str:
    """Escape the text after a command: `escapeData` of GitHub's toolkit."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    """Escape a property of a command: `escapeProperty` of GitHub's toolkit."""
    return _data(value).replace(":", "%3A").replace(",", "%2C")
