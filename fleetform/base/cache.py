"""The cache: values by a digest of everything that they follow from.

It uses the standard library's sqlite3. diskcache 5.6 was measured too: its import takes 15 ms more, reading a
thousand values 11 ms instead of 7, writing them 48 ms instead of 12, and a damaged file raises an exception
in the reader.
"""

import os
import sqlite3
import stat
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from fleetform.base.git_index import is_tracked

K = TypeVar("K")
T = TypeVar("T")

_DAY = 86_400
_WAIT = 2.0  # seconds for another run's write, which takes some hundredths
_AT_ONCE = 500  # keys; every SQLite takes 999 (https://sqlite.org/limits.html)
_FILES = ("", "-journal", "-wal", "-shm")  # the endings of the files that SQLite reads
_PAGE = 4096
_TABLE = """CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY, value BLOB NOT NULL, checksum INTEGER NOT NULL, used INTEGER NOT NULL
)"""
# The newest entries stay, as long as they fit; each has some bytes of overhead.
_FORGET = """DELETE FROM entries WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, sum(length(value) + 150) OVER (ORDER BY used DESC, rowid DESC) AS total FROM entries
    ) WHERE total > ?
)"""
# The codes of a damaged file (https://sqlite.org/rescode.html); for a write, also those of a different table.
# A read may get these from a table that another run is about to create.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_WORTHLESS = _DAMAGED | {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}


def digest(*parts: bytes) -> bytes:
    """Return the SHA-256 of parts, which depends on where each ends."""
    state = sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()


class Kind(NamedTuple, Generic[T]):
    """A kind of values in the cache.

    Attributes:
        name: Its name, different from those of other kinds.
        codec: The way to write its values as bytes, and back.
    """

    name: str
    codec: "Codec[T]"


class Codec(Protocol[T]):
    """A way to write values as bytes.

    Reading may create values of its type only, and must not execute anything.
    """

    def encode(self, value: T) -> bytes:
        """Write a value; ValueError if it cannot be written."""

    def decode(self, data: bytes) -> T:
        """Read a value; ValueError if the bytes are something else."""


class Raw:
    """The codec of bytes."""

    def encode(self, value: bytes) -> bytes:
        """Return them."""
        return value

    def decode(self, data: bytes) -> bytes:
        """Return them."""
        return data


Parts: TypeAlias = Sequence[bytes]
"""Everything that a value follows from."""


