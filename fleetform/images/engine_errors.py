"""Explanations and remedies for the engines' error messages."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

Step: TypeAlias = Literal["build", "login", "push"]

_ANYWHERE = (
    (
        r"no space left on device",
        "the disk is full; free space, such as with `docker system prune` or `buildah rmi --prune`",
    ),
    (
        r"Cannot connect to the Docker daemon|[Ii]s the docker daemon running",
        "the Docker daemon does not answer; start it or choose another engine with --engine",
    ),
)
_UNREACHABLE = (
    r"connection (refused|reset)|broken pipe|\bEOF\b|i/o timeout|handshake timeout|Client\.Timeout|no such"
    r" host"
    r"|server misbehaving|network is unreachable|use of closed network connection"
)
_REGISTRY = (
    (
        r"tag invalid|cannot be overwritten because",
        (
            "someone pushed this tag a moment ago, and tags are immutable; run the command again to use that"
            " image"
        ),
    ),
    (r"token has expired", "the registry token has expired; run the command again to get a new one"),
    (
        # ECR answers 400 to a token that it did not issue.
        r"no basic auth credentials|[Uu]nauthorized|authentication required|denied: |400 \(?Bad Request",
        "the registry refused the login; check that the AWS credentials may push to ECR",
    ),
    (r"name unknown", "the registry has no such repository; apply the foundation"),
    (
        _UNREACHABLE,
        "the connection to the registry failed; run the command again, which skips what is already pushed",
    ),
)
NO_BASE_IMAGE = "cannot fetch a base image"
"""Start of the explanation of a build that fails because it cannot fetch a base image."""

_BASE_IMAGE_REFUSED = (
    r"manifest unknown|pull access denied|name unknown|[Uu]nauthorized|initializing source|failed to"
    r" resolve source"
    r"|failed to do request|dial tcp"
)
_BASE_IMAGE = (
    (
        f"{_BASE_IMAGE_REFUSED}|{_UNREACHABLE}",
        f"{NO_BASE_IMAGE}; check the FROM lines, the network and the login to its registry",
    ),
)
_CAUSES: Mapping[Step, Sequence[tuple[str, str]]] = {
    "build": (*_ANYWHERE, *_BASE_IMAGE),
    "login": (*_ANYWHERE, *_REGISTRY),
    "push": (*_ANYWHERE, *_REGISTRY),
}


def explain(step: Step, output: str) -> str | None:
    """Return the cause and remedy of an engine's failure, given its output; None if the cause is unknown."""
    return next((meaning for pattern, meaning in _CAUSES[step] if re.search(pattern, output)), None)
