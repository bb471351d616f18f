"""The states in the bucket."""

import json
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from uuid import uuid4

import pytest

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError
from fleetform.terraform.state.bucket import BucketSpec, ensure_bucket
from fleetform.terraform.state.reader import Snapshot, has_state, lock_key, modules, objects, snapshot, state_key

HASTY = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_MAX_ATTEMPTS": "1"}
"""Credentials of somebody without patience."""


@pytest.fixture(scope="module")
def access(terraform_environment: Mapping[str, str]) -> Access:
    return Access("eu-central-1", terraform_environment)


@pytest.fixture
def silent_url() -> Iterator[str]:
    """An address that refuses every connection: its port is taken, but nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def bucket() -> str:
    """A name that no other test has."""
    return f"shop-dev-tfstate-{uuid4().hex[:12]}"


def test_a_stack_has_a_state_once_it_was_applied(access: Access, bucket: str) -> None:
    before_the_bucket = has_state(access, bucket, "foundation")
    ensure_bucket(access, BucketSpec(bucket, "123456789012"))
    before_the_apply = has_state(access, bucket, "foundation")
    told = []
    for text in (EMPTY, {**EMPTY, "outputs": {"region": {}}}, {**EMPTY, "resources": [resource("module.web")]}, "?"):
        access.client("s3").put_object(Bucket=bucket, Key=state_key("foundation"), Body=json.dumps(text).encode())
        told.append(has_state(access, bucket, "foundation"))
    assert before_the_bucket is False
    assert before_the_apply is False
    assert told == [False, True, True, True]
    assert not has_state(access, bucket, "services")


EMPTY = {"version": 4, "serial": 1, "outputs": {}, "resources": []}
"""What a destroy leaves, or a plan that is interrupted."""


def resource(module: str, mode: str = "managed") -> dict[str, object]:
    """A resource of a state."""
    return {"module": module, "mode": mode, "type": "aws_x", "name": "y", "instances": [{}]}


def test_the_modules_are_read_whose_resources_each_state_holds(access: Access, bucket: str) -> None:
    before = modules(access, bucket)
    ensure_bucket(access, BucketSpec(bucket, "123456789012"))
    held = {
        "services": [resource("module.web"), resource("module.web.module.part"), resource("module.data", "data")],
        "payments": [],
        "old": [{key: value for key, value in resource("").items() if key != "module"}],
    }
    s3 = access.client("s3")
    for stack, resources in held.items():
        s3.put_object(Bucket=bucket, Key=state_key(stack), Body=json.dumps({"resources": resources}).encode())
    s3.put_object(Bucket=bucket, Key="services/other", Body=b"no state")
    assert before == {}
    assert modules(access, bucket) == {"services": {"web"}, "old": {""}}


def test_states_and_locks_are_read_and_nothing_else(access: Access, bucket: str) -> None:
    before = objects(access, bucket)
    ensure_bucket(access, BucketSpec(bucket, "123456789012"))
    s3 = access.client("s3")
    texts = {state_key("services"): b"a state", lock_key("foundation"): b"a lock"}
    for key, text in {**texts, "services/plan.json": b"neither"}.items():
        s3.put_object(Bucket=bucket, Key=key, Body=text)
    found = objects(access, bucket)
    assert before is None
    assert found is not None
    assert {key: entry.text for key, entry in found.items()} == texts
    assert [entry.written.tzinfo is None for entry in found.values()] == [False, False]


def test_a_state_says_of_itself_what_it_is() -> None:
    twice = {**resource("module.web"), "instances": [{}, {}]}
    text = json.dumps(
        {
            "version": 4,
            "serial": 7,
            "lineage": "5e42",
            "terraform_version": "1.11.4",
            "resources": [twice, resource("module.orders"), resource("module.data", "data")],
        }
    )
    assert snapshot(text.encode()) == Snapshot(serial=7, lineage="5e42", version="1.11.4", resources=3)


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b'{"version": 4}', b'{"version": 5, "serial": 1}'])
def test_what_is_no_state_of_a_known_format_is_none(text: bytes) -> None:
    assert snapshot(text) is None


asking = pytest.mark.parametrize(
    ("ask", "remedy"),
    [
        (
            lambda access: ensure_bucket(access, BucketSpec("shop-dev", "123456789012")),
            "check credentials, or choose another `state: bucket:`",
        ),
        (lambda access: has_state(access, "shop-dev", "foundation"), "check credentials"),
        (lambda access: modules(access, "shop-dev"), "check credentials"),
        (lambda access: objects(access, "shop-dev"), "check credentials"),
    ],
)


@asking
def test_half_a_pair_of_credentials_is_an_error_with_a_remedy(ask: Callable[[Access], object], remedy: str) -> None:
    with pytest.raises(ProgramError) as caught:
        ask(Access("eu-central-1", {"AWS_ACCESS_KEY_ID": "test", "AWS_CONFIG_FILE": os.devnull}))
    missing = "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"
    assert str(caught.value) == f"state bucket shop-dev: {missing}; {remedy}"


@asking
def test_an_api_that_does_not_answer_is_an_error_with_a_remedy(
    silent_url: str, ask: Callable[[Access], object], remedy: str
) -> None:
    with pytest.raises(ProgramError) as caught:
        ask(Access("eu-central-1", {**HASTY, "AWS_ENDPOINT_URL": silent_url}))
    told = re.sub(r"/foundation/terraform\.tfstate|\?[^\"]*", "", str(caught.value))
    assert told == f'state bucket shop-dev: Could not connect to the endpoint URL: "{silent_url}/shop-dev"; {remedy}'
