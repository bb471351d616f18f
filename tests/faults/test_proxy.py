"""The proxy: its effects on requests, and that a seed repeats them."""

from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from fleetform import emulator
from tests.faults.proxy import Fault, Faults, between, refusal


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an emulator."""
    made = tmp_path_factory.mktemp("proxy")
    emulator.start(made, port=0)
    yield made
    emulator.stop(made)


def make_group(folder: Path, name: str) -> str:
    """Create a security group at the recorded endpoint, with an SDK's invocation id per attempt."""
    found = emulator.status(folder)
    assert found
    form = {
        "Action": "CreateSecurityGroup",
        "Version": "2016-11-15",
        "GroupName": name,
        "GroupDescription": name,
    }
    headers = {"Authorization": head("ec2").partition(": ")[2], "amz-sdk-invocation-id": name}
    with urlopen(Request(found.url, urlencode(form).encode(), headers), timeout=60) as answer:
        return str(answer.read().decode())


def head(service: str, target: str = "") -> str:
    """Return the headers that identify a request's protocol."""
    scope = (
        f"AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host"
    )
    return f"Authorization: {scope}" + (f"\r\nX-Amz-Target: {target}" if target else "")


def test_without_faults_requests_and_answers_pass(folder: Path) -> None:
    before = emulator.status(folder)
    with between(folder, Faults(seed=1, rate=0)):
        assert "<groupId>sg-" in make_group(folder, "passed")
        assert emulator.status(folder) != before
    assert emulator.status(folder) == before


@pytest.mark.parametrize(("fault", "carried_out"), [(Fault.LOST, False), (Fault.ANSWER_LOST, True)])
def test_a_lost_answer_is_of_a_request_that_was_carried_out(
    folder: Path, fault: Fault, *, carried_out: bool
) -> None:
    """A retry without the same id fails on the resource that the first attempt created, as on AWS."""
    faults = Faults(1, 1, (fault,))
    with between(folder, faults), pytest.raises((HTTPException, OSError)):
        make_group(folder, fault.name)
    assert faults.answers_lost == ["CreateSecurityGroup"] * carried_out
    with between(folder, Faults(1, 0)):
        if carried_out:
            with pytest.raises(HTTPError, match="400"):
                make_group(folder, fault.name)
        else:
            make_group(folder, fault.name)


@pytest.mark.parametrize(
    ("fault", "headers", "expected"),
    [
        (
            Fault.THROTTLED,
            head("ec2"),
            "503 Service Unavailable text/xml <Response><Errors><Error><Code>RequestLimitExceeded</Code>",
        ),
        (
            Fault.THROTTLED,
            head("iam"),
            "429 Too Many Requests text/xml <ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>",
        ),
        (
            Fault.THROTTLED,
            head("ecs", "AmazonEC2ContainerServiceV20141113.CreateCluster"),
            '400 Bad Request application/x-amz-json-1.1 {"__type": "ThrottlingException"',
        ),
        (Fault.THROTTLED, head("s3"), "503 Service Unavailable text/xml <Error><Code>SlowDown</Code>"),
        (
            Fault.FAILED,
            head("logs", "Logs_20140328.CreateLogGroup"),
            '500 Internal Server Error application/x-amz-json-1.1 {"__type": "InternalError"',
        ),
        (
            Fault.UNAVAILABLE,
            head("s3"),
            "503 Service Unavailable text/xml <Error><Code>ServiceUnavailable</Code>",
        ),
    ],
)
def test_a_refusal_has_the_form_of_the_protocol(fault: Fault, headers: str, expected: str) -> None:
    answer = refusal(fault, f"POST / HTTP/1.1\r\n{headers}\r\n\r\n".encode()).decode()
    lines, _, body = answer.partition("\r\n\r\n")
    first, kind, *_ = lines.split("\r\n")
    told = f"{first.removeprefix('HTTP/1.1 ')} {kind.removeprefix('Content-Type: ')} {body}"
    assert told[: len(expected)] == expected


def test_a_seed_gives_the_same_faults() -> None:
    first, second, other = (Faults(seed, 0.5) for seed in (1, 1, 2))
    chosen = [[faults.choose() for _ in range(100)] for faults in (first, second, other)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert 30 < first.met.total() < 70
