"""The cache: several processes, a full, damaged or foreign file, aging, changing values."""

import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetform.base.cache import Cache, Kind, Raw, digest
from fleetform.base.git_index import is_tracked
from fleetform.base.serialization import JsonCodec

MEGABYTE = 1024 * 1024
DAY = 86_400
NOON = 20_000 * DAY + DAY // 2
BYTES: Kind[bytes] = Kind("bytes", Raw())
NUMBERS: Kind[list[int]] = Kind("numbers", JsonCodec(list[int]))

# A run of the product: it reads and writes the others' values, and its own; all of them last to the end.
RUN = """
import sys
from pathlib import Path
from fleetform.base.cache import Cache, Kind, Raw
cache, own, kind = Cache(Path(sys.argv[1]), 1 << 24), sys.argv[2].encode(), Kind("bytes", Raw())
for number in range(40):
    shared = str(number).encode()
    assert cache.memo(kind, (shared,), lambda: shared * 500) == shared * 500
    cache.keep(kind, {0: (own + shared,)}, {0: own})
    assert cache.find(kind, {0: (own + shared,)}) == {0: own}
"""

# A writer that never ends.
STUCK = """
import sys
from pathlib import Path
from fleetform.base import cache as module
kind = module.Kind("bytes", module.Raw())
class Endless(dict):
    def items(self):
        yield module._key(kind, (b"new",)), b"1"
        for number in range(2000):
            yield module._key(kind, (str(number).encode(),)), b"x" * 4000
def hang(database, rows):
    database.execute("PRAGMA cache_size = 5")
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows)
    print("writing", flush=True)
    sys.stdin.read()
module._put = hang
module.Cache(Path(sys.argv[1]), 1 << 24)._write(Endless())
"""


