"""What is expected of each pair, and what is made of the answers."""

from typing import Any

import pytest

from fleetform.catalog.models import Autoscaling, Environment, HealthCheck, Service
from fleetform.smoke.matrix import (
    Matrix,
    MatrixCell,
    ServicePair,
    State,
    expected_matrix,
    targets,
    with_answers,
)
from fleetform.smoke.probe import Answer, Target

HEALTH = HealthCheck(command=("check",), path="/healthz")
CHAIN = {
    "web": Service(image="x", port=80, public=True, calls=("orders",)),
    "orders": Service(image="x", port=8080, health_check=HEALTH),
    "worker": Service(image="x", calls=("orders",)),
}


def environment(services: dict[str, Service] = CHAIN, **values: Any) -> Environment:  # noqa: ANN401 - any of its fields
    fixed = {"name": "dev", "application": "shop", "account": "123456789012", "region": "ap-northeast-1"}
    zones = ("ap-northeast-1a", "ap-northeast-1c")
    return Environment(**{"zones": zones, "services": services, **fixed, **values})


def answer(callee: str, *, status: int | None = None, error: str = "") -> Answer:
    """An answer that connected, unless it is an error alone."""
    return Answer(callee, ("10.0.0.1",), not error, status, error, 5)


DECLARED = ServicePair("web", "orders", 8080, declared=True, allowed=True, path="/healthz")
UNDECLARED = ServicePair("orders", "web", 80, declared=False, allowed=False)


def test_every_pair_whose_callee_listens_is_expected() -> None:
    assert expected_matrix(environment()) == (
        UNDECLARED,
        DECLARED,
        ServicePair("worker", "orders", 8080, declared=True, allowed=True, path="/healthz"),
        ServicePair("worker", "web", 80, declared=False, allowed=False),
    )


def test_the_shared_group_lets_everything_through() -> None:
    assert [(pair.declared, pair.allowed) for pair in expected_matrix(environment(security="shared"))] == [
        (False, True),
        (True, True),
        (True, True),
        (False, True),
    ]


def test_a_call_of_another_port_declares_only_that_port() -> None:
    calls = [{"service": "b", "port": "admin"}, {"service": "b", "port": "dns"}]
    ports = {"admin": 9090, "dns": {"container_port": 80, "protocol": "udp"}}
    services = {"a": Service(image="x", calls=calls), "b": Service(image="x", port=80, ports=ports)}
    assert expected_matrix(environment(services)) == (
        ServicePair("a", "b", 80, declared=False, allowed=False),
    )


def test_a_public_callee_on_the_port_of_https_is_allowed() -> None:
    """Every service may leave on 443, to pull its image, and anyone may enter there."""
    services = {"a": Service(image="x"), "b": Service(image="x", port=443, public=True)}
    assert expected_matrix(environment(services)) == (
        ServicePair("a", "b", 443, declared=False, allowed=True),
    )


@pytest.mark.parametrize(
    "idle",
    [
        Service(image="x", port=80, calls=("orders",), desired_count=0),
        Service(image="x", port=80, calls=("orders",), autoscaling=Autoscaling(min=0, max=2)),
    ],
    ids=["none desired", "scaled to none"],
)
def test_a_service_without_tasks_is_in_no_pair(idle: Service) -> None:
    assert expected_matrix(environment({**CHAIN, "web": idle})) == (
        ServicePair("worker", "orders", 8080, declared=True, allowed=True, path="/healthz"),
    )


def test_a_declared_call_is_tried_by_its_name_and_health_path() -> None:
    found = targets(environment(), "web", {"orders": ["10.0.0.1"]})
    assert found == (Target("orders", "orders.dev.shop.internal", (), 8080, "/healthz"),)


def test_where_no_call_is_declared_the_addresses_are_tried_too() -> None:
    found = targets(environment(), "orders", {"web": ["10.0.0.1", "10.0.0.2"]})
    assert found == (Target("web", "web.dev.shop.internal", ("10.0.0.1", "10.0.0.2"), 80),)


def test_a_service_without_tasks_tries_nothing() -> None:
    idle = CHAIN["worker"].model_copy(update={"desired_count": 0})
    assert targets(environment({**CHAIN, "worker": idle}), "worker") == ()


