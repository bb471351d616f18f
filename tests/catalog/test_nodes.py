import sys
import time
from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import InputError, Position
from fleetform.catalog.nodes import MAX_DEPTH, Node, Plain, parse_yaml, read_yaml

FILE = PurePath("catalog.yaml")


def plain(text: str) -> Plain:
    """Return the value of a document without problems."""
    node, problems = parse_yaml(text, FILE)
    assert problems == []
    return node.plain()


def refusals(text: str) -> list[str]:
    """Return the problems of a document, as they are shown."""
    return [str(problem) for problem in parse_yaml(text, FILE)[1]]


def at(line: int, column: int) -> Position:
    return Position(FILE, line, column)


def test_keys_values_and_list_items_know_their_positions() -> None:
    node, _ = parse_yaml("a:\n  b: 1\n  c:\n    - x\n    - [y,  z]\n", FILE)
    assert node == Node(
        {
            "a": Node(
                {
                    "b": Node(1, at(2, 6), at(2, 3)),
                    "c": Node(
                        [Node("x", at(4, 7)), Node([Node("y", at(5, 8)), Node("z", at(5, 12))], at(5, 7))],
                        at(4, 5),
                        at(3, 3),
                    ),
                },
                at(2, 3),
                at(1, 1),
            )
        },
        at(1, 1),
    )


def test_columns_count_characters_not_bytes() -> None:
    node, _ = parse_yaml("a: [é, 😀, x]\n", FILE)
    assert [item.position for item in node.value["a"].value] == [at(1, 5), at(1, 8), at(1, 11)]  # type: ignore[index, union-attr, call-overload]


def test_an_alias_has_its_anchors_position_under_its_own_key() -> None:
    node, _ = parse_yaml("a: &x 1\nb: *x\n", FILE)
    assert node.at(("b",)) == Node(1, at(1, 4), at(2, 1))


@pytest.mark.parametrize("path", [("b",), ("a", "b"), ("a", 2), ("a", "0"), (0,)])
def test_a_path_without_a_value_has_no_node(path: tuple[str | int, ...]) -> None:
    node, _ = parse_yaml("a: [1, 2]\n", FILE)
    assert node.at(path) is None


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-5", -5),
        ("123456789012345678", 123456789012345678),
        # Everything else is text, as written.
        ("1234567890123456789", "1234567890123456789"),
        ("007", "007"),
        ("-0", "-0"),
        ("+1", "+1"),
        ("1_000", "1_000"),
        ("1.10", "1.10"),
        ("1e3", "1e3"),
        ("0o755", "0o755"),
        ("0x1f", "0x1f"),
        (".inf", ".inf"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("no", "no"),
        ("off", "off"),
        ("True", "True"),
        ("NULL", "NULL"),
        ("=", "="),
        # Quoted values are always text.
        ("'true'", "true"),
        ('"null"', "null"),
        ("''", ""),
        ("'8080'", "8080"),
        ('"a\\tb"', "a\tb"),
        ("|\n  x\n  y", "x\ny\n"),
        (">-\n  x\n  y", "x y"),
    ],
)
def test_a_scalar_is_read_exactly(written: str, value: object) -> None:
    read_value = plain(f"a: {written}\n")
    assert read_value == {"a": value}
    assert isinstance(read_value, dict)
    assert type(read_value["a"]) is type(value)


def test_keys_are_always_text() -> None:
    assert plain("true: 1\n1: 2\nnull: 3\n") == {"true": 1, "1": 2, "null": 3}


def test_the_order_of_keys_is_kept() -> None:
    assert list(plain("b: 1\na: 2\nc: 3\n")) == ["b", "a", "c"]  # type: ignore[arg-type]


