"""Damaged catalogs, as a typo, a bad merge or an attacker could produce them from valid ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import yaml
from hypothesis import strategies as st

from tests import sample
from tests.catalog.catalogs import HEAD

# A catalog with many kinds of keys.
RICH = (
    HEAD
    + """\
name_prefix: my_shop
namespace: shop.internal
network: { cidr: 172.16.0.0/20 }
log_retention_in_days: 30
tags: { team: platform, cost: 1.10 }
state: { bucket: shop-state }
exceptions:
  - { rule: FF001, address: "module.*", reason: it is a test }
services:
  web:
    build: &build { context: containers, dockerfile: web/Dockerfile, args: { A: b } }
    port: 80
    public: true
    calls: [orders, worker-2]
    environment: { DEBUG: false, VERSION: 1.10, TEXT: "a\\nb", LONG: &long "${x} %{y}" }
    autoscaling: { min: 2, max: 4 }
  orders:
    image: orders:1
    command: [serve, 8080, *long]
    port: 8080
    health_check: { command: [check], interval: 10, path: "/healthz?deep=1" }
    architecture: arm64
    desired_count: 3
  worker-2: { build: *build, port: 9000, cpu: 512, memory: 1024 }
"""
)
WORDS = (
    *(
        "",
        " ",
        "\t",
        "\n",
        "\r",
        "\0",
        "\x1b",
        "\x85",
        "\u2028",
        "\ufeff",
        "😀",
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        ",",
    ),
    *(
        "&a ",
        "*a",
        "*build",
        "!",
        "!!int ",
        "|",
        ">-",
        "'",
        '"',
        "%",
        "@",
        "`",
        "#",
        "- ",
        "? ",
        "---\n",
        "...\n",
        "~",
    ),
    *(
        "<<: *build\n",
        "null",
        "true",
        "no",
        "1.10",
        "0o17",
        "-1",
        "9" * 30,
        "name",
        "services",
        "web",
        "[key]",
        "[0]",
    ),
    *("build", "é", "日本", "${x}", "{0}", "{ge}", "x" * 300, "../..", "/etc"),
)
VALUES: tuple[object, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        80,
        65536,
        10**17,
        10**30,
        1.5,
        float("nan"),
        "",
        "x",
        "no",
        "a\nb",
        "\0",
        "${x}",
    ),
    *(
        [],
        {},
        [[]],
        [None],
        [1, "x"],
        {"": 1},
        {"x": None},
        {"[key]": {}},
        {"0": [0]},
        "x" * 3000,
        "é",
        "e\u0301",
    ),
    *(
        "../..",
        "/etc/passwd",
        ".",
        "a/../b",
        "web",
        "orders",
        "10.0.0.0/16",
        "eu-west-1a",
        "nginx@sha256:0",
        "{ge}",
    ),
)
# Mostly nothing, because an invalid UTF-8 byte hides everything else.
BYTES = (*([b""] * 30), b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\0")

Change: TypeAlias = Callable[[Any, Any], Any]
Edit: TypeAlias = Callable[[list[str], int, str], list[str]]


@dataclass(frozen=True)
class Files:
    """The bytes of a project's two files."""

    catalog: bytes
    environment: bytes


@dataclass(frozen=True)
class Damage:
    """What happens to a file: to its structure, if anything; then to its lines; then to its bytes.

    Places are numbers of any size, which turn round at the end.
    """

    changes: list[tuple[Change, int, object]]
    edits: list[tuple[Edit, int, str]]
    extra: tuple[int, bytes]


def damaged() -> st.SearchStrategy[Files]:
    """Return the files of a valid project after some damage to each, or to neither."""
    return st.builds(_files, st.sampled_from(range(len(_sound()))), _DAMAGE, _DAMAGE)


def _files(number: int, to_catalog: Damage, to_environment: Damage) -> Files:
    catalog, environment = _sound()[number]
    return Files(_after(catalog, to_catalog), _after(environment, to_environment))


@cache
def _sound() -> list[tuple[str, str]]:
    catalog, *environments = (data.decode() for data in sample.catalogs(sample.FOLDER).values())
    samples = [(catalog, environment) for environment in environments]
    return [*samples, (RICH, "services: { web: { port: 8080 }, orders: { command: null } }\n")]


