"""Keeps warnings about `-target` off the screen: they are about its use by hand. Logs keep them."""

import re

from fleetform.base.processes import Output
from fleetform.terraform.plain_text import colorless

# The titles: https://github.com/hashicorp/terraform/blob/main/internal/terraform/context_plan.go and
# context_apply.go. OpenTofu has the same.
_TITLE = re.compile(r"\W*Warning: (?:Resource targeting is in effect|Applied changes may be incomplete)")
_BOX_BEGIN, _BOX_END = "╷", "╵"
_NEXT = re.compile(r"\W*(?:Warning|Error): |─|Apply complete!|Outputs:|Saved the plan|Plan: ")


def without_warnings(output: Output) -> Output:
    """Return an output that leaves out the warnings, from their title to whatever follows them."""
    is_warning = False
    borders: list[str] = []  # above what may be a warning

    def write(line: str) -> None:
        nonlocal is_warning
        text = colorless(line).strip()
        if text == _BOX_BEGIN and not is_warning:
            borders.append(line)
            return
        if _TITLE.match(text):
            is_warning = True
            borders.clear()
        elif is_warning and text == _BOX_END:
            is_warning = False
            return
        elif is_warning and _NEXT.match(text):
            is_warning = False
        if not is_warning:
            for each in (*borders, line):
                output(each)
            borders.clear()

    return write