def test_a_duplicate_key_is_reported_with_both_positions_and_the_rest_is_read() -> None:
    node, problems = parse_yaml("a: 1\nb: 2\na: 3\n", FILE)
    assert node.plain() == {"a": 1, "b": 2}
    assert [str(problem) for problem in problems] == [
        "catalog.yaml:3:1: duplicate key `a`; it is already defined at catalog.yaml:1:1; keep one"
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param(
            "b: &b { x: 1 }\na:\n  <<: *b\n  y: 2\n",
            ["catalog.yaml:3:3: unsupported merge key `<<`; write out the keys"],
            id="merge key",
        ),
        pytest.param(
            "a: !!str 5\nb: !x {c: !!python/name:os.system y}\n",
            [
                ("catalog.yaml:1:4: unsupported YAML tag `!!str`; remove it; if the value is text, quote it"),
                "catalog.yaml:2:4: unsupported YAML tag `!x`; remove it; if the value is text, quote it",
                (
                    "catalog.yaml:2:11: unsupported YAML tag `!!python/name:os.system`; "
                    "remove it; if the value is text, quote it"
                ),
            ],
            id="tags",
        ),
        pytest.param(
            "a: *b\n",
            ["catalog.yaml:1:4: alias *b has no anchor before it; define &b first"],
            id="undefined alias",
        ),
        pytest.param(
            "a: &a\n  b: *a\n",
            ["catalog.yaml:2:6: alias *a has no anchor before it; define &a first"],
            id="recursive alias",
        ),
        pytest.param(
            "a: 1\na: 2\nb: *c\n",
            [
                "catalog.yaml:2:1: duplicate key `a`; it is already defined at catalog.yaml:1:1; keep one",
                "catalog.yaml:3:4: alias *c has no anchor before it; define &c first",
            ],
            id="what was found before a refusal",
        ),
        pytest.param(
            "a: 1\n---\nb: 2\n",
            ["catalog.yaml:2:1: more than one YAML document; keep one document per file"],
            id="two documents",
        ),
        pytest.param(
            "? [a]\n: 1\n",
            ["catalog.yaml:1:3: the key is not a word; write `key: value`"],
            id="a list as a key",
        ),
        pytest.param(
            "'': 1\n", ["catalog.yaml:1:1: the key is not a word; write `key: value`"], id="empty key"
        ),
        pytest.param(
            "a: 1\nb: x\0y\n",
            ["catalog.yaml:2:5: a character that YAML does not allow; remove it or write it as an escape"],
            id="control character",
        ),
        pytest.param(
            'a: "\\ud800"\n',
            [
                (
                    "catalog.yaml:1:7: not valid YAML: found invalid Unicode character escape code; "
                    "check indentation, colons and quotes"
                )
            ],
            id="half of a surrogate pair",
        ),
    ],
)
def test_yaml_that_is_not_plain_data_is_refused_with_its_position(text: str, problems: list[str]) -> None:
    assert refusals(text) == problems


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "null\n", "---\n...\n"])
def test_an_empty_document_is_an_empty_mapping(text: str) -> None:
    assert parse_yaml(text, FILE) == (Node({}, at(1, 1)), [])


def test_a_document_that_cannot_be_read_is_an_empty_mapping() -> None:
    assert parse_yaml("a: [\n", FILE)[0] == Node({}, at(1, 1))


@pytest.mark.parametrize("opening", ["[", "- ", "{a: "])
def test_depth_is_limited(opening: str) -> None:
    assert [problem.split(": ", 1)[1] for problem in refusals(opening * 100_000)] == [
        f"nested deeper than {MAX_DEPTH} levels; flatten it"
    ]


def test_depth_is_limited_through_aliases_too() -> None:
    links = (f"a{number}: &a{number} [*a{number - 1}]\n" for number in range(1, sys.getrecursionlimit()))
    assert refusals("a0: &a0 x\n" + "".join(links)) == [
        f"catalog.yaml:{MAX_DEPTH + 1}:12: nested deeper than {MAX_DEPTH} levels; flatten it"
    ]


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert refusals("[" * MAX_DEPTH + "]" * MAX_DEPTH) == []


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    links = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    started = time.process_time()
    assert refusals("a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(links)) == [
        "catalog.yaml:6:40: more than 500000 values once aliases are expanded; use fewer values and aliases"
    ]
    assert time.process_time() - started < 5


def test_the_end_of_a_file_without_a_line_break_is_on_its_last_line() -> None:
    assert refusals("a: 1\nb: {") == [
        "catalog.yaml:2:5: the file ends where a value should be; close the open brackets"
    ]


def test_an_alias_bomb_of_text_is_refused_before_it_grows() -> None:
    assert refusals(f"a: &a {'x' * 2**20}\nb: [*a, *a, *a, *a, *a]\n") == [
        "catalog.yaml:2:17: more than 5 MiB of text once aliases are expanded; use fewer aliases"
    ]


def test_a_tag_on_a_key_is_refused() -> None:
    assert refusals("!!str a: 1\n") == [
        ("catalog.yaml:1:1: unsupported YAML tag `!!str`; remove it; if the value is text, quote it")
    ]


def test_windows_line_endings_change_neither_values_nor_positions() -> None:
    unix = "a: 1\nb:\n  - x\n  - 'y'\n"
    assert parse_yaml(unix.replace("\n", "\r\n"), FILE) == parse_yaml(unix, FILE)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "marked.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(file, FILE) == (Node({"a": Node(1, at(1, 4), at(1, 1))}, at(1, 1)), [])


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("a: 1\nb: é\n".encode("latin-1"))
    with pytest.raises(InputError) as refused:
        read_yaml(file, FILE)
    assert str(refused.value) == "catalog.yaml:2:1: not UTF-8; save the file as UTF-8"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_yaml(tmp_path / "missing.yaml", FILE)
    assert str(refused.value) == "catalog.yaml: file not found; create it or choose a different --env"


def test_a_folder_instead_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_yaml(tmp_path, FILE)
    assert str(refused.value) == "catalog.yaml: Is a directory; make it a readable file"
