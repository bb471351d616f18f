"""What Terraform prints, without what it does for a terminal."""

import re

_COLOR = r"\x1b\[[0-9;]*m"
_COLORS = re.compile(_COLOR)
_BOXES = re.compile(rf"^(?:{_COLOR}|[ \t])*[╷│╵]|{_COLOR}", re.MULTILINE)


def colorless(output: str) -> str:
    """The same without colours."""
    return _COLORS.sub("", output)


def unboxed(output: str) -> str:
    """The same without colours, and without the boxes around errors and warnings."""
    return _BOXES.sub("", output)


def one_line(output: str) -> str:
    """The same in one line: Terraform wraps lines as wide as the terminal is."""
    return " ".join(unboxed(output).split())
