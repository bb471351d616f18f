"""Runs a Rego file with regopy in a separate process: only there can a C++ program be stopped, or crash.

Usage: interpreter.py <file> <query>, with the input as JSON on standard input.
Prints the query's value as JSON.
"""

import json
import sys
from importlib import import_module
from pathlib import Path


def main(file: str, query: str) -> None:
    """Run a query."""
    regopy = import_module("regopy")  # untyped, and optional
    interpreter = regopy.Interpreter()  # its results live only as long as it does
    try:
        interpreter.add_module(Path(file).name, Path(file).read_text(encoding="utf-8"))
        interpreter.set_input(json.load(sys.stdin))
        output = interpreter.query(query)
    except regopy.RegoError as error:
        sys.exit(str(error))
    if not output.ok():
        sys.exit(f"{query} cannot be evaluated")  # regopy 1.5 crashes when asked for the reason
    values = [value for result in output.results for value in result.expressions]
    sys.stdout.write(json.dumps(values[0] if values else None))


if __name__ == "__main__":
    main(*sys.argv[1:])
