"""The matrix's three forms."""

import xml.etree.ElementTree as ET

import pytest

from fleetform.smoke import report
from fleetform.smoke.matrix import Matrix, MatrixCell, ServicePair, State
from fleetform.smoke.probe import Answer

WORKS = MatrixCell(
    ServicePair("web", "orders", 8080, declared=True, allowed=True, path="/healthz"),
    "works",
    "health path /healthz answered 200",
    Answer("orders", ("10.0.0.1", "10.0.0.2"), connected=True, status=200, error="", milliseconds=12),
)
OPEN = MatrixCell(
    ServicePair("orders", "web", 80, declared=False, allowed=True),
    "open",
    "connects: the security groups allow it",
    Answer("web", (), connected=True, status=None, error="DNS: no address", milliseconds=3),
)
WRONG = MatrixCell(
    ServicePair("worker", "web", 80, declared=False, allowed=False), "WRONG", 'no "task" <runs>'
)
BLOCKED = MatrixCell(
    ServicePair("worker", "orders", 8080, declared=False, allowed=False),
    "blocked",
    "timed out",
    Answer("orders", (), connected=False, status=None, error="timed out", milliseconds=2001),
)
MATRIX = Matrix("dev", "shared", (OPEN, WORKS, BLOCKED, WRONG))


def test_callers_are_down_and_callees_across() -> None:
    assert report.rows(MATRIX) == (
        ("", "orders", "web"),
        (("orders", "-", "open"), ("web", "works", "-"), ("worker", "blocked", "WRONG")),
    )


def test_many_callees_are_named_by_state() -> None:
    callees = [f"s{number:02}" for number in range(13)]
    states: dict[str, State] = {"s00": "works", "s01": "works", "s02": "WRONG", "s03": "open"}
    cells = [
        MatrixCell(
            ServicePair("web", callee, 80, declared=False, allowed=False), states.get(callee, "blocked"), ""
        )
        for callee in callees
    ]
    assert report.rows(Matrix("dev", "edges", tuple(cells))) == (
        ("caller", "works", "blocked", "open", "WRONG"),
        (("web", "s00, s01", "9", "s03", "s02"),),
    )


def test_no_pairs_give_no_rows() -> None:
    assert report.rows(Matrix("dev", "edges", ())) == (("",), ())


def test_what_is_wrong_gets_a_line() -> None:
    assert report.summary_lines(MATRIX) == ('worker -> web:80: no "task" <runs>',)


def test_json_has_every_pair() -> None:
    assert report.as_json(Matrix("dev", "shared", (WORKS, WRONG))) == {
        "environment": "dev",
        "security": "shared",
        "wrong": 1,
        "pairs": [
            {
                "caller": "web",
                "callee": "orders",
                "port": 8080,
                "declared": True,
                "state": "works",
                "reason": "health path /healthz answered 200",
                "resolved": ["10.0.0.1", "10.0.0.2"],
                "connected": True,
                "status": 200,
                "milliseconds": 12,
            },
            {
                "caller": "worker",
                "callee": "web",
                "port": 80,
                "declared": False,
                "state": "WRONG",
                "reason": 'no "task" <runs>',
                "resolved": [],
                "connected": None,
                "status": None,
                "milliseconds": None,
            },
        ],
    }


def test_junit_has_a_case_a_pair() -> None:
    assert report.junit(MATRIX) == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<testsuites name="invoke smoke" tests="4" failures="1" errors="0" skipped="1" time="2.016">'
        '<testsuite name="smoke dev" tests="4" errors="0" failures="1" skipped="1" time="2.016">'
        '<testcase name="orders does not call web:80" classname="dev.orders" time="0.003">'
        '<skipped message="connects: the security groups allow it" type="open" /></testcase>'
        '<testcase name="web calls orders:8080" classname="dev.web" time="0.012" />'
        '<testcase name="worker does not call orders:8080" classname="dev.worker" time="2.001" />'
        '<testcase name="worker does not call web:80" classname="dev.worker" time="0.0">'
        '<failure message="no &quot;task&quot; &lt;runs&gt;" type="WRONG" /></testcase>'
        "</testsuite></testsuites>\n"
    )


@pytest.mark.parametrize("cells", [(), (WORKS, OPEN, WRONG, BLOCKED)])
def test_junit_is_xml(cells: tuple[MatrixCell, ...]) -> None:
    root = ET.fromstring(report.junit(Matrix("dev", "edges", cells)))  # noqa: S314 - our own
    assert len(root.findall(".//testcase")) == len(cells)