class Cache:
    """Values by everything that they follow from, in a file that several processes read and write at a time.

    No call fails because of the file: a value that cannot be read is made again, one that cannot be written
    is not cached, and a damaged file is replaced. A killed writer loses only its own values.

    A file that others may have written is neither read nor written: one that Git tracks, a link, or one that
    belongs to a different user or can be written by others; its folder likewise. Values are data: see
    `Codec`.

    Args:
        path: The file; its folder is created with the first value.
        limit: The largest size of the file, in bytes. The values that were not used for most days make room.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit

    def memo(
        self,
        kind: Kind[T],
        parts: Parts | Callable[[], Parts],
        make: Callable[[], T],
        is_current: Callable[[T], bool] = lambda _: True,
    ) -> T:
        """Return a cached value, or make it and cache it.

        Args:
            kind: Its kind.
            parts: Everything that it follows from. If this is a function, it is called again after `make`,
                and the value is not cached if anything has changed in the meantime.
            make: Makes the value.
            is_current: Returns whether a cached value is valid, if that depends on more than the parts.
        """

        def get_key() -> bytes:
            return _key(kind, parts() if callable(parts) else parts)

        key = get_key()
        for value in self._find(kind, [key]).values():
            if is_current(value):
                return value
        value = make()
        if get_key() == key:
            self._keep(kind, {key: value})
        return value

    def memo_many(
        self,
        kind: Kind[T],
        parts: Mapping[K, Parts],
        make: Callable[[list[K]], Mapping[K, T]],
        is_current: Callable[[T], bool] = lambda _: True,
    ) -> dict[K, T]:
        """Return a value for each name; those that are not cached are made together, and cached.

        Args:
            kind: Their kind.
            parts: Everything that each follows from, by name.
            make: Makes the values of some names, at least one.
            is_current: As for `memo`.
        """
        values = {name: value for name, value in self.find(kind, parts).items() if is_current(value)}
        if missing := [name for name in parts if name not in values]:
            made = make(missing)
            self.keep(kind, {name: parts[name] for name in made}, made)
            values |= made
        return {name: values[name] for name in parts}

    def find(self, kind: Kind[T], parts: Mapping[K, Parts]) -> dict[K, T]:
        """Return those values that are cached, by name."""
        keys = {name: _key(kind, each) for name, each in parts.items()}
        values = self._find(kind, keys.values())
        return {name: values[key] for name, key in keys.items() if key in values}

    def keep(self, kind: Kind[T], parts: Mapping[K, Parts], values: Mapping[K, T]) -> None:
        """Cache values, all of them or none."""
        self._keep(kind, {_key(kind, parts[name]): value for name, value in values.items()})

    def _find(self, kind: Kind[T], keys: Iterable[bytes]) -> dict[bytes, T]:
        values = {}
        for key, data in self._get(keys).items():
            with suppress(ValueError):
                values[key] = kind.codec.decode(data)
        return values

    def _keep(self, kind: Kind[T], values: Mapping[bytes, T]) -> None:
        with suppress(ValueError):
            self._put({key: kind.codec.encode(value) for key, value in values.items()})

    def _get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        unique = list(dict.fromkeys(keys))
        if not unique or not self._is_ours():
            return {}
        return self._try(lambda: self._read(unique), _DAMAGED) or {}

    def _put(self, values: Mapping[bytes, bytes]) -> None:
        size = sum(map(len, chain.from_iterable(values.items())))
        if values and size <= self._limit and self._is_ours():
            self._try(lambda: self._write(values), _WORTHLESS)

    def _is_ours(self) -> bool:
        """Return whether the file is absent, or disk and Git show that only this user can have written it."""
        others = stat.S_IWGRP | stat.S_IWOTH
        try:
            return (
                _is_private(self._path.parent, stat.S_IWOTH, stat.S_ISDIR)
                and all(_is_private(self._beside(ending), others, stat.S_ISREG) for ending in _FILES)
                and not is_tracked(self._path.parent)
            )
        except OSError:
            return False

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    def _read(self, keys: list[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        if not self._path.exists():
            return found
        today = _today()
        stale: list[bytes] = []
        with self._opened("rw") as database:
            for start in range(0, len(keys), _AT_ONCE):
                some = keys[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, value, checksum, used FROM entries WHERE key IN ({marks})"  # noqa: S608 - marks
                for key, value, checksum, used in database.execute(query, some):
                    if checksum == _checksum(key, value):
                        found[key] = value
                        if used < today:
                            stale.append(key)
            if stale:
                _touch(database, stale, today)
        return found

    def _write(self, values: Mapping[bytes, bytes]) -> None:
        self._create()
        today = _today()
        rows = [(key, value, _checksum(key, value), today) for key, value in values.items()]
        with self._opened("rwc") as database:
            database.execute(f"PRAGMA max_page_count = {self._limit // _PAGE}")
            for kept in (self._limit // 2, self._limit // 4, 0):
                try:
                    _put(database, rows)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                        raise
                    with _transaction(database):
                        database.execute(_FORGET, (kept,))
                else:
                    return

    def _create(self) -> None:
        """Create the file, if none exists, readable and writable only by its owner."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    @contextmanager
    def _opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        """Open a connection for one call: it belongs to one thread and one process."""
        place = f"{self._path.absolute().as_uri()}?mode={mode}"
        with closing(sqlite3.connect(place, timeout=_WAIT, isolation_level=None, uri=True)) as database:
            # Nothing waits for the disk. If a power failure damages the file, the checksums show that.
            database.execute("PRAGMA synchronous = OFF")
            yield database

    def _try(self, act: Callable[[], T], worthless: frozenset[int]) -> T | None:
        """Do it, once more with a new file if an error shows that this one is worthless.

        None if it cannot be done.
        """
        for _ in range(2):
            try:
                return act()
            except (
                sqlite3.Error,
                TypeError,
                ValueError,
            ) as error:  # the last two: a damaged file with invalid text
                if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in worthless:
                    return None
                if not self._remove():
                    return None
            except OSError:
                return None
        return None

    def _remove(self) -> bool:
        try:
            for ending in _FILES:
                self._beside(ending).unlink(missing_ok=True)
        except OSError:
            return False
        return True


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    with database:
        yield


def _put(database: sqlite3.Connection, rows: list[tuple[bytes, bytes, int, int]]) -> None:
    with _transaction(database):
        database.execute(_TABLE)
        database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows)


def _touch(database: sqlite3.Connection, keys: list[bytes], today: int) -> None:
    """Record once a day that entries are in use; if that cannot be written, they are found all the same."""
    try:
        with _transaction(database):
            rows = [(today, key) for key in keys]
            database.executemany("UPDATE entries SET used = ? WHERE key = ?", rows)
    except sqlite3.OperationalError:
        return


def _today() -> int:
    return int(time.time()) // _DAY


def _checksum(key: bytes, value: bytes) -> int:
    return zlib.crc32(value, zlib.crc32(key))


def _key(kind: Kind[T], parts: Parts) -> bytes:
    return digest(kind.name.encode(), *parts)


def _is_private(path: Path, writable: int, is_kind: Callable[[int], bool]) -> bool:
    """Return whether a path is free, or of a kind, owned by this user and without bits in `writable`."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return True
    return is_kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & writable
