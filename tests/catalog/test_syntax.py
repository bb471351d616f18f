"""The problems of invalid YAML, and their positions."""

from pathlib import PurePath

import pytest

from fleetform.catalog.nodes import parse_yaml

COLONLESS = "a line without `: `; write `key: value`, with a space after the colon"
ESCAPE = r"unknown escape sequence; write `\\` for a backslash, or use single quotes"
MISALIGNED = (
    "this line fits neither the keys nor the list above it; align it with the lines that it belongs to"
)
TAB = "a tab in the indentation; indent with spaces"
UNQUOTED = "the quote is not closed; close it"


def unclosed(brackets: str, place: str) -> str:
    return f"`{brackets[0]}` is not closed; add the missing `{brackets[1]}` or `,` before {place}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1,\n  2\nb: 3\n", f"1:4: {unclosed('[]', 'line 3, column 2')}"),
        ("a: { b: [1, 2 }\n", f"1:9: {unclosed('[]', 'line 1, column 15')}"),
        ("a: { b: 1\n", f"1:4: {unclosed('{}', 'line 2, column 1')}"),
        ("a: 'x", f"1:4: {UNQUOTED}"),
        ('a: "x\nb: 1\n', f"1:4: {UNQUOTED}"),
        ("a: b: c\n", "1:5: a second `: ` on this line; put the text that contains it in quotes"),
        (
            "a:\n  b:1\n  c: 2\n",
            (
                "3:4: this key is under a line that is not a key; "
                "end that line with `:`, or write it as `key: value` with a space after the colon"
            ),
        ),
        ("a:\n  b: 1\n  c:2\n", f"3:3: {COLONLESS}"),
        ("a: b\nc\nd: e\n", f"2:1: {COLONLESS}"),
        ("a:\n    b: 1\n  c: 2\n", f"3:3: {MISALIGNED}"),
        ("a:\n  - b\n  c: d\n", f"3:3: {MISALIGNED}"),
        (
            'a: "x" y\n',
            "1:8: unexpected text after the value; put the whole value in quotes, or remove the rest",
        ),
        ("a: @b\n", "1:4: `@` cannot begin a value; put the value in quotes"),
        ("a: 😀\nb: `c`\n", "2:4: ``` cannot begin a value; put the value in quotes"),
        ("a: [1,,2]\n", "1:7: `,` where a value should be; remove it, or put the value in quotes"),
        ("a: [1,\n", "2:1: the file ends where a value should be; close the open brackets"),
        ("a:\n\tb: 1\n", f"2:1: {TAB}"),
        ("a: 1\n\tb: 2\n", f"2:1: {TAB}"),
        (r'a: "C:\dir"', f"1:7: {ESCAPE}"),
        (r'a: "\xg"', f"1:7: {ESCAPE}"),
        (
            "a: &\n",
            (
                "1:5: not valid YAML: did not find expected alphabetic or numeric character; "
                "check indentation, colons and quotes"
            ),
        ),
    ],
)
def test_a_syntax_error_is_reported_where_it_was_made(text: str, expected: str) -> None:
    assert [str(problem) for problem in parse_yaml(text, PurePath("a.yaml"))[1]] == [f"a.yaml:{expected}"]
