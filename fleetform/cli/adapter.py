"""Commands as Invoke's tasks: declared flags, functions found by name, errors as exit codes.

Invoke derives flags from the signature of a task's function: their types from defaults, their short forms
from the letters that are left. Here a command declares its flags, and names its function instead of importing
it, so that a command line loads only what its own task needs.
"""

import errno
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from invoke import Context, Exit, Task
from invoke.parser import Argument

from fleetform.base import extras, program_name
from fleetform.base.errors import CatalogError, FleetformError, InputError, ProgramError, printable
from fleetform.base.suggestions import suggestion
from fleetform.catalog.files import CATALOG
from fleetform.cli.flags import FORMAT, Flag
from fleetform.cli.printing import fit

WRONG_INPUT = InputError.exit_code
INTERRUPTED = 130

Function: TypeAlias = Callable[..., None]
"""Gets the project, and the flags' values by keyword."""


@dataclass(frozen=True)
class Command:
    """A task of the command line.

    Attributes:
        name: As typed.
        help: What it does. The first sentence is its line in the list of tasks.
        run: Its function, or where that is: ``package.module:function``.
        flags: Its flags and words, the words in the order in which they are given.
        environments: The parameters that name an environment. Such a task has the flag ``--format``.
        anywhere: Whether it works outside of a project, too; its project is the working directory then.
        extras: The extras of this package that it always needs. Others may be needed for some environments.
    """

    name: str
    help: str
    run: str | Function
    flags: tuple[Flag, ...] = ()
    environments: tuple[str, ...] = ()
    anywhere: bool = False
    extras: tuple[str, ...] = ()

    def __deepcopy__(self, _: object) -> "Command":
        """Return itself, as a flag does."""
        return self

    def function(self) -> Function:
        """Return its function; imports what it needs."""
        return self.run if callable(self.run) else load(self.run)


def load(path: str) -> Function:
    """Return the function at ``package.module:function``; imports the module."""
    module, _, name = path.partition(":")
    found: Function = getattr(import_module(module), name)
    return found


@dataclass(frozen=True)
class Group:
    """Commands under a heading of the list of tasks.

    Attributes:
        heading: The heading.
        commands: The commands, in the order of the list.
    """

    heading: str
    commands: tuple[Command, ...]


class FlagArgument(Argument):
    """A flag as Invoke's parser knows it: its value is checked as it is read, before any task runs.

    Args:
        flag: The flag.
        command: The command that has it.
    """

    def __init__(self, flag: Flag, command: Command) -> None:
        kind: type = list if flag.repeated else bool if flag.is_switch else str
        super().__init__(
            names=(flag.name, flag.short) if flag.short else (flag.name,),
            kind=kind,
            default=[] if flag.repeated else flag.default,
            help=flag.help,
            positional=flag.word,
            attr_name=flag.keyword if flag.keyword != flag.name else None,
        )
        self.flag = flag
        self.command = command

    def set_value(self, value: Any, cast: bool = True) -> None:  # noqa: ANN401, FBT001, FBT002 - Invoke's signature
        """Take a value from the command line.

        Raises:
            Exit: It is not one that the flag accepts.
        """
        if cast and not self.flag.is_switch:
            if self.flag.word and value.startswith("-") and value != "-":
                raise Exit(unknown_flag(self.command, value), WRONG_INPUT)
            try:
                value = self.flag.parse(value)
            except InputError as error:
                raise Exit(str(error), WRONG_INPUT) from None
        super().set_value(value, cast=False)


def unknown_flag(command: Command, typed: str) -> str:
    """Return the message about a flag that a command does not have."""
    known = [f"--{flag.name}" for flag in command.flags]
    return f"unknown flag `{printable(typed)}` of `{command.name}`; {suggestion(typed, known)}"


class CommandTask(Task[Function]):
    """A command as a task of Invoke.

    Args:
        command: The command.
        root: The project's root folder; None outside of a project.
    """

    def __init__(self, command: Command, root: Path | None) -> None:
        self.command = command
        self.root = root
        super().__init__(self.run, name=command.name.rpartition(".")[2], positional=())
        self.__doc__ = command.help

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:  # noqa: ARG002, FBT001 - Invoke's signature
        """Return the command's flags."""
        return [FlagArgument(flag, self.command) for flag in self.command.flags]

    def run(self, _context: Context, **values: Any) -> None:  # noqa: ANN401 - whatever flags the command has
        """Run the command.

        Raises:
            Exit: It fails, or is interrupted.
        """
        for flag in self.command.flags:
            if flag.repeated:
                values[flag.keyword] = tuple(values[flag.keyword])
        form = next(
            (values[flag.keyword] for flag in self.command.flags if flag.name == FORMAT.name), FORMAT.default
        )
        if FORMAT in self.command.flags:  # for us alone; a task that prints reports has a parameter for it
            del values[FORMAT.keyword]
        environments = [values[name] for name in self.command.environments]
        folder = Path.cwd()
        root = self.root or folder
        with errors_as_exit_codes(root, form):
            if not (self.root or self.command.anywhere):
                create = program_name.command("init", "DIR")
                raise InputError(
                    f"{printable(str(folder))}: in no project: there is no {CATALOG} here or in a folder"
                    f" above; change to your project, or create one with `{create}`"
                )
            extras.require(*self.command.extras)
            if form != FORMAT.default:
                require_catalogs(root, environments)
            self.command.function()(project_at(root), **values)
            sys.stdout.flush()


@contextmanager
def errors_as_exit_codes(root: Path, form: str = FORMAT.default) -> Iterator[None]:
    """Turn the library's errors, a missing extra, a full disk and Ctrl-C into a message and an exit code.

    Args:
        root: The project's root folder.
        form: How the problems of a catalog are printed.

    Raises:
        Exit: Any of them.
    """
    try:
        yield
    except CatalogError as error:
        report = load("fleetform.cli.catalog:report_problems")
        raise Exit(report(project_at(root), error.problems, form), error.exit_code) from None
    except FleetformError as error:
        raise Exit(fit(str(error), sys.stderr), error.exit_code) from None
    except ModuleNotFoundError as error:
        message = extras.explain(error)
        if message is None:
            raise
        raise Exit(message, ProgramError.exit_code) from None
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise Exit(f"{error}; free some disk space, then run it again", ProgramError.exit_code) from None
    except KeyboardInterrupt as interrupt:
        message = str(interrupt) or "interrupted"
        raise Exit(fit(message, sys.stderr), INTERRUPTED) from None


def require_catalogs(root: Path, environments: Sequence[str]) -> None:
    """Load the catalogs that a task is about before it prints anything.

    A program reads only their problems then.

    Raises:
        CatalogError: One has problems.
    """
    load_environment = load("fleetform.validation.loading:load")
    for name in environments:
        load_environment(root, name)


def project_at(root: Path) -> Any:  # noqa: ANN401 - loaded by name, as a list of tasks needs none
    """Return the project in a folder."""
    return load("fleetform.workflow.project:Project")(root)


def tasks(root: Path | None, groups: Sequence[Group]) -> Mapping[str, CommandTask]:
    """Return the tasks of all commands by name."""
    return {command.name: CommandTask(command, root) for group in groups for command in group.commands}