def cell(security: str, caller: str, callee: str, reply: Answer) -> tuple[State, str]:
    """State and reason of one pair."""
    cells = with_answers(environment(security=security), {caller: [reply]}).cells
    (found,) = (cell for cell in cells if (cell.pair.caller, cell.pair.callee) == (caller, callee))
    return found.state, found.reason


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (answer("orders", status=200), ("works", "health path /healthz answered 200")),
        (answer("orders", status=302), ("works", "health path /healthz answered 302")),
        (answer("orders", status=500), ("WRONG", "health path /healthz answered 500")),
        (answer("orders", status=404), ("WRONG", "health path /healthz answered 404")),
        (answer("orders"), ("WRONG", "no answer on health path /healthz")),
        (answer("orders", error="DNS: no address"), ("WRONG", "DNS: no address")),
        (answer("orders", error="connection refused"), ("WRONG", "connection refused")),
        (answer("orders", error="timed out"), ("WRONG", "timed out")),
        (
            Answer("orders", (), connected=True, status=200, error="10.0.0.2: timed out", milliseconds=5),
            ("WRONG", "10.0.0.2: timed out"),
        ),
        (
            Answer("orders", (), connected=False, status=None, error="", milliseconds=5),
            ("WRONG", "no address"),
        ),
    ],
)
@pytest.mark.parametrize("security", ["edges", "shared"])
def test_a_declared_call_has_to_work_at_every_address(
    security: str, reply: Answer, outcome: tuple[State, str]
) -> None:
    assert cell(security, "web", "orders", reply) == outcome


def test_a_callee_without_a_health_path_works_if_it_connects() -> None:
    services = {"a": Service(image="x", calls=("b",)), "b": Service(image="x", port=80)}
    (found,) = with_answers(environment(services), {"a": [answer("b")]}).cells
    assert found.state == "works"
    assert found.reason == "connects"


@pytest.mark.parametrize(
    ("reply", "edges", "shared"),
    [
        (
            answer("web"),
            ("WRONG", "connects, but orders does not call web"),
            ("open", "connects: the security groups allow it"),
        ),
        (
            answer("web", error="10.0.0.1: connection refused; 10.0.0.2: timed out"),
            ("WRONG", "reachable (connection refused), but orders does not call web"),
            ("open", "reachable (connection refused): the security groups allow it"),
        ),
        *(
            (answer("web", error=error), ("blocked", error), ("blocked", error))
            for error in (
                "DNS: no address; timed out",
                "DNS: no answer",
                "network is unreachable",
                "10.0.0.1: no route to host; 10.0.0.2: timed out",
            )
        ),
        (
            answer("web", error="curl ended with exit code 2"),
            ("WRONG", "cannot be tested: curl ended with exit code 2"),
            ("WRONG", "cannot be tested: curl ended with exit code 2"),
        ),
        (
            answer("web", error="timed out; too many open files"),
            ("WRONG", "cannot be tested: timed out; too many open files"),
            ("WRONG", "cannot be tested: timed out; too many open files"),
        ),
        (
            Answer("web", (), connected=False, status=None, error="", milliseconds=5),
            ("WRONG", "cannot be tested: nothing was tested"),
            ("WRONG", "cannot be tested: nothing was tested"),
        ),
    ],
)
def test_where_no_call_is_declared_a_closed_way_has_to_be_seen(
    reply: Answer, edges: tuple[State, str], shared: tuple[State, str]
) -> None:
    assert [cell(security, "orders", "web", reply) for security in ("edges", "shared")] == [edges, shared]


def test_an_untested_pair_is_wrong_and_shows_why() -> None:
    reply = answer("orders", status=200)
    assert with_answers(environment(), {"web": [reply]}, {"worker": "no task\n\x1b[2Jruns"}) == Matrix(
        "dev",
        "edges",
        (
            MatrixCell(UNDECLARED, "WRONG", "not tested"),
            MatrixCell(DECLARED, "works", "health path /healthz answered 200", reply),
            MatrixCell(
                ServicePair("worker", "orders", 8080, declared=True, allowed=True, path="/healthz"),
                "WRONG",
                "no task ?[2Jruns",
            ),
            MatrixCell(
                ServicePair("worker", "web", 80, declared=False, allowed=False), "WRONG", "no task ?[2Jruns"
            ),
        ),
    )


def test_what_is_wrong_is_reported_apart() -> None:
    matrix = with_answers(
        environment(), {"web": [answer("orders", status=200)], "orders": [answer("web", error="timed out")]}
    )
    assert [(cell.pair.caller, cell.pair.callee) for cell in matrix.wrong] == [
        ("worker", "orders"),
        ("worker", "web"),
    ]
