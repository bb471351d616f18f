"""What a person sees while something runs: steps with their time, one line that moves, a table at the end."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fleetform.errors import ProgramError
from fleetform.programs import Output
from fleetform.verification import ServiceStatus

# Columns of a log: nothing in it is wrapped or cut, whatever COLUMNS says.
_NO_EDGE = 10_000


@dataclass
class Step:
    """A step that runs, or has run.

    Attributes:
        title: What it does.
        note: What came of it.
        seconds: How long it took.
    """

    title: str
    note: str = ""
    seconds: float = 0.0
    show: Output = field(default=lambda _: None, repr=False)


class Screen:
    """A terminal, or a log file: without a terminal nothing moves; NO_COLOR is honoured.

    Args:
        console: Where it writes; standard output if left out.
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
        """Shows that something runs; `Step.show` takes the lines of a program, of which the last is shown."""
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
        self._console.print(f"[green]✓[/] {escape(title)}{note} [dim]{step.seconds:.1f} s[/]")

    def line(self, text: str, style: str | None = None) -> None:
        """Prints a line as it is."""
        self._console.print(Text(text, style=style or ""), soft_wrap=True)

    def parts(self, *parts: tuple[str, str]) -> None:
        """Prints one line of parts, each a text and its style."""
        self._console.print(Text.assemble(*parts), soft_wrap=True)

    def table(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        right: Sequence[str] = (),
        styles: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Prints a table; the columns in `right` are flush right, a cell that is a key of `styles` has that style."""
        table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in headings:
            table.add_column(heading, justify="right" if heading in right else "left")
        for row in rows:
            table.add_row(*(Text(cell, styles.get(cell, "")) for cell in row))
        self._console.print(table)


def _progress(title: str, line: str) -> Text:
    width = 70
    return Text.assemble(title, "  ", (Text.from_ansi(line).plain.strip()[:width], "dim"))


def show_services(screen: Screen, services: Sequence[ServiceStatus]) -> None:
    """A table with a row a service."""
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