@cache
def _data(text: str) -> object:
    return yaml.safe_load(text)


def _after(text: str, damage: Damage) -> bytes:
    if damage.changes:
        text = _restructured(_data(text), damage.changes)
    for edit, place, word in damage.edits:
        lines = text.splitlines(keepends=True) or [""]
        text = "".join(edit(lines, place, word))
    place, extra = damage.extra
    content = text.encode()
    at = place % (len(content) + 1)
    return content[:at] + extra + content[at:]


def _restructured(data: Any, changes: list[tuple[Change, int, object]]) -> str:  # noqa: ANN401 - whatever YAML holds
    for change, place, value in changes:
        paths = list(_paths(data))
        data = _changed(data, paths[place % len(paths)], change, value)
    return yaml.dump(
        data, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True, sort_keys=False
    )


def _paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - as above
    yield path
    for step, child in (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    ):
        yield from _paths(child, (*path, step))


def _changed(data: Any, path: tuple[Any, ...], change: Change, value: object) -> Any:  # noqa: ANN401 - as above
    """Return a copy of the data, changed at a path."""
    if not path:
        return change(data, value)
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = _changed(copy[path[0]], path[1:], change, value)
    return copy


def _without_first(old: Any, value: Any) -> Any:  # noqa: ANN401 - as above
    match old:
        case dict():
            return dict(list(old.items())[1:])
        case list():
            return old[1:]
        case _:
            return value


def _with_more(old: Any, value: Any) -> Any:  # noqa: ANN401 - as above
    match old:
        case dict():
            return {**old, (value if isinstance(value, str) else "more"): value}
        case list():
            return [*old, value]
        case _:
            return f"{old}{value}"


def _renamed(old: Any, value: Any) -> Any:  # noqa: ANN401 - as above
    if not isinstance(old, dict):
        return value
    return {(key if at else f"{key}{value}"): child for at, (key, child) in enumerate(old.items())}


def _line_gone(lines: list[str], place: int, _word: str) -> list[str]:
    at = place % len(lines)
    return [*lines[:at], *lines[at + 1 :]]


def _line_twice(lines: list[str], place: int, _word: str) -> list[str]:
    at = place % len(lines)
    return [*lines[: at + 1], *lines[at:]]


def _line_moved(lines: list[str], place: int, _word: str) -> list[str]:
    at, to = place % len(lines), place // len(lines) % len(lines)
    rest = _line_gone(lines, place, "")
    return [*rest[:to], lines[at], *rest[to:]]


def _line_indented(lines: list[str], place: int, _word: str) -> list[str]:
    at = place % len(lines)
    return [*lines[:at], " " * (place % 5) + lines[at].lstrip(" "), *lines[at + 1 :]]


def _value_replaced(lines: list[str], place: int, word: str) -> list[str]:
    at = place % len(lines)
    return [*lines[:at], f"{lines[at].partition(':')[0]}: {word}\n", *lines[at + 1 :]]


def _word_inserted(lines: list[str], place: int, word: str) -> list[str]:
    text = "".join(lines)
    at = place % (len(text) + 1)
    return [text[:at], word, text[at:]]


def _cut_off(lines: list[str], place: int, _word: str) -> list[str]:
    text = "".join(lines)
    return [text[: place % (len(text) + 1)]]


_CHANGES: tuple[Change, ...] = (
    lambda _, value: value,
    lambda old, _: [old],
    _without_first,
    _with_more,
    _renamed,
)
_EDITS: tuple[Edit, ...] = (
    *(
        _line_gone,
        _line_twice,
        _line_moved,
        _line_indented,
        _value_replaced,
        _value_replaced,
        _word_inserted,
        _cut_off,
    ),
)
_PLACE = st.integers(1, 2**20).map(lambda number: number * 7919)
_DAMAGE = st.builds(
    Damage,
    st.lists(st.tuples(st.sampled_from(_CHANGES), _PLACE, st.sampled_from(VALUES)), max_size=2),
    st.lists(st.tuples(st.sampled_from(_EDITS), _PLACE, st.sampled_from(WORDS)), max_size=2),
    st.tuples(_PLACE, st.sampled_from(BYTES)),
)
