"""What lies inside the repository: nothing outside it is read or built, whatever a link says."""

import functools
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from fleetform.errors import InputError, Problem

if TYPE_CHECKING:
    from fleetform.catalog.nodes import Node

_REMEDY = "put what it leads to into the repository"


def leads_out(root: Path, path: PurePath, is_link: Callable[[str], bool] = os.path.islink) -> bool:
    """Whether a path from the root, which has no `..`, leaves the repository by symbolic links."""
    parts = itertools.accumulate(path.parts, "{}/{}".format, initial=str(root))
    if not any(map(is_link, itertools.islice(parts, 1, None))):  # text, as a large catalog has thousands
        return False
    real = PurePath(os.path.realpath(root / path))  # where `resolve` ends with a traceback on a link to itself
    return not real.is_relative_to(os.path.realpath(root))


def refuse_outside(root: Path, file: PurePath) -> None:
    """Refuses a file that is a link out of the repository.

    Raises:
        InputError: It is.
    """
    if leads_out(root, file):
        raise InputError(f"{file}: a symbolic link out of this repository; {_REMEDY}")


def check_builds(root: Path, tree: "Node") -> Iterator[Problem]:
    """No build context and no Dockerfile is a link out of the repository; read from the tree, sound or not."""
    is_link = functools.cache(os.path.islink)  # many services share their folders
    services = tree.at(("services",))
    for service in services.value.values() if services is not None and isinstance(services.value, dict) else ():
        for node, path in _paths(service):
            if leads_out(root, path, is_link):
                message = f"`{path}` leads out of this repository by a symbolic link"
                yield Problem(node.position, message, _REMEDY)
                break


def _paths(service: "Node") -> "Iterator[tuple[Node, PurePath]]":
    """A service's build context, then its Dockerfile, and where each is said; what is no path the models refuse."""
    from fleetform.catalog.models import Build  # noqa: PLC0415 - who asks about links alone has no use for pydantic

    context = service.at(("build", "context"))
    if context is None or not _is_path(context.value):
        return
    yield context, PurePath(str(context.value))
    dockerfile = service.at(("build", "dockerfile"))
    if dockerfile is None:
        yield context, PurePath(str(context.value), Build.model_fields["dockerfile"].default)
    elif _is_path(dockerfile.value):
        yield dockerfile, PurePath(str(context.value), str(dockerfile.value))


def _is_path(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value and not value.startswith("/") and ".." not in value.split("/")
