"""Literals: written as text, and read back as exactly the same value."""

import json
import os
import subprocess
import unicodedata
from pathlib import Path, PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetform.hcl.eval.values import Value
from fleetform.hcl.literals import Literal, literal
from fleetform.hcl.parsing import parse
from fleetform.terraform import installation

from .values import value_of

FILE = PurePath("main.tf")

# Text that means something to HCL, to a template, to a shell or to a terminal.
NASTY = [
    *(
        "",
        " ",
        " a ",
        "null",
        "true",
        "1",
        '"',
        "'",
        "`id`",
        "\\",
        "\\\\",
        "\\n",
        "\\b",
        "C:\\bin\\foo",
        "\\u0041",
    ),
    *(
        "\n",
        "\r\n",
        "\t",
        "\x00",
        "\x01",
        "\x08",
        "\x0c",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u2028",
        "\u202e",
        "\ufeff",
    ),
    *(
        "é",
        "e\u0301",
        "😀",
        "日本",
        "$",
        "$$",
        "$$$",
        "%",
        "%%",
        "{",
        "}",
        "${",
        "$${",
        "$$${",
        "%{",
        "%%{",
        "}${",
        "${}",
    ),
    *(
        "${x}",
        "$${x}",
        "$$${x}",
        "$$$${x}",
        "%{x}",
        "%%{x}",
        "%%%{x}",
        "%{if true}x%{endif}",
        "${${x}}",
        "${x} ${",
        "$%{",
    ),
    *(
        '${"x"}',
        '"${x}"',
        '${"',
        "\\${x}",
        "\\${",
        "${x\\",
        "${\nx}",
        "a ${ b } c %{ d",
        "$(rm -rf /)",
        "<<",
        "<<EOT",
        "<<-EOT",
    ),
    *(
        "<<EOT\nx\nEOT\n",
        "#",
        "//",
        "/*",
        "*/",
        '"\n}\nresource "x" "y" {',
        "a" * 10_000,
        "${" * 1000,
        "\\" * 999,
    ),
]
# What is more than a word as an object's key, or means something to HCL there.
NASTY_KEYS = [
    "for",
    "if",
    "in",
    "true",
    "false",
    "null",
    "web->orders:80",
    "a-b",
    "a.b",
    "1",
    "_",
    "A1",
    "é",
    *NASTY,
]


def parsed(text: str) -> dict[str, Value]:
    """Return the values of a file's arguments, with text in Unicode's composed form (NFC) as in Terraform."""
    return {name: value_of(given.value) for name, given in parse(text.encode(), FILE).arguments.items()}


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 30 else f"{text[:30]}({len(text)})"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-5, "-5"),
        (10**18, "1000000000000000000"),
        ("orders", '"orders"'),
        ("日本", '"日本"'),
        ('say "${x}"\n', r'"say \"$${x}\"\n"'),
        ("%{if}", '"%%{if}"'),
        ("100%", '"100%"'),
        ("cut ${off", r'"cut \u0024{off"'),
        ("C:\\bin", r'"C:\\bin"'),
        ("\x00\x1b\x7f", r'"\u0000\u001b\u007f"'),
        ([], "[]"),
        ((1, "a", None), '[1, "a", null]'),
        ([[1], []], "[[1], []]"),
        (["a" * 36, "b" * 36], f'["{"a" * 36}", "{"b" * 36}"]'),
        (["a" * 37, "b" * 36], f'[\n"{"a" * 37}",\n"{"b" * 36}",\n]'),
        ([{"a": "b" * 80}], f'[{{\na = "{"b" * 80}"\n}}]'),
        ({}, "{}"),
        ({"max": 2, "min": 1, "memory": 3}, "{\nmemory = 3\nmin = 1\nmax = 2\n}"),
        ({"b": 1, "a": {"d": [2]}}, "{\na = {\nd = [2]\n}\nb = 1\n}"),
        ({"a-b": 1, "for": 2, "_x1": 3, "1a": 4}, '{\n"1a" = 4\n_x1 = 3\n"a-b" = 1\n"for" = 2\n}'),
    ],
    ids=shown,
)
def test_a_value_is_written_as_a_literal(value: Literal, text: str) -> None:
    assert literal(value) == text


@pytest.mark.parametrize("value", NASTY, ids=shown)
def test_any_text_survives_a_round_trip(value: str) -> None:
    text = literal(value)
    assert text == text.replace("\n", "").replace("\r", "")
    assert parsed(f"before = 1\na = {text}\nafter = {{ b = 2 }}\n") == {
        "before": 1,
        "a": composed(value),
        "after": {"b": 2},
    }


@pytest.mark.parametrize("name", NASTY_KEYS, ids=shown)
def test_any_key_survives_a_round_trip(name: str) -> None:
    assert parsed(f"a = {literal({name: {name: 1}})}\n") == {"a": {composed(name): {composed(name): 1}}}


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        10**18,
        [],
        {},
        [[]],
        [{}],
        [{"a": []}],
        {"a": {"b": {"c": [None, True, -3, "x"]}}},
    ],
    ids=shown,
)
def test_any_structure_survives_a_round_trip(value: Literal) -> None:
    assert parsed(f"a = {literal(value)}\n") == {"a": value}


def test_terraform_reads_every_literal_as_its_value(tmp_path: Path, terraform_binary: str) -> None:
    keys = {composed(name): number for number, name in enumerate(NASTY_KEYS)}
    structure: dict[str, Literal] = {"a": [1, -2, True, None, {}, []], "b": {"c": {"d": "e"}}}
    value: Literal = {"texts": tuple(NASTY), "keys": keys, "structure": structure}
    (tmp_path / "outputs.tf").write_text(
        f'output "all" {{\n  value = jsonencode({literal(value)})\n}}\n', "utf-8"
    )
    for arguments in (["apply", "-auto-approve"], ["output", "-json"]):
        done = subprocess.run(
            [terraform_binary, *arguments],
            cwd=tmp_path,
            env=installation.variables(os.environ, tmp_path),
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr.decode()) == (0, "")
    assert json.loads(json.loads(done.stdout)["all"]["value"]) == {
        "texts": list(map(composed, NASTY)),
        "keys": keys,
        "structure": structure,
    }


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(composed)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | TEXTS
    | st.lists(st.sampled_from(NASTY)).map("".join).map(composed),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=max(100, settings().max_examples // 5))
@given(VALUES)
def test_any_value_survives_a_round_trip(value: Literal) -> None:
    assert parsed(f"a = {literal(value)}\n") == {"a": value}
