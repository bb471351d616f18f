"""The parsed files of folders. They are kept for the next time: parsing takes most of a check, and little changes."""

import hashlib
import pickle
from importlib.metadata import version
from pathlib import Path, PurePath

from fleetform import collector, hcl

# Files, the ones that were used last: some environments with some hundred services each.
_KEPT = 5000
_ENDINGS = frozenset({".tf", ".tfvars", ".hcl"})


class Folders:
    """Parsed folders of Terraform files.

    Args:
        root: The project's root.
        cache: A file that keeps what was parsed, for the next time; None keeps nothing.
    """

    def __init__(self, root: Path, cache: Path | None = None) -> None:
        self._root = root
        self._cache = cache
        self._known = _load(cache) if cache else {}
        self._seen: dict[bytes, hcl.File] = {}
        self._parsed: dict[PurePath, list[hcl.File]] = {}

    def files(self, folder: PurePath) -> list[hcl.File]:
        """The files of a folder, parsed, by name: `.tf`, `.tfvars` and backend files.

        Raises:
            CheckFailedError: One is not valid HCL.
        """
        if folder not in self._parsed:
            place = self._root / folder
            found = place.iterdir() if place.is_dir() else ()
            names = sorted(path.name for path in found if path.suffix in _ENDINGS and not path.name.startswith("."))
            with collector.paused():
                self._parsed[folder] = [self._file(folder / name) for name in names]
        return self._parsed[folder]

    def _file(self, path: PurePath) -> hcl.File:
        content = (self._root / path).read_bytes()
        key = hashlib.sha256(path.as_posix().encode() + b"\0" + content).digest()
        parsed = self._known.get(key) or hcl.parse(content, path)
        self._seen[key] = parsed
        return parsed

    def keep(self) -> None:
        """Keeps what was parsed, if there is anything new."""
        if self._cache is None or self._seen.keys() <= self._known.keys():
            return
        older = {key: file for key, file in self._known.items() if key not in self._seen}
        kept = dict(list((older | self._seen).items())[-_KEPT:])
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._cache.with_suffix(".unfinished")
        unfinished.write_bytes(pickle.dumps((_parser(), kept)))
        unfinished.replace(self._cache)


def _parser() -> bytes:
    """What the parsed form depends on besides the files: another parser makes another cache."""
    return hashlib.sha256(version("python-hcl2").encode() + Path(hcl.__file__).read_bytes()).digest()


def _load(cache: Path) -> dict[bytes, hcl.File]:
    try:
        # Our own file in our own work folder, which is not committed: it is trusted as much as the code is.
        parser, known = pickle.loads(cache.read_bytes())  # noqa: S301
    except Exception:  # noqa: BLE001 - whatever is wrong with a cache, it is made anew
        return {}
    return known if parser == _parser() else {}
