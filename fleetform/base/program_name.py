"""The program that the user started, for messages that suggest a command."""

import os
import re
import shlex

from fleetform.base.errors import printable

VARIABLE = "FLEETFORM_PROGRAM"
"""Set by whatever starts the tasks; inherited by the processes that they start."""

INVOKE = "invoke"
"""The program if the variable is not set."""

RUN = "./run"
"""The program where the variable's value is not a name that we would print."""

_KNOWN = re.compile(r"(?:invoke|inv|fleetform|(?:[\w.+-]*/)+run)", re.ASCII)
_LONGEST = 120
# Words that a shell reads as they are, and no more than that.
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def program() -> str:
    """Return the program that the user started, such as ``./run``, ``../../run`` or ``invoke``."""
    name = os.environ.get(VARIABLE, INVOKE)
    return name if len(name) <= _LONGEST and _KNOWN.fullmatch(name) else RUN


def command(task: str, *words: str, **flags: str | bool | None) -> str:
    """Return a command as the user would type it, such as ``./run check --env prod --plan``.

    Args:
        task: The task's name on the command line.
        words: Arguments that are not flags.
        flags: Values by flag, underscores for dashes; True for a switch. None and False leave the flag out.
    """
    parts = [program(), task, *map(_quoted, words)]
    for name, value in flags.items():
        if value is not None and value is not False:
            parts += [f"--{name.strip('_').replace('_', '-')}", *([] if value is True else [_quoted(value)])]
    return " ".join(parts)


def _quoted(word: str) -> str:
    return word if _PLAIN.fullmatch(word) else shlex.quote(printable(word))
