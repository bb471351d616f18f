"""Read the JSON that Terraform prints, also through a wrapper that prints lines around it.

The wrapper of hashicorp/setup-terraform is the default there. It prints `[command]/path/terraform …` first,
and lines for GitHub Actions that begin with `::` last: wrapper/terraform.js.
"""

import json
from collections.abc import Iterator
from typing import Any

from fleetform.base.errors import ProgramError, printable

_DECODER = json.JSONDecoder()
_EXCERPT = 80


def parse(program: str, text: str) -> Any:  # noqa: ANN401 - JSON
    """Return the first JSON value in a program's output that begins a line and ends one.

    Args:
        program: The path of the program, for the message.
        text: Its standard output.

    Raises:
        ProgramError: The output has no such value.
    """
    try:
        return json.loads(text)
    except ValueError:
        values = list(_values(text))
    if not values:
        excerpt = printable(text.strip()[:_EXCERPT])
        raise ProgramError(
            f"{program} printed `{excerpt}` where JSON was expected; if it is a wrapper around Terraform,"
            " remove it from PATH, or set `terraform_wrapper: false` for hashicorp/setup-terraform"
        )
    return values[0]


def _values(text: str) -> Iterator[Any]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        try:
            value, after = _DECODER.raw_decode(text, start)
        except ValueError:
            start = end
            continue
        if text[after:].split("\n", 1)[0].strip():
            start = end
        else:
            yield value
            return
