"""Terminal output: steps with their time, a board of stacks, tables."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fleetform.base.errors import ProgramError
from fleetform.base.processes import Output, explain_interrupt, report_interrupt

if TYPE_CHECKING:
    from fleetform.aws.verification import ServiceStatus

# Columns of a log: nothing in it is wrapped or cut, whatever COLUMNS says.
_NO_EDGE = 10_000
_ECHO_WIDTH = len("^C")  # what a terminal adds to the last line on Ctrl-C
_GAP = 2  # columns between those of a table
_ACT_WIDTH = len("destroy")
_TIME_WIDTH = len("999 s")
_LAST_EXPLAINED = 2  # of interrupts


@dataclass
class Step:
    """A step that runs, or has run.

    Attributes:
        title: What it does.
        note: Its outcome.
        seconds: How long it took.
        skipped: Why it was skipped; empty if it was not.
        show: Takes lines of a program's output, and shows the last one.
    """

    title: str
    note: str = ""
    seconds: float = 0.0
    skipped: str = ""
    show: Output = field(default=lambda _: None, repr=False)


class Screen:
    """A terminal or a log file. Without a terminal there are no animations. Honours NO_COLOR.

    Args:
        console: Where it writes. Default: standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        if not self._console.is_terminal:
            self._console.width = _NO_EDGE
        self.steps: list[Step] = []

    @property
    def color(self) -> bool:
        """Whether colours are shown."""
        return self._console.is_terminal and not self._console.no_color

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show that a step runs. `Step.show` takes lines of a program's output, and shows the last one."""
        step = Step(title)
        started = time.monotonic()
        with self._console.status(escape(title)) as status:
            step.show = lambda line: status.update(_progress(title, line))
            try:
                yield step
            except BaseException as error:
                self._console.print(f"[red]✗[/] {escape(title)}")
                if isinstance(error, ProgramError) and error.output:
                    self.line(error.output)
                raise
        step.seconds = time.monotonic() - started
        self.steps.append(step)
        note = f": {escape(step.note)}" if step.note else ""
        if step.skipped:
            self._console.print(f"[yellow]-[/] {escape(title)}: skipped: {escape(step.skipped)}")
        else:
            self._console.print(f"[green]✓[/] {escape(title)}{note} [dim]{step.seconds:.1f} s[/]")

    def skip(self, title: str, reason: str) -> None:
        """Show that a step is not done."""
        self._console.print(f"[yellow]-[/] {escape(title)}: skipped: {escape(reason)}")

    @contextmanager
    def busy(self, title: str) -> Iterator[None]:
        """Show that something runs, on a terminal, for as long as it takes."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(escape(title)):
            yield

    def line(self, text: str, style: str | None = None) -> None:
        """Print a line, wrapped at words on a terminal, as it is in a log."""
        self._console.print(Text(text, style=style or ""), soft_wrap=not self._console.is_terminal)

    def parts(self, *parts: tuple[str, str]) -> None:
        """Print one line of parts, each a text and its style."""
        self._console.print(Text.assemble(*parts), soft_wrap=not self._console.is_terminal)

    def table(
        self,
        headings: "Sequence[str | Column]",
        rows: Sequence[Sequence[str]],
        right: Sequence[str] = (),
        styles: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Print a table. On a terminal that is too narrow, cells are wrapped, but never cut.

        The columns in `right` are flush right, a cell that is a key of `styles` has that style.
        """
        columns = [each if isinstance(each, Column) else Column(each) for each in headings]
        cells = list(zip([column.heading for column in columns], *rows, strict=True))
        if _table_width(cells) > self._console.width:
            kept = [index for index, column in enumerate(columns) if not column.is_spare]
            columns, cells = [columns[index] for index in kept], [cells[index] for index in kept]
        table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        for column, texts in zip(columns, cells, strict=True):
            table.add_column(
                column.heading,
                justify="right" if column.heading in right else "left",
                min_width=max(map(cell_len, texts)) if column.is_whole else None,
                no_wrap=column.is_whole,
                overflow="fold",
            )
        for row in list(zip(*cells, strict=True))[1:]:
            table.add_row(*(Text(cell, styles.get(cell, "")) for cell in row))
        self._console.print(table)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: Its heading.
        is_whole: It keeps its width where others are wrapped.
        is_spare: It is dropped if not all columns fit.
    """

    heading: str
    is_whole: bool = False
    is_spare: bool = False


def _table_width(columns: Sequence[Sequence[str]]) -> int:
    """Return the width of a table whose cells are not wrapped."""
    return sum(max(map(cell_len, texts)) + _GAP for texts in columns) - _GAP


class Board:
    """A line for each of several stacks that run side by side.

    What it does, for how long, and its last output.

    A terminal keeps one line for each, and updates it. A log gets a line for each beginning and each end.

    Args:
        names: The stacks, in the order of their lines.
        console: Where it writes. Default: standard output.
        width: Columns for the names, so that boards below each other are aligned.
    """

    def __init__(self, names: Sequence[str], console: Console | None = None, width: int = 0) -> None:
        self._console = console or Console(highlight=False)
        if not self._console.is_terminal:
            self._console.width = _NO_EDGE
        self._lines = {name: _Line() for name in names}
        self._lock = threading.Lock()
        self._interrupts = 0
        self._width = width
        self._live = Live(
            get_renderable=self._render, console=self._console, refresh_per_second=4, auto_refresh=True
        )

    def __enter__(self) -> Self:
        """Show the lines."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the lines as they are."""
        if self._console.is_terminal:
            self._live.stop()

    def begin(self, name: str, act: str) -> None:
        """Show that an act begins, such as ``plan``."""
        with self._lock:
            self._lines[name] = _Line(act, started=time.monotonic())
        self._print(f"{name}: {act}")

    def progress(self, name: str, line: str) -> None:
        """Show a line of output."""
        if text := Text.from_ansi(line).plain.strip():
            self._lines[name].last = text

    def end(self, name: str, outcome: str, *, succeeded: bool = True) -> None:
        """Show that the act has ended."""
        line = self._lines[name]
        with self._lock:
            line.mark, line.last = ("[green]✓[/]" if succeeded else "[red]✗[/]"), outcome
            line.seconds = time.monotonic() - line.started
        self._print(f"{name}: {line.act}: {outcome} ({line.seconds:.0f} s)")

    def interrupted(self, count: int) -> None:
        """Show what an interrupt does; see `Listener.interrupted`."""
        self._interrupts = count
        if not self._console.is_terminal:
            report_interrupt("Terraform", count)

    def _print(self, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(Text(text), soft_wrap=True)

    def _render(self) -> RenderableType:
        text = explain_interrupt("Terraform", min(self._interrupts, _LAST_EXPLAINED))
        return Group(self._table(), Text(text, "yellow")) if text else self._table()

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.width = max(self._console.width - _ECHO_WIDTH, 1)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, min_width=self._width)
        table.add_column(no_wrap=True, min_width=_ACT_WIDTH)
        table.add_column(no_wrap=True, min_width=_TIME_WIDTH, justify="right")
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1, style="dim")
        with self._lock:
            for name, line in self._lines.items():
                table.add_row(line.mark, escape(name), line.act, line.time, escape(line.last))
        return table


@dataclass
class _Line:
    """A line of a board."""

    act: str = "waits"
    last: str = ""
    mark: str = " "
    started: float = 0.0
    seconds: float = 0.0

    @property
    def time(self) -> str:
        if not self.started:
            return ""
        return f"{self.seconds or time.monotonic() - self.started:.0f} s"


def _progress(title: str, line: str) -> Text:
    width = 70
    return Text.assemble(title, "  ", (Text.from_ansi(line).plain.strip()[:width], "dim"))


def show_services(screen: Screen, services: "Sequence[ServiceStatus]") -> None:
    """Print a table with a row for each service."""
    rows = [
        [
            service.name,
            service.dns_name or "-",
            str(service.port or "-"),
            ", ".join(service.calls) or "-",
            f"{service.running}/{service.desired}",
        ]
        for service in services
    ]
    screen.table(("service", "DNS name", "port", "calls", "tasks"), rows, right=("port", "tasks"))
