"""Runs a file of Rego with regopy, in a process of its own: a program in C++ can be stopped, and may crash, only there.

Usage: interpreter.py <file> <query>, with the input as JSON on standard input; prints the query's value as JSON.
"""

import json
import sys
from importlib import import_module
from pathlib import Path


def main(file: str, query: str) -> None:
    """Runs a query."""
    regopy = import_module("regopy")  # untyped, and not there if another engine is
    interpreter = regopy.Interpreter()  # what it returns lives no longer than itself
    try:
        interpreter.add_module(Path(file).name, Path(file).read_text(encoding="utf-8"))
        interpreter.set_input(json.load(sys.stdin))
        output = interpreter.query(query)
    except regopy.RegoError as error:
        sys.exit(str(error))
    if not output.ok():
        sys.exit(f"{query} cannot be evaluated")  # regopy 1.5 crashes when it is asked why
    values = [value for result in output.results for value in result.expressions]
    sys.stdout.write(json.dumps(values[0] if values else None))


if __name__ == "__main__":
    main(*sys.argv[1:])
