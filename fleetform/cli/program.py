"""The program that runs the tasks.

Invoke's, with our list of tasks, help, version and messages about mistakes.
"""

import os
import re
import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType

from invoke import Collection, Exit, ParseError, Program, Task
from invoke.parser import Argument, ParserContext, ParseResult
from invoke.util import helpline

from fleetform import __version__
from fleetform.base.errors import printable
from fleetform.base.program_name import INVOKE, VARIABLE, command, program
from fleetform.base.suggestions import closest_match, suggestion
from fleetform.cli.adapter import WRONG_INPUT, Command, CommandTask, FlagArgument, Group, tasks, unknown_flag
from fleetform.cli.flags import Flag

NAME = "fleetform"

READER_LEFT = 141
"""The exit code of a program that SIGPIPE ends: 128 + 13."""

_OPTIONS = {
    "-h, --help [TASK]": "Show how to use the program or a task.",
    "-l, --list": "List the tasks.",
    "-V, --version": "Show the version.",
}
_SHOWN = ("help", "list", "version")
_HELP_FLAGS = {"--help", "-h"}
_UNKNOWN = re.compile(r"No idea what (.+) is!", re.DOTALL)
# Terminals are as wide as they are; lines longer than this are hard to read.
_WIDEST = 100


class FleetformProgram(Program):
    """Runs the tasks of a project.

    Invoke's options for shell commands are accepted, as Invoke's own program accepts them, but not shown.

    Args:
        root: The project's root folder; None outside of a project, where few tasks work.
        groups: The tasks, in the order of the list. One replaces that of the same name in an earlier group.
        own: Tasks of the project's own. They replace any of the same name.
    """

    def __init__(
        self, root: Path | None, groups: Sequence[Group], own: Iterable[Task[Callable[..., object]]] = ()
    ) -> None:
        self._own = {task.name: task for task in own}
        self.groups = _without_replaced(groups, self._own)
        by_name = tasks(root, self.groups)
        names = [INVOKE, "inv", "run", "./run", NAME]
        super().__init__(name=NAME, version="", binary_names=names)
        self.namespace: Collection = collection(by_name.values())
        for task in self._own.values():
            self.namespace.add_task(task)
        self._commands = {name: task.command for name, task in by_name.items()}

    @property
    def binary(self) -> str:
        """Return what help texts call the program."""
        return program()

    def core_args(self) -> list[Argument]:
        """Return the options before a task. Only those that are shown keep their short forms."""
        options = [*super().core_args(), *self.task_args()]
        for each in options:
            if each.name not in _SHOWN:
                each.names = each.names[:1]
        return options

    def parse_core(self, argv: list[str] | None) -> None:
        """Parse the options before a task."""
        writes_bytecode = not sys.dont_write_bytecode
        with self._wrong_input():
            super().parse_core(argv)
        sys.dont_write_bytecode = not writes_bytecode  # Invoke forbids it: a fifth of a second for each task

    def parse_tasks(self) -> None:
        """Parse the tasks and their flags."""
        named = [each for each in self.core.unparsed if each in {**self._commands, **self._own}]
        with self._wrong_input():
            if named and _HELP_FLAGS & {*self.core.unparsed}:
                self.args.help.value = named[-1]
                self.parser, self.tasks = self._make_parser(), ParseResult()
                return
            try:
                super().parse_tasks()
            except ParseError as error:
                missing = _missing_words(error.context or ParserContext())
                if not missing or any(flag.required for flag in missing):
                    raise
                self.core.unparsed.append("")
                super().parse_tasks()

    def parse_cleanup(self) -> None:
        """Print the help, the list or completions if that is asked for."""
        with self._wrong_input():
            try:
                super().parse_cleanup()
            except Exit as error:
                raise Exit(error.message, WRONG_INPUT if error.message else error.code) from None

    @contextmanager
    def _wrong_input(self) -> Iterator[None]:
        """Turn an error of Invoke's parser into a message with a suggestion, and exit code 2."""
        try:
            yield
        except ParseError as error:
            raise Exit(self._explained(error), WRONG_INPUT) from None
        except ValueError as error:  # an option of Invoke's own that wants a number
            raise Exit(printable(str(error)), WRONG_INPUT) from None

    def _explained(self, error: ParseError) -> str:
        context = error.context or ParserContext()
        known = self._commands.get(context.name or "")
        if known and (missing := _missing_words(context)):
            return (
                f"`{known.name}` needs {' and '.join(flag.value for flag in missing)}; usage: {_usage(known)}"
            )
        if match := _UNKNOWN.fullmatch(str(error)):
            return self._unknown(self._typed(match[1]), known)
        given = reversed(self.core.unparsed)
        if known and (flag := next((each for each in given if each in context.flags), None)):
            return f"`{printable(flag)}` needs a value; {_help(known)}"
        return f"this cannot be read; `{program()} --help` shows how to use it"

    def _typed(self, quoted: str) -> str:
        """Return what the user typed, of which Invoke's message has Python's form."""
        words = (part for word in self.argv for part in (word, word.partition("=")[0]))
        return next((word for word in words if repr(word) == quoted), quoted)

    def _unknown(self, typed: str, known: Command | None) -> str:
        if typed.startswith("-"):
            if known:
                return unknown_flag(known, typed)
            return (
                f"unknown option `{printable(typed)}`; {suggestion(typed, [f'--{name}' for name in _SHOWN])}"
            )
        close = closest_match(typed, [*self._commands, *self._own])
        remedy = f"did you mean `{close}`?" if close else f"`{program()} --list` shows all tasks"
        if known:
            return (
                f"unexpected `{printable(typed)}` after `{known.name}`; {remedy if close else _help(known)}"
            )
        return f"unknown task `{printable(typed)}`; {remedy}"

    def print_version(self) -> None:
        """Print our version."""
        sys.stdout.write(f"{NAME} {__version__}\n")

    def print_help(self) -> None:
        """Print how to use the program."""
        sys.stdout.write(f"Usage: {self.binary} TASK [FLAGS]\n\n")
        _write_columns(list(_OPTIONS.items()))
        sys.stdout.write("\n")
        self.list_tasks()
        sys.stdout.write(f"\n`{command('TASK', help=True)}` shows the flags of a task.\n")

    def print_task_help(self, name: str) -> None:
        """Print how to use a task."""
        if name in self._own:
            super().print_task_help(name)
            return
        known = self._commands[name]
        sys.stdout.write(f"Usage: {_usage(known)}\n\n")
        for paragraph in known.help.split("\n\n"):
            sys.stdout.write(f"{textwrap.fill(paragraph, _width())}\n\n")
        if known.flags:
            sys.stdout.write("Flags:\n")
            _write_columns([(_spelled(flag), flag.help) for flag in known.flags])

    def list_flat(self) -> None:
        """Print the tasks by group."""
        names = {*self.scoped_collection.task_names}
        if self.list_root:
            names = {f"{self.list_root}.{name}" for name in names}
        widest = max(map(len, names))
        for number, group in enumerate(self.groups):
            lines = [
                (each.name.ljust(widest), _first_line(each)) for each in group.commands if each.name in names
            ]
            if lines:
                sys.stdout.write("\n" * bool(number and not self.list_root) + f"{group.heading}\n")
                _write_columns(lines)
        if own := [
            (name.ljust(widest), helpline(task) or "") for name, task in self._own.items() if name in names
        ]:
            sys.stdout.write("\nThis project\n")
            _write_columns(own)


