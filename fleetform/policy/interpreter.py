"""Runs a file of Rego with regopy, in a process of its own: a program in C++ can be stopped, and may crash, only there.

Usage: interpreter.py <file> <query>, with the input as JSON on standard input; prints the query's value as JSON.
"""

import json
import sys
from pathlib import Path

from regopy import Interpreter, RegoError


def main(file: str, query: str) -> None:
    """Runs a query."""
    interpreter = Interpreter()  # what it returns lives no longer than itself
    try:
        interpreter.add_module(Path(file).name, Path(file).read_text(encoding="utf-8"))
        interpreter.set_input(json.load(sys.stdin))
        results = interpreter.query(query).results
    except RegoError as error:
        sys.exit(str(error))
    sys.stdout.write(json.dumps(results[0].expressions[0] if results and results[0].expressions else None))


if __name__ == "__main__":
    main(*sys.argv[1:])
