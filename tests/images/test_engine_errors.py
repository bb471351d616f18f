"""The engines' complaints, word for word, and what is made of them."""

import pytest

from fleetform.images.engine_errors import Step, explain

FULL = "the disk is full; free space, such as with `docker system prune` or `buildah rmi --prune`"
DAEMON = "the Docker daemon does not answer; start it or choose another engine with --engine"
TAKEN = (
    "someone pushed this tag a moment ago, and tags are immutable; run the command again to use that image"
)
EXPIRED = "the registry token has expired; run the command again to get a new one"
REFUSED = "the registry refused the login; check that the AWS credentials may push to ECR"
UNKNOWN = "the registry has no such repository; apply the foundation"
GONE = "the connection to the registry failed; run the command again, which skips what is already pushed"
BASE = "cannot fetch a base image; check the FROM lines, the network and the login to its registry"

IMMUTABLE = (
    "tag invalid: The image tag '2c5f' already exists in the 'shop-local-web' repository and cannot be"
    " overwritten"
    " because the repository is immutable."
)
BUILDAH_PUSH = 'Error: pushing image "127.0.0.1:5566/web:x" to "docker://127.0.0.1:5566/web:x": '
NO_REPOSITORY = (
    "name unknown: The repository with name 'web' does not exist in the registry with id '123456789012'"
)
CLOSED = 'Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused'
NO_HOST = 'Get "https://public.ecr.aws/v2/": dial tcp: lookup public.ecr.aws on 10.0.0.2:53: no such host'


@pytest.mark.parametrize(
    ("step", "output", "meaning"),
    [
        ("build", 'copier: put: error writing file "/big": write /big: no space left on device', FULL),
        ("push", "write /var/lib/docker/tmp/GetImageBlob1: no space left on device", FULL),
        ("build", "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", DAEMON),
        ("push", IMMUTABLE, TAKEN),
        (
            "push",
            f"{BUILDAH_PUSH}Uploading manifest failed, attempted: x(writing manifest: {IMMUTABLE})",
            TAKEN,
        ),
        ("push", "denied: Your authorization token has expired. Reauthenticate and try again.", EXPIRED),
        ("push", "no basic auth credentials", REFUSED),
        (
            "login",
            (
                "Error response from daemon: login attempt to http://127.0.0.1:1/v2/ failed with status: 400"
                " Bad Request"
            ),
            REFUSED,
        ),
        (
            "login",
            (
                'Error: authenticating creds for "127.0.0.1:5566": invalid status code from registry 400 (Bad'
                " Request)"
            ),
            REFUSED,
        ),
        (
            "push",
            "denied: User: arn:aws:iam::1:user/x is not authorized to perform: ecr:InitiateLayerUpload",
            REFUSED,
        ),
        ("push", NO_REPOSITORY, UNKNOWN),
        (
            "push",
            f"{BUILDAH_PUSH}writing blob: initiating layer upload to /v2/web/: {NO_REPOSITORY}",
            UNKNOWN,
        ),
        ("push", CLOSED, GONE),
        (
            "login",
            f'Error: authenticating creds for "127.0.0.1:5999": pinging container registry x: {CLOSED}',
            GONE,
        ),
        ("push", "write tcp 10.0.0.1:5->10.0.0.2:443: write: broken pipe", GONE),
        ("push", 'Patch "http://127.0.0.1:5566/v2/web/blobs/uploads/x": EOF', GONE),
        ("build", NO_HOST, BASE),
        (
            "build",
            f"Error: creating build container: initializing source docker://x: pinging: {NO_HOST}",
            BASE,
        ),
        (
            "build",
            "pull access denied for nope, repository does not exist or may require 'docker login'",
            BASE,
        ),
        ("build", "manifest for python:nope not found: manifest unknown: manifest unknown", BASE),
        ("build", "/bin/sh: 1: make: not found", None),
    ],
)
def test_a_complaint_is_explained(step: Step, output: str, meaning: str | None) -> None:
    assert explain(step, f"before\n{output}\n") == meaning
