"""Terraform's output without its decoration for a terminal."""

import re

_COLOR = r"\x1b\[[0-9;]*m"
_COLORS = re.compile(_COLOR)
_BOXES = re.compile(rf"^(?:{_COLOR}|[ \t])*[╷│╵]|{_COLOR}", re.MULTILINE)


def colorless(output: str) -> str:
    """Return the output without colors."""
    return _COLORS.sub("", output)


def unboxed(output: str) -> str:
    """Return the output without colors and without the boxes around errors and warnings."""
    return _BOXES.sub("", output)


def one_line(output: str) -> str:
    """Return the output in one line: Terraform wraps lines at the terminal's width."""
    return " ".join(unboxed(output).split())
