"""Keep reads and builds inside the repository, even through symbolic links."""

import functools
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from fleetform.base.errors import InputError, Problem
from fleetform.catalog.constants import DOCKERFILE

if TYPE_CHECKING:
    from fleetform.catalog.nodes import Node

_REMEDY = "move its target into the repository"


def leaves_repository(root: Path, path: PurePath, is_link: Callable[[str], bool] = os.path.islink) -> bool:
    """Return whether a path from the root, without `..`, leaves the repository through symbolic links."""
    parts = itertools.accumulate(path.parts, "{}/{}".format, initial=str(root))
    if not any(
        map(is_link, itertools.islice(parts, 1, None))
    ):  # text for speed: a large catalog has thousands
        return False
    real = PurePath(os.path.realpath(root / path))  # `resolve` would raise on a link to itself
    return not real.is_relative_to(os.path.realpath(root))


def reject_outside(root: Path, file: PurePath) -> None:
    """Reject a file that is a symbolic link to outside the repository.

    Raises:
        InputError: It is such a link.
    """
    if leaves_repository(root, file):
        raise InputError(f"{file}: is a symbolic link to outside this repository; {_REMEDY}")


def check_builds(root: Path, tree: "Node") -> Iterator[Problem]:
    """Check that no build context or Dockerfile leads outside the repository; in invalid services too."""
    is_link = functools.cache(os.path.islink)  # many services share their folders
    services = tree.at(("services",))
    for service in (
        services.value.values() if services is not None and isinstance(services.value, dict) else ()
    ):
        for node, path in _build_paths(service):
            if leaves_repository(root, path, is_link):
                message = f"`{path}` leads outside this repository through a symbolic link"
                yield Problem(node.position, message, _REMEDY)
                break


def _build_paths(service: "Node") -> "Iterator[tuple[Node, PurePath]]":
    """Yield a service's build context and Dockerfile, each with its node; the models report invalid paths."""
    context = service.at(("build", "context"))
    if context is None or not _is_relative_path(context.value):
        return
    yield context, PurePath(str(context.value))
    dockerfile = service.at(("build", "dockerfile"))
    if dockerfile is None:
        yield context, PurePath(str(context.value), DOCKERFILE)
    elif _is_relative_path(dockerfile.value):
        yield dockerfile, PurePath(str(context.value), str(dockerfile.value))


def _is_relative_path(value: object) -> bool:
    return (
        isinstance(value, str)
        and "\0" not in value
        and not value.startswith("/")
        and ".." not in value.split("/")
    )
