"""Reads and judges Terraform that others wrote: ``python benchmarks/corpus.py FOLDER...``.

Clones of large public repositories are good folders. Files that cannot be read are listed, with what
Terraform's own parser makes of them. Then each folder with Terraform files is taken for a root module: all
rules run on its resources. An exception there is a bug of ours, and exit code 1; findings tell what the rules
make of strangers' code, no more. The rules for an environment compare with the sample's `prod`, which is
none of theirs: only exceptions count.
"""

import argparse
import functools
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fleetform.base.cache import Cache  # noqa: E402
from fleetform.base.errors import FleetformError  # noqa: E402
from fleetform.catalog.models import Environment  # noqa: E402
from fleetform.hcl.eval.library import ENDINGS, Library  # noqa: E402
from fleetform.policy.checking import Policy  # noqa: E402
from fleetform.policy.rules import built_in_rules  # noqa: E402
from fleetform.terraform.installation import find_program  # noqa: E402
from fleetform.validation.loading import load  # noqa: E402 - the path above is needed first
from fleetform.workflow.check.facts import rule_facts  # noqa: E402
from tests import sample  # noqa: E402

SECONDS = 60
_CACHE_SIZE = 2**30


@dataclass
class Corpus:
    """A folder with Terraform files, all of which have been read.

    Attributes:
        root: The folder.
        cache: The cache of its files.
        library: Its files.
        folders: The folders with such files, named from it.
        crashes: Exceptions while reading.
    """

    root: Path
    cache: Cache
    library: Library = field(init=False)
    folders: list[PurePath] = field(init=False)
    crashes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Reads the files."""
        self.library = Library(self.root, self.cache, b"")
        found = (path for path in self.root.rglob("*") if path.name.endswith(ENDINGS) and path.is_file())
        folders = {path.parent.relative_to(self.root) for path in found if not path.name.startswith(".")}
        self.folders = sorted(folders)
        for folder in self.folders:
            load = functools.partial(self.library.load, self.library.paths(folder))
            self.crashes += attempt(self.root / folder, load)

    @property
    def lines(self) -> list[int]:
        """How many lines each file has."""
        paths = [path for folder in self.folders for path in self.library.paths(folder)]
        return [(self.root / path).read_bytes().count(b"\n") for path in paths]

    def unreadable(self) -> Iterator[str]:
        """The files that cannot be read."""
        for error in self.library.unreadable(
            path for folder in self.folders for path in self.library.paths(folder)
        ):
            yield f"{error} ({verdict((self.root / error.position.file).read_bytes())})"


def verdict(content: bytes) -> str:
    """Whether Terraform's parser reads a file that ours does not."""
    argv = [find_program(), "fmt", "-no-color", "-"]
    code = subprocess.run(argv, input=content, capture_output=True, check=False).returncode
    return "Terraform refuses it too" if code else "Terraform reads it"


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
    policy = Policy(corpus.library, corpus.cache, b"", built_in_rules(), rule_facts(environment))
    for folder in corpus.folders:
        act = functools.partial(_judge_folder, policy, environment, folder, answers)
        answers.crashes += attempt(corpus.root / folder, act)
    return answers


def _judge_folder(policy: Policy, environment: Environment, folder: PurePath, answers: Answers) -> None:
    verdicts = policy.check(lambda: environment, b"", [folder]).verdicts
    answers.resources += len(policy.resources(folder))
    answers.findings.update(finding.rule for finding in verdicts.findings)
    answers.open.update(question.rule for question in verdicts.open)


def attempt(folder: Path, act: Callable[[], object]) -> list[str]:
    """What goes wrong where nothing should; our own errors are no exceptions."""
    try:
        with limited(SECONDS), suppress(FleetformError):
            act()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we are here for
        return [f"{folder}: {error!r} at {_line(error)}"]
    return []


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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="the root of a repository")
    return parser.parse_args(argv)


def report(folder: Path, environment: Environment) -> Answers:
    """Prints what there is in a folder."""
    with tempfile.TemporaryDirectory() as work:
        started = time.perf_counter()
        corpus = Corpus(folder, Cache(Path(work, "cache.sqlite"), _CACHE_SIZE))
        read = time.perf_counter()
        answers = judge(corpus, environment)
        judged = time.perf_counter()
        unreadable = list(corpus.unreadable())
    lines = corpus.lines
    print(
        f"{folder}: {len(lines)} files of {sum(lines)} lines, {len(unreadable)} not read, in"
        f" {read - started:.1f} s;"
    )
    print(
        f"  {answers.resources} resources in {len(corpus.folders)} folders, judged in {judged - read:.1f} s"
    )
    answers.crashes = corpus.crashes + answers.crashes
    for line in (
        *(f"not read: {each}" for each in unreadable),
        *(f"CRASH: {each}" for each in answers.crashes),
    ):
        print(f"  {line}", flush=True)
    return answers


def main() -> int:
    """Prints what there is in each folder, and what the rules say of all; returns the exit code."""
    environment = load(sample.FOLDER, "prod")
    all_answers = [report(folder, environment) for folder in arguments().folders]
    findings = sum((answers.findings for answers in all_answers), Counter[str]())
    open_ = sum((answers.open for answers in all_answers), Counter[str]())
    for rule in sorted(findings | open_):
        print(f"{rule}: {findings[rule]} findings, {open_[rule]} open")
    return 1 if any(answers.crashes for answers in all_answers) else 0


if __name__ == "__main__":
    sys.exit(main())
