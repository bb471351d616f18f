"""What is remembered by content: values by the digest of all that they follow from.

On the standard library's sqlite3. diskcache 5.6 was tried: its import takes 15 ms more, to get a thousand values 11 ms
instead of 7, to put them 48 instead of 12, and a damaged file is an exception in whoever reads it.
"""

import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_DAY = 86_400
_WAIT = 2.0  # seconds for another run's write, which takes some hundredths
_AT_ONCE = 500  # keys; every SQLite takes 999 (https://sqlite.org/limits.html)
_PAGE = 4096
_TABLE = """CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY, value BLOB NOT NULL, checksum INTEGER NOT NULL, used INTEGER NOT NULL
)"""
# What is newest, as long as it fits, stays; an entry costs some bytes besides its own.
_FORGET = """DELETE FROM entries WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, sum(length(value) + 150) OVER (ORDER BY used DESC, rowid DESC) AS total FROM entries
    ) WHERE total > ?
)"""
# What damage comes to (https://sqlite.org/rescode.html) and besides, in a write, a table that is not ours; in a read,
# that may be one which another run is about to make.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_WORTHLESS = _DAMAGED | {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}


def digest(*parts: bytes) -> bytes:
    """The SHA-256 of parts; no other parts have the same, however they are cut."""
    state = sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()


class Store:
    """Values by key, in a file that several processes read and write at a time.

    It is a memory and no record: what cannot be read is not there, what cannot be written is forgotten, a file that is
    damaged is made anew, and no call fails. A writer that is killed takes nothing with it but what it was writing.

    Args:
        path: The file; its folder is made when something is put.
        limit: What the file may take, in bytes; what was not used for the longest time, in days, makes room.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values of those keys that are known."""
        wanted = list(dict.fromkeys(keys))
        found = self._try(lambda: self._read(wanted), _DAMAGED) if wanted else None
        return found or {}

    def put_many(self, values: Mapping[bytes, bytes]) -> None:
        """Remembers values, all of them or none."""
        if values and sum(map(len, chain.from_iterable(values.items()))) <= self._limit:
            self._try(lambda: self._write(values), _WORTHLESS)

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
        self._path.parent.mkdir(parents=True, exist_ok=True)
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

    @contextmanager
    def _opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        """A connection of this call's own: it belongs to no thread and outlives no fork."""
        place = f"{self._path.absolute().as_uri()}?mode={mode}"
        with closing(sqlite3.connect(place, timeout=_WAIT, isolation_level=None, uri=True)) as database:
            # A power failure may damage the file: it is found out by the checksums. Nothing waits for the disk.
            database.execute("PRAGMA synchronous = OFF")
            yield database

    def _try(self, act: Callable[[], T], worthless: frozenset[int]) -> T | None:
        """Does it; once more with a new file if an error says that this one is worthless; None if it cannot be done."""
        for _ in range(2):
            try:
                return act()
            except (
                sqlite3.Error,
                TypeError,
                ValueError,
            ) as error:  # the last two: text that is none, of a damaged file
                if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in worthless:
                    return None
                if not self._remove():
                    return None
            except OSError:
                return None
        return None

    def _remove(self) -> bool:
        try:
            for ending in ("", "-journal", "-wal", "-shm"):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
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
    """Says once a day that entries are in use; where that cannot be written, they are found all the same."""
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
