"""Reports of the smoke-test matrix: a table for the terminal, JSON for scripts, JUnit for pipelines."""

from typing import Any

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from fleetform.smoke.matrix import Matrix, MatrixCell

_COLUMNS = 12


def rows(matrix: Matrix) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return headings and rows of a table: callers down, callees across, `-` where nothing is tested.

    If there are too many callees for the screen's width, each row lists the callees of each state instead,
    and only counts those that are blocked.
    """
    states = {(cell.pair.caller, cell.pair.callee): cell.state for cell in matrix.cells}
    callers, callees = (sorted(set(names)) for names in zip(*states, strict=True)) if states else ((), ())
    if len(callees) > _COLUMNS:
        return ("caller", "works", "blocked", "open", "WRONG"), tuple(
            _lists(matrix, caller) for caller in callers
        )
    table = tuple((caller, *(states.get((caller, callee), "-") for callee in callees)) for caller in callers)
    return ("", *callees), table


def _lists(matrix: Matrix, caller: str) -> tuple[str, ...]:
    states = {cell.pair.callee: cell.state for cell in matrix.cells if cell.pair.caller == caller}
    works, opened, wrong = (
        ", ".join(callee for callee, state in states.items() if state == column) or "-"
        for column in ("works", "open", "WRONG")
    )
    blocked = sum(state == "blocked" for state in states.values())
    return caller, works, str(blocked), opened, wrong


def summary_lines(matrix: Matrix) -> tuple[str, ...]:
    """Return a line for each pair that contradicts the call graph."""
    return tuple(f"{_describe_pair(cell)}: {cell.reason}" for cell in matrix.wrong)


def _describe_pair(cell: MatrixCell) -> str:
    return f"{cell.pair.caller} -> {cell.pair.callee}:{cell.pair.port}"


def as_json(matrix: Matrix) -> dict[str, Any]:
    """Return the matrix as a JSON document; see docs/smoke.md."""
    return {
        "environment": matrix.environment,
        "security": matrix.security,
        "wrong": len(matrix.wrong),
        "pairs": [_cell_as_json(cell) for cell in matrix.cells],
    }


def _cell_as_json(cell: MatrixCell) -> dict[str, Any]:
    pair, answer = cell.pair, cell.answer
    return {
        "caller": pair.caller,
        "callee": pair.callee,
        "port": pair.port,
        "declared": pair.declared,
        "state": cell.state,
        "reason": cell.reason,
        "resolved": list(answer.resolved) if answer else [],
        "connected": answer.connected if answer else None,
        "status": answer.status if answer else None,
        "milliseconds": answer.milliseconds if answer else None,
    }


def junit(matrix: Matrix) -> str:
    """Return a JUnit document with a test case for each pair: `WRONG` fails, `open` is skipped."""
    suite = TestSuite(f"smoke {matrix.environment}")
    suite.add_testcases([_case(matrix, cell) for cell in matrix.cells])
    document = JUnitXml("invoke smoke")
    document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    text: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text.decode()}\n'


def _case(matrix: Matrix, cell: MatrixCell) -> TestCase:
    verb = "calls" if cell.pair.declared else "does not call"
    name = f"{cell.pair.caller} {verb} {cell.pair.callee}:{cell.pair.port}"
    case = TestCase(
        name,
        f"{matrix.environment}.{cell.pair.caller}",
        (cell.answer.milliseconds if cell.answer else 0) / 1000,
    )
    if cell.state == "WRONG":
        case.result = [Failure(cell.reason, "WRONG")]
    if cell.state == "open":
        case.result = [Skipped(cell.reason, "open")]
    return case
