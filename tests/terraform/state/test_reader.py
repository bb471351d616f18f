"""The states in the bucket, read."""

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
from fleetform.terraform.state.reader import (
    Snapshot,
    has_state,
    lock_key,
    modules,
    objects,
    snapshot,
    state_key,
)

NO_RETRIES = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_MAX_ATTEMPTS": "1"}
"""Credentials that do not retry."""


@pytest.fixture(scope="module")
def access(terraform_environment: Mapping[str, str]) -> Access:
    return Access("eu-central-1", terraform_environment)


@pytest.fixture
def silent_url() -> Iterator[str]:
    """An address that refuses every connection: its port is bound, but not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def bucket() -> str:
    """A unique name."""
    return f"shop-dev-tfstate-{uuid4().hex[:12]}"


def test_a_stack_has_a_state_after_its_first_apply(access: Access, bucket: str) -> None:
    before_the_bucket = has_state(access, bucket, "foundation")
    ensure_bucket(access, BucketSpec(bucket, "123456789012"))
    before_the_apply = has_state(access, bucket, "foundation")
    results = []
    for text in (
        EMPTY,
        {**EMPTY, "outputs": {"region": {}}},
        {**EMPTY, "resources": [resource("module.web")]},
        "?",
    ):
        access.client("s3").put_object(
            Bucket=bucket, Key=state_key("foundation"), Body=json.dumps(text).encode()
        )
        results.append(has_state(access, bucket, "foundation"))
    assert before_the_bucket is False
    assert before_the_apply is False
    assert results == [False, True, True, True]
    assert not has_state(access, bucket, "services")


EMPTY = {"version": 4, "serial": 1, "outputs": {}, "resources": []}
"""The state after a destroy, or after an interrupted plan."""


def resource(module: str, mode: str = "managed") -> dict[str, object]:
    """Return a resource of a state."""
    return {"module": module, "mode": mode, "type": "aws_x", "name": "y", "instances": [{}]}


def test_the_modules_in_each_state_are_read(access: Access, bucket: str) -> None:
    before = modules(access, bucket)
    ensure_bucket(access, BucketSpec(bucket, "123456789012"))
    held = {
        "services": [
            resource("module.web"),
            resource("module.web.module.part"),
            resource("module.data", "data"),
        ],
        "payments": [],
        "old": [{key: value for key, value in resource("").items() if key != "module"}],
    }
    s3 = access.client("s3")
    for stack, resources in held.items():
        s3.put_object(Bucket=bucket, Key=state_key(stack), Body=json.dumps({"resources": resources}).encode())
    s3.put_object(Bucket=bucket, Key="services/other", Body=b"no state")
    assert before == {}
    assert modules(access, bucket) == {"services": {"web"}, "old": {""}}


def test_only_states_and_locks_are_read(access: Access, bucket: str) -> None:
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


def test_the_metadata_of_a_state_is_read() -> None:
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
def test_other_content_is_not_a_state(text: bytes) -> None:
    assert snapshot(text) is None


every_call = pytest.mark.parametrize(
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


@every_call
def test_partial_credentials_are_an_error_with_a_remedy(ask: Callable[[Access], object], remedy: str) -> None:
    with pytest.raises(ProgramError) as caught:
        ask(Access("eu-central-1", {"AWS_ACCESS_KEY_ID": "test", "AWS_CONFIG_FILE": os.devnull}))
    missing = "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"
    assert str(caught.value) == f"state bucket shop-dev: {missing}; {remedy}"


@every_call
def test_an_unreachable_api_is_an_error_with_a_remedy(
    silent_url: str, ask: Callable[[Access], object], remedy: str
) -> None:
    with pytest.raises(ProgramError) as caught:
        ask(Access("eu-central-1", {**NO_RETRIES, "AWS_ENDPOINT_URL": silent_url}))
    message = re.sub(r"/foundation/terraform\.tfstate|\?[^\"]*", "", str(caught.value))
    assert (
        message
        == f'state bucket shop-dev: Could not connect to the endpoint URL: "{silent_url}/shop-dev"; {remedy}'
    )
