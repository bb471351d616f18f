from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from werkzeug.wrappers import Response

from fleetform.emulator import Emulator
from fleetform.emulator.answers import AnswerLog

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=x"
)


def carried(invocations: list[str], method: str = "POST", status: int = 200) -> int:
    """How many requests of these invocations are carried out."""
    answers, made = AnswerLog(), list[Response]()

    def answer() -> Response:
        made.append(Response(status=status))
        return made[-1]

    for invocation in invocations:
        answers.once({"REQUEST_METHOD": method, "HTTP_AMZ_SDK_INVOCATION_ID": invocation}, answer)
    return len(made)


def ask(url: str, name: str, invocation: str) -> str:
    """Makes a security group, as an SDK does that tells its tries by an invocation."""
    form = {
        "Action": "CreateSecurityGroup",
        "Version": "2016-11-15",
        "GroupName": name,
        "GroupDescription": name,
    }
    headers = {"Authorization": SIGNED, "amz-sdk-invocation-id": invocation}
    with urlopen(Request(url, urlencode(form).encode(), headers), timeout=60) as answer:
        return str(answer.read().decode())


def test_a_request_that_is_tried_again_is_carried_out_once(emulator: Emulator) -> None:
    url = emulator.url
    first = ask(url, "lost-answer", "invocation-1")
    assert ask(url, "lost-answer", "invocation-1") == first
    with pytest.raises(HTTPError, match="400"):
        ask(url, "lost-answer", "invocation-2")


@pytest.mark.parametrize(
    ("method", "status", "carried_out"),
    [("POST", 200, 1), ("POST", 409, 1), ("POST", 500, 2), ("GET", 200, 2)],
)
def test_only_requests_that_change_something_are_remembered(
    method: str, status: int, carried_out: int
) -> None:
    assert carried(["1", "1"], method, status) == carried_out


def test_the_oldest_answers_are_forgotten() -> None:
    assert carried(["first", *map(str, range(256)), "first"]) == 258
