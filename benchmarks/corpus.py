"""Reads and judges Terraform that others wrote: ``python benchmarks/corpus.py FOLDER...``.

Clones of large public repositories are good folders. Files that cannot be read are listed, with what Terraform's own
parser makes of them. Then each folder with Terraform files is taken for a root module: all rules run on its resources.
An exception there is a bug of ours, and exit code 1; findings tell what the rules make of strangers' code, no more. The
rules for an environment compare with the catalog of `envs/prod`, which is none of theirs: only exceptions count.
"""

import argparse
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fleetform import collector  # noqa: E402 - the path above is needed first
from fleetform.catalog.loading import load  # noqa: E402
from fleetform.catalog.models import Environment  # noqa: E402
from fleetform.errors import FleetformError  # noqa: E402
from fleetform.hcl.parsing import parse  # noqa: E402
from fleetform.hcl.syntax import File  # noqa: E402
from fleetform.policy.checking import facts_of  # noqa: E402
from fleetform.policy.judging import judge_environment, judge_resources  # noqa: E402
from fleetform.policy.modules import Module, declarations  # noqa: E402
from fleetform.policy.rules import shipped  # noqa: E402
from fleetform.policy.view import View, resources  # noqa: E402
from fleetform.terraform.installation import find_program  # noqa: E402

ENDINGS = frozenset({".tf", ".tfvars"})
SECONDS = 60


@dataclass
class Corpus:
    """The readable files below a folder.

    Attributes:
        root: The folder.
        files: Its files by their folder, which is named from it.
        unreadable: What is wrong with the others.
        lines: How many lines all have.
    """

    root: Path
    files: dict[PurePath, list[File]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    lines: int = 0

    def __call__(self, folder: PurePath) -> Iterable[File]:
        """The files of a folder."""
        return self.files.get(folder, [])

    def add(self, path: PurePath) -> None:
        """Reads a file."""
        content = (self.root / path).read_bytes()
        self.lines += content.count(b"\n")
        try:
            self.files.setdefault(path.parent, []).append(parse(content, path))
        except FleetformError as error:
            self.unreadable.append(f"{error} ({verdict(content)})")


def verdict(content: bytes) -> str:
    """Whether Terraform's parser reads a file that ours does not."""
    argv = [find_program(), "fmt", "-no-color", "-"]
    code = subprocess.run(argv, input=content, capture_output=True, check=False).returncode
    return "Terraform refuses it too" if code else "Terraform reads it"


def read(root: Path) -> Corpus:
    """Reads all Terraform files below a folder."""
    corpus = Corpus(root)
    found = (path for path in root.rglob("*") if path.suffix in ENDINGS and path.is_file())
    for path in sorted(found):
        corpus.add(path.relative_to(root))
    return corpus


@dataclass
class Answers:
    """What rules say of all folders of a corpus.

    Attributes:
        resources: How many resources there are.
        findings: How often each rule finds something.
        open: How often each rule needs to know more.
        crashes: Exceptions, with the folder and our line.
    """

    resources: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)


def judge(corpus: Corpus, environment: Environment) -> Answers:
    """Runs all rules on each folder as a root module."""
    answers = Answers()
    for folder in sorted(corpus.files):
        try:
            with limited(SECONDS):
                _judge_folder(corpus, folder, environment, answers)
        except FleetformError as error:
            answers.findings[f"refused: {error}"] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we are here for
            answers.crashes.append(f"{corpus.root / folder}: {error!r} at {_line(error)}")
    return answers


def _judge_folder(corpus: Corpus, folder: PurePath, environment: Environment, answers: Answers) -> None:
    rules, files = shipped(), list(corpus(folder))
    module = Module(corpus, folder, declarations(files))
    view = View(tuple(resources(module, folder.name, [file.path for file in files])))
    answers.resources += len(view.resources)
    judgement = judge_resources(view.resources, rules, facts_of(environment))
    answers.findings.update(finding.rule for finding in judgement.findings)
    answers.open.update(question.rule for question in judgement.open)
    judge_environment(view, rules, environment)


def _line(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raises a TimeoutError in what takes longer."""

    def late(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """What is typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="the root of a repository")
    return parser.parse_args(argv)


def main() -> int:
    """Prints what there is in each folder; returns the exit code."""
    environment, total = load(ROOT, "prod"), Answers()
    for folder in arguments().folders:
        started = time.perf_counter()
        with collector.paused():
            corpus = read(folder)
        reading = time.perf_counter() - started
        count = sum(map(len, corpus.files.values())) + len(corpus.unreadable)
        started = time.perf_counter()
        answers = judge(corpus, environment)
        judging = time.perf_counter() - started
        print(
            f"{folder}: {count} files of {corpus.lines} lines, {len(corpus.unreadable)} not read, in {reading:.1f} s;"
        )
        print(f"  {answers.resources} resources in {len(corpus.files)} folders, judged in {judging:.1f} s")
        for line in corpus.unreadable:
            print(f"  not read: {line}")
        for line in answers.crashes:
            print(f"  CRASH: {line}", flush=True)
        total.findings += answers.findings
        total.open += answers.open
        total.crashes += answers.crashes
    for rule in sorted(total.findings | total.open):
        print(f"{rule}: {total.findings[rule]} findings, {total.open[rule]} open")
    return 1 if total.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
