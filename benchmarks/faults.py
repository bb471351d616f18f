"""Disturbs applies to the emulator, and says whether anything was lost: ``python benchmarks/faults.py``.

Two kinds of trials, each on a small project of two services and 48 resources, with an emulator of its own:

- kills: a render, a plan or an apply is ended at a random moment by a signal to our process or to all
  processes, by SIGTERM, or by one or two Ctrl-C; it is done again.
- faults: some of Terraform's requests are delayed, lost before or after they were carried out, throttled, or
  answered with 500 or 503. The emulator is kept from knowing a request again that is sent again: AWS does not
  either.

Each is followed by an apply that is not disturbed and a look for drift; then all that the emulator has is
compared with the states. A trial is sound if that apply ended well, there is no drift, nothing that a state
has is missing, and nothing is there that no state has but what has a cause that is told. Exit 1 if one is
not.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.faults.trials import Trial, fault, kill  # noqa: E402 - the path above is needed first

HEADINGS = "trial  seed  seconds  code  result  what"


def line(name: str, trial: Trial) -> str:
    """A trial as a line of the table, with what is to be said of it below."""
    result = "sound" if trial.sound else "WRONG"
    told = [f"{name:5}  {trial.seed:4}  {trial.seconds:7.0f}  {trial.code:4}  {result:6}  {trial.what}"]
    told += [
        f"       {orphan}: {trial.explained.get(orphan, 'NOT IN ANY STATE')}" for orphan in trial.orphans
    ]
    told += [f"       {lost}: IN A STATE, AND MISSING" for lost in trial.lost]
    told += [f"       {left}: LEFT BEHIND" for left in trial.left]
    return "\n".join(told if trial.recovered else [*told, "       THE NEXT APPLY FAILED, OR LEFT DRIFT"])


def trials(typed: argparse.Namespace) -> Iterator[tuple[str, Trial]]:
    """All trials, as they end; what the tasks printed of those that are wrong is kept."""
    for seed in range(typed.seed, typed.seed + typed.kills):
        with tempfile.TemporaryDirectory() as folder:
            yield "kill", kill(Path(folder), seed)
    for seed in range(typed.seed, typed.seed + typed.faults):
        with tempfile.TemporaryDirectory() as folder:
            yield "fault", fault(Path(folder), seed, typed.rate / 100)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """What is typed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="how many tasks are ended")
    parser.add_argument("--faults", type=int, default=20, metavar="N", help="how many applies meet faults")
    parser.add_argument(
        "--rate", type=float, default=10, metavar="PERCENT", help="of the requests that meet a fault"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the first trial of each kind")
    parser.add_argument(
        "--logs", type=Path, metavar="FOLDER", help="gets what the tasks of each trial printed"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, at the end")
    return parser.parse_args(argv)


def main() -> int:
    """Prints a line for each trial and their sum; 1 if one is wrong."""
    typed = arguments()
    # A shell that runs us in its background ignores Ctrl-C for us and all that we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    found = []
    if not typed.json:
        print(HEADINGS)
    for name, trial in trials(typed):
        found.append((name, trial))
        if typed.logs:
            typed.logs.mkdir(parents=True, exist_ok=True)
            (typed.logs / f"{name}-{trial.seed}.log").write_text(trial.output, encoding="utf-8")
        if not typed.json:
            print(line(name, trial), flush=True)
    wrong = sum(not trial.sound for _, trial in found)
    if typed.json:
        told = [{"trial": name, "sound": trial.sound, **asdict(trial)} for name, trial in found]
        print(json.dumps(told, indent=2))
    else:
        print(f"{len(found) - wrong} of {len(found)} sound")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
