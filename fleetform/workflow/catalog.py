"""The catalog of an environment, read anew only where it has changed."""

import os
import pickle

from fleetform import identity
from fleetform.catalog.files import CATALOG, environment_file, environment_names
from fleetform.catalog.models import Environment
from fleetform.store import digest
from fleetform.workflow.project import Project


def environment(project: Project, name: str) -> Environment:
    """An environment; that its images can be built from where the catalog says is seen when it is rendered.

    Raises:
        InputError: The catalog is wrong, or there is no such environment.
    """
    root = project.root
    files = (identity.content(root / file) for file in (CATALOG, environment_file(name)))
    names = map(os.fsencode, environment_names(root))
    key = digest(b"catalog", identity.code(), name.encode(), digest(*files), *names)
    for value in project.store.get_many([key]).values():
        return pickle.loads(value)  # type: ignore[no-any-return] # noqa: S301 - our own work folder, trusted as the code is
    from fleetform.catalog.loading import load  # noqa: PLC0415 - it brings YAML and all checks

    loaded = load(root, name)
    project.store.put_many({key: pickle.dumps(loaded)})
    return loaded
