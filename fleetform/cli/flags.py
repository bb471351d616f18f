"""Flags of the tasks: declared once, with what they accept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from fleetform.base.errors import InputError, printable
from fleetform.base.suggestions import suggestion

Reader: TypeAlias = Callable[[str], Any]
"""Turns what was typed into a value; raises ValueError with what is wrong and what to give instead."""


@dataclass(frozen=True)
class Flag:
    """A flag of a task, or a word that a task takes.

    Attributes:
        name: As typed, without the dashes.
        help: What it does, one sentence. Begins with a verb or names the thing.
        short: One letter, the same in every task; empty for none.
        value: What the help calls its value, such as ``NAME``; empty for a switch.
        read: Reads its value.
        default: The value where the flag is not given.
        parameter: The parameter of the task's function that gets the value; empty for the name itself.
        repeated: Whether it may be given several times; its value is a tuple then.
        word: Whether it may be given without its name.
        required: Whether the task does nothing without it.
    """

    name: str
    help: str
    short: str = ""
    value: str = ""
    read: Reader = str
    default: Any = None
    parameter: str = ""
    repeated: bool = False
    word: bool = False
    required: bool = False

    def __deepcopy__(self, _: object) -> "Flag":
        """Return itself: Invoke copies the flags of all tasks for each command line."""
        return self

    @property
    def keyword(self) -> str:
        """The parameter that gets the value."""
        return self.parameter or self.name.replace("-", "_")

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return not self.value

    def parse(self, text: str) -> Any:  # noqa: ANN401 - whatever the reader makes of it
        """Read a value that was typed.

        Raises:
            InputError: It is not one that the flag accepts.
        """
        try:
            return self.read(text)
        except ValueError as error:
            raise InputError(f"{self.label}: {error}") from None

    @property
    def label(self) -> str:
        """How messages name it."""
        return self.value if self.word and self.required else f"--{self.name}"


def switch(name: str, help_: str, short: str = "", parameter: str = "") -> Flag:
    """Return a flag without a value."""
    return Flag(name, help_, short, default=False, parameter=parameter)


def option(name: str, help_: str, value: str, read: Reader = str, **more: Any) -> Flag:  # noqa: ANN401 - see Flag
    """Return a flag with a value."""
    return Flag(name, help_, value=value, read=read, **more)


def word(name: str, help_: str, *, required: bool = True, parameter: str = "") -> Flag:
    """Return a word of a task, which may be given as a flag too."""
    return Flag(name, help_, value=name.upper(), word=True, required=required, parameter=parameter)


_LONGEST_NUMBER = 9


def number(least: int) -> Reader:
    """Return a reader of whole numbers."""

    def read(text: str) -> int:
        if (
            text.isascii()
            and text.removeprefix("-").isdigit()
            and len(text) <= _LONGEST_NUMBER
            and int(text) >= least
        ):
            return int(text)
        raise ValueError(f"cannot use `{printable(text)}`; give a whole number, {least} or more")

    return read


def choice(*known: str) -> Reader:
    """Return a reader of one of some words."""

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"unknown value `{printable(text)}`; {suggestion(text, list(known))}")
        return text

    return read


def choices(*known: str) -> Reader:
    """Return a reader of some of these words, with commas between them, into a tuple."""
    one = choice(*known)

    def read(text: str) -> tuple[str, ...]:
        return tuple(one(each) for each in names(text))

    return read


def names(text: str) -> tuple[str, ...]:
    """Return the words of a text with commas between them."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


FORMATS = ("text", "json", "github", "sarif", "junit", "markdown")
LOCAL = "local"

ENV = option("env", "Environment, a folder of envs/. Default: local.", "NAME", short="e", default=LOCAL)
FORMAT = option(
    "format",
    f"Output format for catalog errors: {', '.join(FORMATS)}.",
    "FORMAT",
    choice(*FORMATS),
    default=FORMATS[0],
)
JSON = switch("json", "Print JSON for scripts.", "j", parameter="as_json")
YES = switch("yes", "Do not ask for confirmation.", "y")
VERBOSE = switch("verbose", "Show all that Terraform prints. It is always in .fleetform/.", "v")
CHECK = switch("check", "Write nothing. Print the diff and exit 1 if there is one.", "c")
JOBS = option(
    "jobs", "Stacks to process at a time. Default: what this machine's CPUs and memory allow.", "N", number(1)
)
WAIT = option("wait", "Minutes to wait for a state lock. Default: 1.", "MINUTES", number(0), default=1)
STACK = option(
    "stack",
    "Only this stack. Repeat it for several.",
    "NAME",
    short="s",
    repeated=True,
    parameter="stack_names",
)
SERVICE = option(
    "service",
    "Only this service. Repeat it for several.",
    "NAME",
    short="S",
    repeated=True,
    parameter="services",
)
DELETE_IMAGES = option(
    "delete-images",
    "Services whose images may be deleted with their repositories, comma-separated.",
    "NAMES",
    names,
    default=(),
)
ENGINES = ("docker", "podman", "buildah")
RUNNER = option("engine", "docker or podman. Default: the first that works.", "NAME", choice(*ENGINES[:2]))
BUILDER = option(
    "engine", "docker, podman or buildah. Default: the first that works.", "NAME", choice(*ENGINES)
)
