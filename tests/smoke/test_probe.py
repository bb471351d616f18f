"""What is read of a container's output."""

import json
from typing import Any

import pytest

from fleetform.base.errors import ProgramError
from fleetform.smoke.probe import Answer, Target, answers, probe_request

ORDERS = Target("orders", "orders.dev.shop.internal", ("10.0.0.1",), 8080, "/healthz")
STOCK = Target("stock", None, (), 80)
WELL = {"resolved": ["10.0.0.1"], "connected": True, "status": 200, "error": "", "milliseconds": 7}
UNCLEAR = "the probe of 1 targets did not print an answer for each; run the command again"


def line(*values: Any) -> str:  # noqa: ANN401 - whatever a container prints
    return f"fleetform-smoke {json.dumps(values)}\n"


def test_a_probe_request_is_only_python_and_its_targets_are_input() -> None:
    question = probe_request([ORDERS, STOCK])
    assert question.argv[:3] == ("python3", "-I", "-c")
    assert json.loads(question.stdin) == [
        ["orders.dev.shop.internal", ["10.0.0.1"], 8080, "/healthz"],
        [None, [], 80, None],
    ]


def test_answers_belong_to_the_targets_in_their_order() -> None:
    blocked = {"resolved": [], "connected": False, "status": None, "error": "timed out", "milliseconds": 2000}
    assert answers([ORDERS, STOCK], line(WELL, blocked)) == (
        Answer("orders", ("10.0.0.1",), connected=True, status=200, error="", milliseconds=7),
        Answer("stock", (), connected=False, status=None, error="timed out", milliseconds=2000),
    )


def test_what_is_printed_around_them_is_passed_over() -> None:
    output = f"warning\r\n{line()}% {line(WELL).strip()}\r\nbye\r\n"
    assert answers([ORDERS], output) == (
        Answer("orders", ("10.0.0.1",), connected=True, status=200, error="", milliseconds=7),
    )


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("", id="nothing"),
        pytest.param("fleetform-smoke ", id="half a line"),
        pytest.param("fleetform-smoke " + "[" * 100_000, id="deep"),
        pytest.param("fleetform-smoke [" + "9" * 10_000 + "]", id="a huge number"),
        pytest.param(line(WELL)[:-5], id="cut"),
        pytest.param(line(), id="too few"),
        pytest.param(line(WELL, WELL), id="too many"),
        pytest.param(line({**WELL, "connected": 1}), id="no boolean"),
        pytest.param(line({**WELL, "status": 7}), id="no status"),
        pytest.param(line({**WELL, "status": True}), id="a boolean"),
        pytest.param(line({**WELL, "error": "\x1b[2J"}), id="an escape sequence"),
        pytest.param(line({**WELL, "error": "x\n"}), id="a second line"),
        pytest.param(line({**WELL, "error": "x" * 10_001}), id="a long text"),
        pytest.param(line({**WELL, "resolved": ["evil host"]}), id="no address"),
        pytest.param(line({**WELL, "resolved": ["::1"] * 1001}), id="many addresses"),
        pytest.param(line({**WELL, "milliseconds": -1}), id="before its time"),
    ],
)
def test_an_invalid_answer_is_refused(output: str) -> None:
    with pytest.raises(ProgramError) as refused:
        answers([ORDERS], output)
    assert str(refused.value) == UNCLEAR


def test_what_was_printed_instead_is_shown_harmless() -> None:
    with pytest.raises(ProgramError) as refused:
        answers([ORDERS], "\x1b]0;mine\x07\nno python3 é\r\n")
    assert refused.value.output == "?]0;mine?\nno python3 é"
