"""The longest line that Terraform, rendered or in a module, may have."""

import re

COLUMNS = 120

# One text, with its name: no line break can be in it.
_ONE_TEXT = re.compile(r' *([\w"]+ += )?"[^\n]*",?')


def long_lines(text: str) -> list[str]:
    """Return the lines of a text that are too long, except those that are one string."""
    return [line for line in text.splitlines() if len(line) > COLUMNS and not _ONE_TEXT.fullmatch(line)]
