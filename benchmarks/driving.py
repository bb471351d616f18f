"""Times what we add to Terraform, and what stacks, jobs, and a commit to compare with gain.

``python benchmarks/driving.py``, where nothing else runs on the machine.

The projects are like the sample's `prod` and are planned against an emulator of their own, which has their
foundation applied:

- overhead: `invoke plan` of one stack, interpreter start included, and Terraform's own plan of it, with the
  same flags in the same data folder, in turn; the ratio is the median of those of the pairs. From an empty
  state, and applied. Terraform's own runs as a person starts it, with the garbage collector that Go has by
  default.
- stacks: `invoke plan` of all services in one stack, and in six, with so many jobs at a time.
- changed: `invoke plan --changed-since` a commit of which one service differs, and of everything, in six
  stacks.

The memory is the largest process's, which is the provider.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import large_project  # noqa: E402 - the path above is needed first
from benchmarks.large_project import ENVIRONMENT, Shape  # noqa: E402
from benchmarks.processes import Run, run  # noqa: E402
from fleetform import emulator  # noqa: E402
from fleetform.stacks import FOUNDATION  # noqa: E402
from fleetform.workflow.apply import states, terraform  # noqa: E402
from fleetform.workflow.project import Project  # noqa: E402
from fleetform.workflow.workspace import Workspace, open_workspace  # noqa: E402

GROUPS = 6
PARTS = ("overhead", "stacks", "changed")
SIZES = (10, 100, 300)
JOBS = (1, 2)
LIMIT = 1800
# Of overhead: so many services make more than a hundred resources, and so few that a plan takes as long as it
# can in relation.
OVERHEAD_OF = 10
HAS_CHANGES = 2
_ADDED = re.compile(r"^Plan: (\d+) to add", re.MULTILINE)
_EMULATED = "\nemulator: true\nprotection: false\n"


@dataclass(frozen=True)
class Figure:
    """A line of the table.

    Attributes:
        services: How many services the project has.
        what: What was run.
        seconds: Median wall time.
        mib: Peak of the largest process.
        runs: Of how many runs.
        ratio: Against what the line says, or the line before; 0 if it is against nothing.
    """

    services: int
    what: str
    seconds: float
    mib: float
    runs: int
    ratio: float = 0.0

    def __str__(self) -> str:
        """The line, in columns."""
        ratio = f"{self.ratio:6.3f}" if self.ratio else " " * 6
        return f"{self.services:8}  {self.seconds:7.2f}  {self.mib:5.0f}  {self.runs:4}  {ratio}  {self.what}"


HEADINGS = "services  seconds    MiB  runs   ratio  what"


@dataclass(frozen=True)
class Fleet:
    """A project whose foundation is applied to an emulator.

    Attributes:
        root: Its folder.
        services: How many services it has.
    """

    root: Path
    services: int

    def write(self) -> None:
        """Makes it, and applies the foundation."""
        made = large_project.Project(self.root, Shape(self.services, 0))
        made.write()
        environment = self.root / f"envs/{ENVIRONMENT}/environment.yaml"
        text = re.sub(r"(?m)^protection:.*\n", "", environment.read_text(encoding="utf-8"))
        # Through endpoints, 60 services are all that AWS's quota of rules lets into their group.
        text = text.replace("  subnets: private\n", "  subnets: private\n  nat: single\n")
        environment.write_text(text + _EMULATED, encoding="utf-8")
        (self.root / ".gitignore").write_text(".fleetform/\n.terraform*\n__pycache__/\n", encoding="utf-8")
        self.invoke("render")
        self.apply(FOUNDATION.name)

    def group(self, stacks: int) -> None:
        """Has the services in so many stacks, as a commit has it."""
        size = 0 if stacks == 1 else -(-self.services // stacks)
        large_project.Project(self.root, Shape(self.services, size)).change(0)
        self.invoke("render")
        git = ["git", "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
        for arguments in (
            ["init", "-q"],
            ["add", "-A"],
            ["commit", "-q", "--allow-empty", "-m", f"{stacks} stacks"],
        ):
            subprocess.run([*git, *arguments], cwd=self.root, check=True)

    def change(self) -> None:
        """Gives one service another variable, rendered and not committed."""
        catalog = self.root / "envs/catalog.yaml"
        text = catalog.read_text(encoding="utf-8")
        catalog.write_text(text.replace("CHANGE: '0'", "CHANGE: '1'"), encoding="utf-8")
        self.invoke("render")

    def invoke(self, *arguments: str) -> Run:
        """A whole command, interpreter start included."""
        return succeeded(
            [sys.executable, "-m", "invoke", *arguments, "--env", ENVIRONMENT], self.root, os.environ
        )

    def plan(self, *arguments: str) -> Run:
        """A plan."""
        return self.invoke("plan", *arguments)

    def raw_plan(self, name: str) -> Run:
        """Terraform's own plan of a stack that has been planned by us: it is initialised, then."""
        workspace = self._workspace()
        stack = next(stack for stack in workspace.stacks if stack.name == name)
        argv = workspace.terraform(stack).plan(workspace.work / "raw.tfplan")
        variables = {name: value for name, value in workspace.variables_of(stack).items() if name != "GOGC"}
        return succeeded(argv, self.root, variables)

    def apply(self, name: str) -> None:
        """Applies a stack."""
        workspace = self._workspace()
        states.require_bucket(workspace)
        stack = next(stack for stack in workspace.stacks if stack.name == name)
        terraform.init(workspace, stack)
        terraform.apply(workspace, terraform.plan(workspace, stack))

    def _workspace(self) -> Workspace:
        return open_workspace(Project(self.root), ENVIRONMENT)


