"""The catalog of an environment, read anew only where it has changed."""

import os
import pickle
from typing import TYPE_CHECKING

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.catalog.files import CATALOG, environment_file, environment_names
from fleetform.validation.loading import load
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment


def environment(project: Project, name: str) -> "Environment":
    """An environment; that its images can be built from where the catalog says is seen when it is rendered.

    Raises:
        InputError: The catalog is wrong, or there is no such environment.
    """
    known_as = key(project, name)
    for value in project.store.get_many([known_as]).values():
        return pickle.loads(value)  # type: ignore[no-any-return] # noqa: S301 - our own work folder, trusted as the code is

    loaded = load(project.root, name)
    project.store.put_many({known_as: pickle.dumps(loaded)})
    return loaded


def key(project: Project, name: str) -> bytes:
    """A digest of all that an environment follows from."""
    files = (fingerprint.content(project.root / file) for file in (CATALOG, environment_file(name)))
    names = map(os.fsencode, environment_names(project.root))
    return digest(b"catalog", fingerprint.code(), name.encode(), digest(*files), *names)