def find(cache: Cache, names: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return those values that are cached."""
    return cache.find(BYTES, {name: (name,) for name in names})


def keep(cache: Cache, values: Mapping[bytes, bytes]) -> None:
    """Cache some values."""
    cache.keep(BYTES, {name: (name,) for name in values}, values)


@dataclass(frozen=True)
class Whole:
    """An undamaged cache: its file, all its values, and the bytes of the file. Too much to be shown."""

    path: Path
    values: dict[bytes, bytes] = field(repr=False)
    content: bytes = field(repr=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a cache, in a folder that does not exist yet."""
    return tmp_path / "work" / "cache.sqlite"


def test_only_cached_values_are_found(path: Path) -> None:
    keep(Cache(path, MEGABYTE), {b"a": b"1", b"b": b""})
    assert find(Cache(path, MEGABYTE), [b"a", b"b", b"c"]) == {b"a": b"1", b"b": b""}


def test_reading_creates_no_file(path: Path) -> None:
    assert find(Cache(path, MEGABYTE), [b"a"]) == {}
    assert not path.parent.exists()


def test_more_keys_than_one_statement_takes_are_found(path: Path) -> None:
    values = {digest(b"%d" % number): b"%d" % number for number in range(40_000)}
    cache = Cache(path, 16 * MEGABYTE)
    keep(cache, values)
    assert find(cache, values) == values


def test_the_last_value_counts(path: Path) -> None:
    cache = Cache(path, MEGABYTE)
    keep(cache, {b"a": b"1"})
    keep(cache, {b"a": b"2"})
    assert find(cache, [b"a"]) == {b"a": b"2"}


def test_concurrent_processes_lose_nothing(path: Path) -> None:
    names = [f"run-{number}-" for number in range(4)]
    runs = [subprocess.Popen([sys.executable, "-c", RUN, path, name]) for name in names]
    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    wanted = {f"{name}{number}".encode(): name.encode() for name in names for number in range(40)}
    assert find(Cache(path, MEGABYTE), wanted) == wanted


def test_a_killed_writer_loses_only_its_own_values(path: Path) -> None:
    cache = Cache(path, 16 * MEGABYTE)
    keep(cache, {b"old": b"1"})
    command = [sys.executable, "-c", STUCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"writing\n"
        os.kill(writer.pid, signal.SIGKILL)
    assert find(cache, [b"old", b"new", b"0"]) == {b"old": b"1"}
    keep(cache, {b"new": b"2"})
    assert find(cache, [b"old", b"new"]) == {b"old": b"1", b"new": b"2"}


def test_the_values_not_used_for_most_days_make_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(path, MEGABYTE)
    for day in range(4):
        monkeypatch.setattr(time, "time", lambda day=day: NOON + day * DAY)
        keep(cache, {b"%d" % day: bytes(200_000)})
        assert find(cache, [b"0"]) == {b"0": bytes(200_000)}
    keep(cache, {b"new": bytes(400_000)})
    assert find(cache, [b"0", b"1", b"2", b"3", b"new"]).keys() == {b"0", b"3", b"new"}


def test_the_file_never_takes_more_than_its_limit(path: Path) -> None:
    cache = Cache(path, MEGABYTE)
    for number in range(100):
        keep(cache, {b"%d-%d" % (number, part): os.urandom(5000) for part in range(20)})
        assert path.stat().st_size <= MEGABYTE
        assert len(find(cache, [b"%d-%d" % (number, part) for part in range(20)])) == 20


def test_a_value_larger_than_the_limit_changes_nothing(path: Path) -> None:
    cache = Cache(path, MEGABYTE)
    keep(cache, {b"a": b"1"})
    keep(cache, {b"b": bytes(MEGABYTE)})
    assert find(cache, [b"a", b"b"]) == {b"a": b"1"}


def test_reading_writes_once_a_day(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(path, MEGABYTE)
    versions = []
    for time_of_day in (NOON, NOON + 60, NOON + DAY, NOON + DAY + 60):
        monkeypatch.setattr(time, "time", lambda now=time_of_day: now)
        if not path.exists():
            keep(cache, {b"a": b"1"})
        find(cache, [b"a"])
        # https://sqlite.org/fileformat2.html#file_change_counter
        versions.append(int.from_bytes(path.read_bytes()[24:28], "big"))
    assert [version - versions[0] for version in versions] == [0, 0, 1, 1]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000, b"SQLite format 3\0" + bytes(5000)])
def test_a_damaged_file_is_replaced(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    cache = Cache(path, MEGABYTE)
    assert find(cache, [b"a"]) == {}
    keep(cache, {b"a": b"1"})
    assert find(cache, [b"a"]) == {b"a": b"1"}


@given(st.integers(0, 60_000), st.binary(min_size=1, max_size=5000))
def test_no_damage_changes_a_value(whole: Whole, place: int, damage: bytes) -> None:
    end = place + len(damage)
    whole.path.write_bytes(whole.content[:place] + damage + whole.content[end:])
    cache = Cache(whole.path, MEGABYTE)
    assert find(cache, whole.values).items() <= whole.values.items()
    keep(cache, {b"new": b"1"})
    assert find(cache, whole.values).items() <= whole.values.items()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Return a cache of fifty values."""
    path = tmp_path_factory.mktemp("whole") / "cache.sqlite"
    values = {digest(b"%d" % number): b"%d" % number * 400 for number in range(50)}
    keep(Cache(path, MEGABYTE), values)
    return Whole(path, values, path.read_bytes())


def test_a_table_of_a_different_form_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE entries (other)")
    database.close()
    cache = Cache(path, MEGABYTE)
    assert find(cache, [b"a"]) == {}
    keep(cache, {b"a": b"1"})
    assert find(cache, [b"a"]) == {b"a": b"1"}


def test_without_write_access_nothing_is_cached(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    cache = Cache(tmp_path / "work" / "cache.sqlite", MEGABYTE)
    keep(cache, {b"a": b"1"})
    assert find(cache, [b"a"]) == {}


def test_a_folder_in_the_files_place_breaks_nothing(path: Path) -> None:
    path.mkdir(parents=True)
    cache = Cache(path, MEGABYTE)
    keep(cache, {b"a": b"1"})
    assert find(cache, [b"a"]) == {}


def test_a_locked_file_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetform.base.cache._WAIT", 0.01)
    cache = Cache(path, MEGABYTE)
    keep(cache, {b"a": b"1"})
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    keep(cache, {b"a": b"2"})
    assert find(cache, [b"a"]) == {}
    holder.close()
    assert find(cache, [b"a"]) == {b"a": b"1"}


def test_a_digest_depends_on_where_parts_end() -> None:
    cuts = [(), (b"",), (b"", b""), (b"ab",), (b"a", b"b"), (b"ab", b""), (b"", b"ab")]
    assert len({digest(*parts) for parts in cuts}) == len(cuts)


def test_a_value_is_made_once_for_the_same_parts(path: Path) -> None:
    cache, calls = Cache(path, MEGABYTE), []

    def make() -> list[int]:
        calls.append(1)
        return [len(calls)]

    values = [cache.memo(NUMBERS, parts, make) for parts in ((b"a",), (b"a",), (b"b",), (b"a",))]
    assert values == [[1], [1], [2], [1]]


def test_kinds_do_not_share_values(path: Path) -> None:
    cache = Cache(path, MEGABYTE)
    cache.keep(BYTES, {0: (b"a",)}, {0: b"[1]"})
    assert cache.find(NUMBERS, {0: (b"a",)}) == {}


def test_a_value_whose_parts_change_while_it_is_made_is_not_cached(path: Path) -> None:
    cache, parts = Cache(path, MEGABYTE), [b"before"]

    def make() -> list[int]:
        parts[0] = b"after"
        return [1]

    assert cache.memo(NUMBERS, lambda: parts, make) == [1]
    assert cache.find(NUMBERS, {"before": (b"before",), "after": (b"after",)}) == {}


def test_a_value_that_is_not_current_is_made_again(path: Path) -> None:
    cache = Cache(path, MEGABYTE)
    cache.memo(NUMBERS, (b"a",), lambda: [1])
    assert cache.memo(NUMBERS, (b"a",), lambda: [2], lambda value: value != [1]) == [2]
    assert cache.memo(NUMBERS, (b"a",), lambda: [3]) == [2]


def test_of_many_values_only_those_missing_are_made(path: Path) -> None:
    cache, parts = Cache(path, MEGABYTE), {name: (name.encode(),) for name in "abc"}
    cache.memo(NUMBERS, parts["b"], lambda: [1])
    made: list[list[str]] = []

    def make(missing: list[str]) -> dict[str, list[int]]:
        made.append(missing)
        return {name: [2] for name in missing}

    assert [*cache.memo_many(NUMBERS, parts, make).items()] == [("a", [2]), ("b", [1]), ("c", [2])]
    assert cache.memo_many(NUMBERS, parts, make) == {"a": [2], "b": [1], "c": [2]}
    assert made == [["a", "c"]]


class Bomb:
    """An object whose pickle removes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        """Return a call instead of a state."""
        return os.unlink, (self.file,)


FOREIGN = {
    "nothing": b"",
    "text": b"import os",
    "bytes": bytes(range(256)),
    "other JSON": b'{"a": 1}',
    "other items": b'["1"]',
    "a flag": b"[true]",
    "no number": b"[NaN]",
    "a long number": b"[" + b"9" * 5000 + b"]",
    "nesting": b"[" * 100_000,
    "a program": json.dumps({"__reduce__": ["os.system", ["true"]]}).encode(),
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_value_is_ignored_and_replaced(path: Path, data: bytes) -> None:
    write_foreign(path, data)
    assert Cache(path, MEGABYTE).memo(NUMBERS, (b"a",), lambda: [1]) == [1]
    assert Cache(path, MEGABYTE).find(NUMBERS, {0: (b"a",)}) == {0: [1]}


def test_a_pickle_is_not_executed(path: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.touch()
    write_foreign(path, pickle.dumps(Bomb(victim)))
    assert Cache(path, MEGABYTE).find(NUMBERS, {0: (b"a",)}) == {}
    assert victim.exists()


def write_foreign(path: Path, data: bytes) -> None:
    """Write bytes under the key of a list of numbers, with a valid checksum."""
    Cache(path, MEGABYTE).keep(Kind("numbers", Raw()), {0: (b"a",)}, {0: data})


def tracked(path: Path) -> None:
    """Add a cache to a Git repository, as a pull request might."""
    git(path.parents[1], "init", "--quiet")
    git(path.parents[1], "add", "--force", path)


def tracked_in_a_compressed_index(path: Path) -> None:
    """Add a cache to a Git repository whose index does not hold whole paths."""
    tracked(path)
    git(path.parents[1], "update-index", "--index-version", "4")


def tracked_in_a_linked_worktree(path: Path) -> None:
    """Add a cache to the index of a linked worktree, whose `.git` is a file."""
    tracked(path)
    (path.parents[1] / ".git").rename(path.parents[2] / "elsewhere.git")
    (path.parents[1] / ".git").write_text(f"gitdir: {path.parents[2]}/elsewhere.git\n", encoding="utf-8")


def linked(path: Path) -> None:
    """Replace a cache by a link to it."""
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def in_a_linked_folder(path: Path) -> None:
    """Replace the folder by a link to it."""
    path.parent.rename(path.parents[1] / "elsewhere")
    path.parent.symlink_to("elsewhere")


def with_a_linked_journal(path: Path) -> None:
    """Add a journal that is a link."""
    path.with_name("cache.sqlite-journal").symlink_to("elsewhere")


def writable_for_others(path: Path) -> None:
    """Let others write a cache."""
    path.chmod(0o666)


def in_a_folder_writable_for_others(path: Path) -> None:
    """Let others write into the folder of a cache."""
    path.parent.chmod(0o777)


def git(folder: Path, *arguments: str | Path) -> None:
    """Run Git in a folder."""
    subprocess.run(["git", *arguments], cwd=folder, check=True)  # noqa: S607 - any Git will do


CHANGES = (
    tracked,
    tracked_in_a_compressed_index,
    tracked_in_a_linked_worktree,
    linked,
    in_a_linked_folder,
    with_a_linked_journal,
    writable_for_others,
    in_a_folder_writable_for_others,
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_others_may_have_written_is_neither_read_nor_written(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "project/.fleetform/cache.sqlite"
    cache = Cache(path, MEGABYTE)
    cache.keep(NUMBERS, {0: (b"a",)}, {0: [1]})
    before = path.read_bytes()
    change(path)
    is_tracked.cache_clear()
    assert cache.find(NUMBERS, {0: (b"a",)}) == {}
    cache.keep(NUMBERS, {0: (b"b",)}, {0: [2]})
    assert path.read_bytes() == before


def test_a_path_whose_length_git_writes_as_a_dot_is_not_the_folder(tmp_path: Path) -> None:
    """Before each path in its index, Git writes the path's length; 46 is a dot."""
    file = tmp_path / "project/fleetform" / ("x" * (ord(".") - len("fleetform/")))
    file.parent.mkdir(parents=True)
    file.touch()
    git(tmp_path / "project", "init", "--quiet")
    git(tmp_path / "project", "add", file)
    assert b".fleetform/" in (tmp_path / "project/.git/index").read_bytes()
    cache = Cache(tmp_path / "project/.fleetform/cache.sqlite", MEGABYTE)
    cache.keep(NUMBERS, {0: (b"a",)}, {0: [1]})
    assert cache.find(NUMBERS, {0: (b"a",)}) == {0: [1]}


def test_a_file_of_a_different_user_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(path, MEGABYTE)
    cache.keep(NUMBERS, {0: (b"a",)}, {0: [1]})
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    assert cache.find(NUMBERS, {0: (b"a",)}) == {}


def test_a_file_in_a_repository_that_tracks_others_is_read(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "README.md").touch()
    git(tmp_path, "add", "README.md")
    cache = Cache(tmp_path / ".fleetform/cache.sqlite", MEGABYTE)
    cache.keep(NUMBERS, {0: (b"a",)}, {0: [1]})
    assert cache.find(NUMBERS, {0: (b"a",)}) == {0: [1]}


def test_only_the_owner_can_write_the_file(path: Path) -> None:
    before = os.umask(0)
    try:
        Cache(path, MEGABYTE).keep(NUMBERS, {0: (b"a",)}, {0: [1]})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
