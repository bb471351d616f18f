"""What is remembered by content: several processes, a full store, a damaged file, a day that passes."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetform.base.cache import Store, digest

MEGABYTE = 1024 * 1024
DAY = 86_400
NOON = 20_000 * DAY + DAY // 2

# A run of the product: it reads and writes what the others do, and one value of its own; all of them last to the end.
RUN = """
import sys
from pathlib import Path
from fleetform.base.cache import Store
store, own = Store(Path(sys.argv[1]), 1 << 24), sys.argv[2].encode()
for number in range(40):
    shared = str(number).encode()
    assert store.get_many([shared]).get(shared, shared * 500) == shared * 500
    store.put_many({shared: shared * 500, own + shared: own})
    assert store.get_many([own + shared]) == {own + shared: own}
"""

# A writer that never comes to its end.
STUCK = """
import sys
from pathlib import Path
from fleetform.base import cache as store
class Endless(dict):
    def items(self):
        yield b"new", b"1"
        for number in range(2000):
            yield str(number).encode(), b"x" * 4000
put = store._put
def hang(database, rows):
    database.execute("PRAGMA cache_size = 5")
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows)
    print("writing", flush=True)
    sys.stdin.read()
store._put = hang
store.Store(Path(sys.argv[1]), 1 << 24)._write(Endless())
"""


@dataclass(frozen=True)
class Whole:
    """A store that is whole: its file, all its values, and what the file holds. Too much to be shown."""

    path: Path
    values: dict[bytes, bytes] = field(repr=False)
    content: bytes = field(repr=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store's file, in a folder that is not there yet."""
    return tmp_path / "work" / "store.sqlite"


def test_what_was_put_is_found_and_nothing_else(path: Path) -> None:
    Store(path, MEGABYTE).put_many({b"a": b"1", b"b": b""})
    assert Store(path, MEGABYTE).get_many([b"a", b"b", b"c"]) == {b"a": b"1", b"b": b""}


def test_a_store_that_is_not_there_is_empty_and_is_not_made_by_reading(path: Path) -> None:
    assert Store(path, MEGABYTE).get_many([b"a"]) == {}
    assert not path.parent.exists()


def test_more_keys_than_one_statement_takes_are_found(path: Path) -> None:
    values = {digest(b"%d" % number): b"%d" % number for number in range(40_000)}
    store = Store(path, 16 * MEGABYTE)
    store.put_many(values)
    assert store.get_many(values) == values


def test_the_last_value_counts(path: Path) -> None:
    store = Store(path, MEGABYTE)
    store.put_many({b"a": b"1"})
    store.put_many({b"a": b"2"})
    assert store.get_many([b"a"]) == {b"a": b"2"}


def test_processes_read_and_write_at_a_time_and_lose_nothing(path: Path) -> None:
    names = [f"run-{number}-" for number in range(4)]
    runs = [subprocess.Popen([sys.executable, "-c", RUN, path, name]) for name in names]
    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    wanted = {f"{name}{number}".encode(): name.encode() for name in names for number in range(40)}
    assert Store(path, MEGABYTE).get_many(wanted) == wanted


