"""Times `invoke check` beside other programs on the same rendered files: ``python benchmarks/policy.py``.

Projects of 10, 100 and 1,000 services in the shape of the sample's `prod` are made and rendered, in stacks of
100 services and a foundation. Every figure is the median wall time of whole processes of one run of this
script, with the largest process's peak of resident memory:

- cold: what is remembered between runs (`.fleetform`) is gone; Python's own bytecode stays.
- warm: nothing has changed since the last check.
- hand-written file: one file of a stack, that nobody renders, has changed since.
- service: one service has changed in the catalog and was rendered since; the rendering has a line of its own.

`benchmarks/rivals.py` says what the others do with the same files, and what they do not.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import rivals  # noqa: E402 - the path above is needed first
from benchmarks.large_project import ENVIRONMENT, Project, Shape  # noqa: E402
from benchmarks.processes import Run, run  # noqa: E402

SIZES = (10, 100, 1000)
HAND_WRITTEN = """\
resource "aws_cloudwatch_log_group" "hand_written" {{
  name              = "/shop/hand-written"
  retention_in_days = 30
  kms_key_id        = var.kms_key_arn
  tags              = {{ change = "{change}" }}
}}
"""


@dataclass(frozen=True)
class Figure:
    """A line of the table.

    Attributes:
        services: How many services the project has.
        what: What was run.
        seconds: Median wall time.
        mib: Peak of memory.
        runs: Of how many runs.
        note: What is to be said of it.
    """

    services: int
    what: str
    seconds: float
    mib: float
    runs: int
    note: str = ""

    def __str__(self) -> str:
        """The line, in columns."""
        return (
            f"{self.services:8}  {self.seconds:9.3f}  {self.mib:9.0f}  {self.runs:4}  {self.what} "
            f" {self.note}"
        ).rstrip()


HEADINGS = "services    seconds        MiB  runs  what"


def own(project: Project, runs: int, limit: float) -> Iterator[Figure]:
    """The figures of `invoke check`."""

    def invoke(*arguments: str) -> Run:
        made = run(
            [sys.executable, "-m", "invoke", *arguments, "--env", ENVIRONMENT],
            project.root,
            os.environ,
            limit,
        )
        if made.code != 0:
            raise SystemExit(f"invoke {' '.join(arguments)} failed ({made.code})\n{made.output}{made.errors}")
        return made

    def figure(what: str, change: Callable[[int], object]) -> Figure:
        made = []
        for number in range(runs):
            change(number)
            made.append(invoke("check"))
        return _figure(project.shape.services, f"invoke check, {what}", made)

    invoke("render")
    invoke("check")
    yield figure("cold", lambda _: shutil.rmtree(project.root / ".fleetform", ignore_errors=True))
    yield figure("warm", lambda _: None)
    by_hand = project.stacks()[-1] / "hand_written.tf"
    yield figure(
        "hand-written file", lambda number: by_hand.write_text(HAND_WRITTEN.format(change=number), "utf-8")
    )
    by_hand.unlink()
    invoke("check")
    rendered: list[Run] = []

    def change(number: int) -> None:
        project.change(number)
        rendered.append(invoke("render"))

    yield figure("service", change)
    yield _figure(project.shape.services, "invoke render, service", rendered)


def _figure(services: int, what: str, made: Sequence[Run]) -> Figure:
    seconds = statistics.median(each.seconds for each in made)
    return Figure(services, what, seconds, max(each.mib for each in made), len(made))


def beside(rival: rivals.Rival, project: Project, runs: int, limit: float) -> Figure:
    """The figure of another program: the sum of its runs for all stacks."""
    made = [rivals.runs(rival, project.stacks(), limit) for _ in range(runs)]
    if not all(made):
        return Figure(project.shape.services, rival.name, 0, 0, 0, "could not be prepared")
    seconds = statistics.median(sum(each.seconds for each in turn) for turn in made)
    mib = max(each.mib for turn in made for each in turn)
    return Figure(project.shape.services, rival.name, seconds, mib, runs, _note(rival, made[0]))


def _note(rival: rivals.Rival, made: Sequence[Run]) -> str:
    """What keeps a figure from being one."""
    last = made[-1]
    if last.code not in rival.accepted:
        what = "was killed: too late" if last.code < 0 else f"failed ({last.code})"
        return f"({what}, in stack {len(made)})"
    return "" if any(re.search(rival.sign, each.output) for each in made) else "(read no module)"


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """What is typed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--services", type=int, nargs="+", default=SIZES, metavar="N", help="sizes of the projects"
    )
    parser.add_argument(
        "--stack-size", type=int, default=100, metavar="N", help="services in a stack; 0: all in one"
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of each of our figures")
    parser.add_argument("--rival-runs", type=int, default=1, metavar="N", help="runs of each of the others")
    parser.add_argument(
        "--limit", type=float, default=600, metavar="SECONDS", help="what takes longer is killed"
    )
    parser.add_argument(
        "--rivals", nargs="*", choices=[*rivals.KNOWN], default=[*rivals.KNOWN], help="which others"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, at the end")
    return parser.parse_args(argv)


def figures(typed: argparse.Namespace, scratch: Path) -> Iterator[Figure]:
    """All figures, as they come."""
    others = list(rivals.installed(typed.rivals, scratch))
    for services in typed.services:
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder), Shape(services, typed.stack_size))
            project.write()
            yield from own(project, typed.runs, typed.limit)
            for other in others:
                yield beside(other, project, typed.rival_runs, typed.limit)


def main() -> None:
    """Prints a line for each figure."""
    typed = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        if typed.json:
            print(json.dumps([asdict(figure) for figure in figures(typed, Path(scratch))], indent=2))
            return
        print(HEADINGS)
        for figure in figures(typed, Path(scratch)):
            print(figure, flush=True)


if __name__ == "__main__":
    main()
