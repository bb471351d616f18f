"""Applies each change to a running environment and takes it back: ``python benchmarks/transitions.py``.

Exit 1 if something that should survive was interrupted, a command failed, or a second plan was not empty.
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.transitions.runner import Bench  # noqa: E402 - the path above is needed first
from tests.transitions.table import CHANGES  # noqa: E402


def main() -> int:
    """Print two lines for each change: there, and back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these changes")
    typed = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            if problems := bench.apply_base():
                print(*problems, sep="\n")
                return 1
            for change in CHANGES:
                if typed.only and change.name not in typed.only:
                    continue
                for way, step in zip(("there", "back"), bench.change(change), strict=True):
                    wrong = [*step.interruptions, *step.problems]
                    failed = failed or bool(wrong)
                    print(
                        f"{step.seconds:7.1f}  {'WRONG' if wrong else 'sound'}  {way:5}  {change.name}",
                        *wrong,
                        sep="\n",
                        flush=True,
                    )
        finally:
            bench.stop()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
