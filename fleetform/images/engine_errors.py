"""What the engines' own complaints mean, and how to mend it."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

Step: TypeAlias = Literal["build", "login", "push"]

_ANYWHERE = (
    (
        r"no space left on device",
        "the disk is full; remove what is not needed, such as with `docker system prune` or `buildah rmi --prune`",
    ),
    (
        r"Cannot connect to the Docker daemon|[Ii]s the docker daemon running",
        "Docker's daemon does not answer; start it or choose another engine with --engine",
    ),
)
_UNREACHABLE = (
    r"connection (refused|reset)|broken pipe|\bEOF\b|i/o timeout|handshake timeout|Client\.Timeout|no such host"
    r"|server misbehaving|network is unreachable|use of closed network connection"
)
_REGISTRY = (
    (
        r"tag invalid|cannot be overwritten because",
        "the tag is in the repository since a moment, and is never moved; run it again to use what it stands for",
    ),
    (r"token has expired", "the registry's token has expired; run it again to get another"),
    (
        # ECR answers 400 to a token that is none of its own.
        r"no basic auth credentials|[Uu]nauthorized|authentication required|denied: |400 \(?Bad Request",
        "the registry refuses the login; check that the AWS credentials may push to ECR",
    ),
    (r"name unknown", "the repository is not in the registry; apply the foundation"),
    (
        _UNREACHABLE,
        "the registry does not answer, or went away half-way; what is pushed stays pushed: run it again",
    ),
)
NO_BASE_IMAGE = "a base image cannot be fetched"
"""Begins the meaning of a build that fails for want of one."""

_BASE_IMAGE_REFUSED = (
    r"manifest unknown|pull access denied|name unknown|[Uu]nauthorized|initializing source|failed to resolve source"
    r"|failed to do request|dial tcp"
)
_BASE_IMAGE = (
    (
        f"{_BASE_IMAGE_REFUSED}|{_UNREACHABLE}",
        f"{NO_BASE_IMAGE}; check the FROM lines, the network and the login of its registry",
    ),
)
_CAUSES: Mapping[Step, Sequence[tuple[str, str]]] = {
    "build": (*_ANYWHERE, *_BASE_IMAGE),
    "login": (*_ANYWHERE, *_REGISTRY),
    "push": (*_ANYWHERE, *_REGISTRY),
}


def explain(step: Step, output: str) -> str | None:
    """The cause and the remedy that an engine's output tells of; None if it tells of none that is known."""
    return next((meaning for pattern, meaning in _CAUSES[step] if re.search(pattern, output)), None)