def succeeded(argv: list[str], folder: Path, variables: Mapping[str, str]) -> Run:
    """A run that ended well."""
    made = run(argv, folder, variables, LIMIT)
    if made.code not in {0, HAS_CHANGES}:
        raise SystemExit(f"{' '.join(argv)} failed ({made.code})\n{made.output}{made.errors}")
    return made


@contextmanager
def fleet(services: int) -> Iterator[Fleet]:
    """A project that is gone afterwards, with its emulator."""
    with tempfile.TemporaryDirectory() as folder:
        made = Fleet(Path(folder), services)
        try:
            made.write()
            yield made
        finally:
            emulator.stop(made.root / ".fleetform")


def overhead(made: Fleet, runs: int) -> Iterator[Figure]:
    """What we add to the plan of one stack: of one that is not applied yet, and of the same one applied."""
    made.group(1)
    for state in ("empty", "applied"):
        if state == "applied":
            made.apply("services")
        made.plan("--stack", "services")
        own: list[Run] = []
        raw: list[Run] = []
        for number in range(runs):
            for _ in range(2):
                if (number + len(own) + len(raw)) % 2:
                    own.append(made.plan("--stack", "services"))
                else:
                    raw.append(made.raw_plan("services"))
        added = _ADDED.search(raw[0].output)
        size = f"{added[1]} to add" if added else "no changes"
        yield figure(made.services, f"terraform plan, {state} state, {size}", raw)
        ratio = statistics.median(one.seconds / other.seconds for one, other in zip(own, raw, strict=True))
        yield figure(made.services, "invoke plan --stack services, against the line above", own, ratio)


def stacks(made: Fleet, runs: int) -> Iterator[Figure]:
    """What many stacks cost, and what jobs gain."""
    first = 0.0
    for count in (1, GROUPS):
        made.group(count)
        made.plan()
        for jobs in JOBS:
            found = figure(
                made.services,
                f"invoke plan --jobs {jobs}, services in {count}, against one with one job",
                [made.plan("--jobs", str(jobs)) for _ in range(runs)],
            )
            first = first or found.seconds
            yield Figure(**{**asdict(found), "ratio": found.seconds / first})


def changed(made: Fleet, runs: int) -> Iterator[Figure]:
    """What `--changed-since` saves where one service differs."""
    made.group(GROUPS)
    made.plan()
    made.change()
    whole = figure(
        made.services, f"invoke plan, one service changed, services in {GROUPS}", _each(made, runs)
    )
    yield whole
    some = figure(
        made.services, "invoke plan --changed-since HEAD, against the line above", _each(made, runs, "HEAD")
    )
    yield Figure(**{**asdict(some), "ratio": some.seconds / whole.seconds})


def _each(made: Fleet, runs: int, since: str = "") -> list[Run]:
    return [made.plan(*(["--changed-since", since] if since else [])) for _ in range(runs)]


def figure(services: int, what: str, made: Sequence[Run], ratio: float = 0.0) -> Figure:
    """A line of some runs."""
    seconds = statistics.median(each.seconds for each in made)
    return Figure(services, what, seconds, max(each.mib for each in made), len(made), ratio)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """What is typed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what is measured")
    parser.add_argument(
        "--services", type=int, nargs="+", default=SIZES, metavar="N", help="sizes, of `stacks`"
    )
    parser.add_argument(
        "--runs", type=int, default=5, metavar="N", help="runs of each figure, or pairs of runs"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, at the end")
    return parser.parse_args(argv)


def figures(typed: argparse.Namespace) -> Iterator[Figure]:
    """All figures, as they come; `changed` is of the largest size alone."""
    if "overhead" in typed.parts:
        with fleet(OVERHEAD_OF) as made:
            yield from overhead(made, typed.runs)
    for services in typed.services:
        parts = {"stacks", *(["changed"] if services == max(typed.services) else [])} & set(typed.parts)
        if parts:
            with fleet(services) as made:
                yield from stacks(made, typed.runs) if "stacks" in parts else ()
                yield from changed(made, typed.runs) if "changed" in parts else ()


def main() -> None:
    """Prints a line for each figure."""
    typed = arguments()
    if typed.json:
        print(json.dumps([asdict(figure) for figure in figures(typed)], indent=2))
        return
    print(HEADINGS)
    for found in figures(typed):
        print(found, flush=True)


if __name__ == "__main__":
    main()
