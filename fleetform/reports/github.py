"""Diagnostics as GitHub workflow commands, which annotate the lines of a pull request."""

from collections.abc import Sequence

from fleetform.reports.diagnostic import Remark


def github(remarks: Sequence[Remark]) -> str:
    """Return GitHub workflow commands, which annotate the lines of a pull request."""
    return "".join(map(_command, remarks))


def _command(remark: Remark) -> str:
    """Return an annotation.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
    """
    properties = {"file": remark.file.as_posix(), "line": remark.line, "col": remark.column, "title": _title(remark)}
    properties_text = ",".join(
        f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None
    )
    return f"::{remark.level} {properties_text}::{_data(remark.sentence)}\n"


def _title(remark: Remark) -> str:
    return f"{remark.rule} {remark.severity}: {remark.topic.title}" if remark.topic else remark.rule


def _data(value: str) -> str:
    """Escape the text after a command: `escapeData` of GitHub's toolkit."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    """Escape a property of a command: `escapeProperty` of GitHub's toolkit."""
    return _data(value).replace(":", "%3A").replace(",", "%2C")