def test_a_killed_writer_loses_nothing_but_its_own(path: Path) -> None:
    store = Store(path, 16 * MEGABYTE)
    store.put_many({b"old": b"1"})
    command = [sys.executable, "-c", STUCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"writing\n"
        os.kill(writer.pid, signal.SIGKILL)
    assert store.get_many([b"old", b"new", b"0"]) == {b"old": b"1"}
    store.put_many({b"new": b"2"})
    assert store.get_many([b"old", b"new"]) == {b"old": b"1", b"new": b"2"}


def test_what_was_not_used_for_the_longest_time_makes_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(path, MEGABYTE)
    for day in range(4):
        monkeypatch.setattr(time, "time", lambda day=day: NOON + day * DAY)
        store.put_many({b"%d" % day: bytes(200_000)})
        assert store.get_many([b"0"]) == {b"0": bytes(200_000)}
    store.put_many({b"new": bytes(400_000)})
    assert store.get_many([b"0", b"1", b"2", b"3", b"new"]).keys() == {b"0", b"3", b"new"}


def test_the_file_never_takes_more_than_its_limit(path: Path) -> None:
    store = Store(path, MEGABYTE)
    for number in range(100):
        store.put_many({b"%d-%d" % (number, part): os.urandom(5000) for part in range(20)})
        assert path.stat().st_size <= MEGABYTE
        assert len(store.get_many([b"%d-%d" % (number, part) for part in range(20)])) == 20


def test_what_is_larger_than_the_store_changes_nothing(path: Path) -> None:
    store = Store(path, MEGABYTE)
    store.put_many({b"a": b"1"})
    store.put_many({b"b": bytes(MEGABYTE)})
    assert store.get_many([b"a", b"b"]) == {b"a": b"1"}


def test_reading_writes_once_a_day(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(path, MEGABYTE)
    versions = []
    for time_of_day in (NOON, NOON + 60, NOON + DAY, NOON + DAY + 60):
        monkeypatch.setattr(time, "time", lambda now=time_of_day: now)
        if not path.exists():
            store.put_many({b"a": b"1"})
        store.get_many([b"a"])
        # https://sqlite.org/fileformat2.html#file_change_counter
        versions.append(int.from_bytes(path.read_bytes()[24:28], "big"))
    assert [version - versions[0] for version in versions] == [0, 0, 1, 1]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000, b"SQLite format 3\0" + bytes(5000)])
def test_a_damaged_file_is_made_anew(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = Store(path, MEGABYTE)
    assert store.get_many([b"a"]) == {}
    store.put_many({b"a": b"1"})
    assert store.get_many([b"a"]) == {b"a": b"1"}


@given(st.integers(0, 60_000), st.binary(min_size=1, max_size=5000))
def test_whatever_is_damaged_no_value_is_another_than_was_put(whole: Whole, place: int, damage: bytes) -> None:
    end = place + len(damage)
    whole.path.write_bytes(whole.content[:place] + damage + whole.content[end:])
    store = Store(whole.path, MEGABYTE)
    assert store.get_many(whole.values).items() <= whole.values.items()
    store.put_many({b"new": b"1"})
    assert store.get_many(whole.values).items() <= whole.values.items()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A store of fifty values."""
    path = tmp_path_factory.mktemp("whole") / "store.sqlite"
    values = {digest(b"%d" % number): b"%d" % number * 400 for number in range(50)}
    Store(path, MEGABYTE).put_many(values)
    return Whole(path, values, path.read_bytes())


def test_a_table_of_another_form_is_made_anew(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE entries (other)")
    database.close()
    store = Store(path, MEGABYTE)
    assert store.get_many([b"a"]) == {}
    store.put_many({b"a": b"1"})
    assert store.get_many([b"a"]) == {b"a": b"1"}


def test_where_nothing_can_be_written_everything_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    store = Store(tmp_path / "work" / "store.sqlite", MEGABYTE)
    store.put_many({b"a": b"1"})
    assert store.get_many([b"a"]) == {}


def test_a_folder_in_the_files_place_breaks_nothing(path: Path) -> None:
    path.mkdir(parents=True)
    store = Store(path, MEGABYTE)
    store.put_many({b"a": b"1"})
    assert store.get_many([b"a"]) == {}


def test_a_store_that_another_holds_for_long_is_done_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetform.base.cache._WAIT", 0.01)
    store = Store(path, MEGABYTE)
    store.put_many({b"a": b"1"})
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    store.put_many({b"a": b"2"})
    assert store.get_many([b"a"]) == {}
    holder.close()
    assert store.get_many([b"a"]) == {b"a": b"1"}


def test_parts_are_told_apart_however_they_are_cut() -> None:
    cuts = [(), (b"",), (b"", b""), (b"ab",), (b"a", b"b"), (b"ab", b""), (b"", b"ab")]
    assert len({digest(*parts) for parts in cuts}) == len(cuts)
