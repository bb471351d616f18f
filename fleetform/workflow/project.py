"""The checkout that all commands work on, with its cache."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleetform.base import fingerprint, package_data
from fleetform.base.cache import Cache, Kind
from fleetform.catalog.files import CATALOG, environment_file, environment_names, network_lock_file

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

TEMPLATES: Final = "templates"
"""The folder of a project's own templates, relative to its root."""

_CACHE_SIZE = 128 * 1024 * 1024  # bytes: some environments of a thousand services, in many states


class _EnvironmentCodec:
    """The JSON of an environment's model. Reading validates it as a catalog is validated."""

    def encode(self, value: "Environment") -> bytes:
        """Write the lock's zones, and what the catalog sets, so that defaults stay defaults."""
        numbers = json.dumps(dict(value.locked_zone_numbers))
        return f"{numbers}\n{value.model_dump_json(exclude_unset=True)}".encode()

    def decode(self, data: bytes) -> "Environment":
        """Read an environment; pydantic's error, a ValueError, if it is not one."""
        from fleetform.catalog.models import Environment  # noqa: PLC0415 - the models take a tenth of a second

        numbers, _, environment = data.partition(b"\n")
        return Environment.model_validate_json(environment).with_zone_numbers(json.loads(numbers))


_ENVIRONMENT: Kind["Environment"] = Kind("catalog", _EnvironmentCodec())


@dataclass(frozen=True)
class Project:
    """A checkout.

    Attributes:
        root: Its folder.
    """

    root: Path

    @property
    def work(self) -> Path:
        """The folder for the files of this machine: plans, logs, the cache, the emulator's record.

        Not committed.
        """
        return self.root / ".fleetform"

    @property
    def templates(self) -> tuple[Path, ...]:
        """The folders of templates: the project's own and ours. The first file of a name counts."""
        return tuple(dict.fromkeys((self.root / TEMPLATES, package_data.folder("templates"))))

    @property
    def cache(self) -> Cache:
        """The cache that all commands share."""
        return Cache(self.work / "cache.sqlite", _CACHE_SIZE)

    def environment(self, name: str) -> "Environment":
        """Return an environment. Whether its images can be built is checked when it is rendered.

        Raises:
            InputError: The catalog is wrong, or there is no such environment.
        """
        return self.cache.memo(
            _ENVIRONMENT, lambda: self.environment_parts(name), lambda: _load(self.root, name)
        )

    def environment_parts(self, name: str) -> tuple[bytes, ...]:
        """Return digests of everything that an environment follows from."""
        sources = (CATALOG, environment_file(name), network_lock_file(name))
        files = (fingerprint.content(self.root / file) for file in sources)
        names = map(os.fsencode, environment_names(self.root))
        return fingerprint.code(), name.encode(), *files, *names


def _load(root: Path, name: str) -> "Environment":
    from fleetform.validation import loading  # noqa: PLC0415 - a cached environment needs no YAML

    return loading.load(root, name)