def collection(found: Iterable[CommandTask]) -> Collection:
    """Return tasks as Invoke has them; one named ``a.b`` is the task ``b`` of the collection ``a``."""
    top = Collection()
    for task in found:
        folder, _, name = task.command.name.rpartition(".")
        if folder and folder not in top.collections:
            top.add_collection(Collection(folder))
        (top.collections[folder] if folder else top).add_task(task, name)
    return top


def _without_replaced(groups: Sequence[Group], own: Iterable[str]) -> tuple[Group, ...]:
    """Return groups without the commands that a later group or a task of the project's own replaces."""
    last: dict[str, int | None] = {
        each.name: number for number, group in enumerate(groups) for each in group.commands
    }
    last |= dict.fromkeys(own)
    return tuple(
        replace(group, commands=tuple(each for each in group.commands if last[each.name] == number))
        for number, group in enumerate(groups)
    )


def _missing_words(context: ParserContext) -> list[Flag]:
    return [each.flag for each in context.missing_positional_args if isinstance(each, FlagArgument)]


def _usage(known: Command) -> str:
    """Return such as ``./run explain [KEY] [FLAGS]``."""
    words = [flag.value if flag.required else f"[{flag.value}]" for flag in known.flags if flag.word]
    flags = ["[FLAGS]"] if any(not flag.word for flag in known.flags) else []
    return " ".join([program(), known.name, *words, *flags])


def _help(known: Command) -> str:
    return f"`{command(known.name, help=True)}` shows its flags"


def _spelled(flag: Flag) -> str:
    """Return such as ``-e, --env NAME``; a word as its value."""
    if flag.word:
        return flag.value
    value = f" {flag.value}" if flag.value else ""
    if len(flag.name) == 1:
        return f"-{flag.name}{value}"
    short = f"-{flag.short}, " if flag.short else "    "
    return f"{short}--{flag.name}{value}"


def _first_line(known: Command) -> str:
    return known.help.split("\n\n", maxsplit=1)[0]


def _width() -> int:
    return min(shutil.get_terminal_size().columns, _WIDEST)


def _write_columns(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names, and beside them what they are, within the width of the terminal."""
    left = max(len(name) for name, _ in pairs) + 4
    width = max(_width() - left, 20)
    for name, text in pairs:
        first, *others = textwrap.wrap(text, width) or [""]
        sys.stdout.write(f"  {name.ljust(left - 4)}  {first}".rstrip() + "\n")
        sys.stdout.write("".join(f"{' ' * left}{line}\n" for line in others))


def take_over(ours: FleetformProgram) -> None:
    """Run the command line by our program where Invoke's own has loaded the tasks.

    Invoke's program offers no way to suggest a task, to leave out a word or to choose an exit code for what
    it cannot parse. It imports ``invoke.main`` for itself only.

    ``invoke --version`` and ``invoke --help`` without a task remain Invoke's: it answers them before it looks
    for the tasks, and reads no file of the project until then.
    """
    main = sys.modules.get("invoke.main")
    if main and main.program.argv:
        os.environ[VARIABLE] = INVOKE
        start(ours, main.program.argv)


def start(ours: FleetformProgram, argv: list[str] | None = None) -> None:
    """Run a command line and exit."""
    sys.excepthook = _end_quietly
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    _end_on_requests()
    try:
        ours.run(argv)
    finally:
        sys.stdout.flush()
    sys.exit()


def _end_on_requests() -> None:
    """Treat a request to end, and a terminal that closes, as Ctrl-C, though not in workers that we fork."""
    for request in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(request) is signal.SIG_DFL:
            signal.signal(request, signal.default_int_handler)
            os.register_at_fork(after_in_child=partial(signal.signal, request, signal.SIG_DFL))


def _end_quietly(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End without a traceback if the reader of our output is gone, as ``head`` is."""
    if not issubclass(kind, BrokenPipeError):
        sys.__excepthook__(kind, error, trace)
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(READER_LEFT)
