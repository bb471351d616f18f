import json
import os
import subprocess
import unicodedata
from pathlib import Path, PurePath

import pytest

from fleetform import hcl
from fleetform.errors import CheckFailedError
from fleetform.hcl import Block, Expression, File
from fleetform.terraform import installation

FILE = PurePath("main.tf")

# Text that means something to HCL, to a template, to a shell or to a terminal.
NASTY = [
    *("", " ", " a ", "null", "true", "1", '"', "'", "`id`", "\\", "\\\\", "\\n", "\\b", "C:\\bin\\foo", "\\u0041"),
    *("\n", "\r\n", "\t", "\x00", "\x01", "\x08", "\x0c", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff"),
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
    *("<<EOT\nx\nEOT\n", "#", "//", "/*", "*/", '"\n}\nresource "x" "y" {', "a" * 10_000, "${" * 1000, "\\" * 999),
]
# What is more than a word as an object's key, or means something to HCL there.
NASTY_KEYS = ["for", "if", "in", "true", "false", "null", "web->orders:80", "a-b", "a.b", "1", "_", "A1", "é", *NASTY]


def parsed(text: str) -> File:
    return hcl.parse(text.encode(), FILE)


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
        ({}, "{}"),
        ({"b": 1, "a": {"d": [2]}}, "{\na = {\nd = [2]\n}\nb = 1\n}"),
        ({"a-b": 1, "for": 2, "_x1": 3, "1a": 4}, '{\n"1a" = 4\n_x1 = 3\n"a-b" = 1\n"for" = 2\n}'),
    ],
    ids=shown,
)
def test_a_value_is_written_as_a_literal(value: hcl.Literal, text: str) -> None:
    assert hcl.literal(value) == text


@pytest.mark.parametrize("value", NASTY, ids=shown)
def test_any_text_comes_back_from_its_literal(value: str) -> None:
    text = hcl.literal(value)
    assert text == text.replace("\n", "").replace("\r", "")
    assert parsed(f"before = 1\na = {text}\nafter = {{ b = 2 }}\n").attributes == {
        "before": 1,
        "a": value,
        "after": {"b": 2},
    }


@pytest.mark.parametrize("name", NASTY_KEYS, ids=shown)
def test_any_key_comes_back_from_its_literal(name: str) -> None:
    assert parsed(f"a = {hcl.literal({name: {name: 1}})}\n").attributes == {"a": {name: {name: 1}}}


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -1, 10**18, [], {}, [[]], [{}], [{"a": []}], {"a": {"b": {"c": [None, True, -3, "x"]}}}],
    ids=shown,
)
def test_any_structure_comes_back_from_its_literal(value: hcl.Value) -> None:
    assert parsed(f"a = {hcl.literal(value)}\n").attributes == {"a": value}  # type: ignore[arg-type]


def test_terraform_reads_every_literal_as_the_value(tmp_path: Path, terraform_binary: str) -> None:
    # Terraform keeps text in Unicode's composed form (NFC).
    keys = {unicodedata.normalize("NFC", name): number for number, name in enumerate(NASTY_KEYS)}
    structure: dict[str, hcl.Literal] = {"a": [1, -2, True, None, {}, []], "b": {"c": {"d": "e"}}}
    value: hcl.Literal = {"texts": tuple(NASTY), "keys": keys, "structure": structure}
    (tmp_path / "outputs.tf").write_text(f'output "all" {{\n  value = jsonencode({hcl.literal(value)})\n}}\n', "utf-8")
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
        "texts": [unicodedata.normalize("NFC", text) for text in NASTY],
        "keys": keys,
        "structure": structure,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("1.5", 1.5),
        ("-1.5", -1.5),
        ("true", True),
        ("null", None),
        ('""', ""),
        ('"a"', "a"),
        (r'"\u00e9\U0001F600\n\r\t\"\\"', 'é😀\n\r\t"\\'),
        ('"$${x} %%{y} $x %y $"', "${x} %{y} $x %y $"),
        ('"<<EOT"', "<<EOT"),
        ('[1, "a", var.b]', [1, "a", Expression("var.b")]),
        ('{ a = 1, "b c" = var.d }', {"a": 1, "b c": Expression("var.d")}),
        ("{ a : 1 }", {"a": 1}),
        ("var.name", Expression("var.name")),
        ("-var.count", Expression("-var.count")),
        ("!var.on", Expression("!var.on")),
        ("a.b[0].c", Expression("a.b[0].c")),
        ("var.on ? 1 : 2", Expression("var.on ? 1 : 2")),
        ('merge(var.a, { b = "c" })', Expression('merge(var.a, {b = "c"})')),
        ("[for x in var.y : x]", Expression("[for x in var.y : x]")),
        ("{ for k, v in var.y : k => v }", Expression("{for k, v in var.y : k => v}")),
        ('"${var.name}-app"', Expression('"${var.name}-app"')),
        ('"$${a} ${b}"', Expression('"$${a} ${b}"')),
        ('"%{ if var.x }y%{ endif }"', Expression('"%{ if var.x }y%{ endif }"')),
        ("<<EOT\na ${b}\nEOT", Expression('"<<EOT\na ${b}\nEOT"')),
        ("<<-EOT\n  a\n  EOT", Expression('"<<-EOT\n  a\n  EOT"')),
    ],
    ids=shown,
)
def test_literals_are_told_from_expressions(text: str, value: hcl.Value) -> None:
    assert parsed(f"a = {text}\n") == File(FILE, (), {"a": value})


RESOURCE = """\
# comment
terraform {}

resource "aws_x" "this" { // comment
  name = "a" # ${b}
  tags = {
    "k e y" = 1
    nested = {
      deep = 2
    }
  }

  /* a comment
     of two lines */
  rule {
    port = 80
  }
  rule {
    port = 443

    inner "label" {
      on = true
    }
  }
}

variable x { default = [{ a = 1 }] }
"""


def test_blocks_have_labels_bodies_and_lines() -> None:
    assert parsed(RESOURCE) == File(
        FILE,
        (
            Block("terraform", (), {}, 2, {}),
            Block(
                "resource",
                ("aws_x", "this"),
                {
                    "name": "a",
                    "tags": {"k e y": 1, "nested": {"deep": 2}},
                    "rule": [{"port": 80}, {"port": 443, "inner": [{"label": {"on": True}}]}],
                },
                4,
                {
                    ("name",): 5,
                    ("tags",): 6,
                    ("tags", "k e y"): 7,
                    ("tags", "nested"): 8,
                    ("tags", "nested", "deep"): 9,
                    ("rule",): 18,
                    ("rule", "port"): 19,
                    ("rule", "inner"): 21,
                    ("rule", "inner", "on"): 22,
                },
            ),
            Block("variable", ("x",), {"default": [{"a": 1}]}, 27, {("default",): 27}),
        ),
        {},
    )


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("tags", "nested", "deep"), 9),
        (("tags", "nested", "missing", "more"), 8),
        (("missing",), 4),
        ((), 4),
    ],
    ids=shown,
)
def test_the_line_of_a_path_is_that_of_the_nearest_thing_above_it(path: tuple[str, ...], line: int) -> None:
    assert parsed(RESOURCE).blocks[1].line_of(*path) == line


def test_windows_line_ends_change_nothing() -> None:
    assert parsed(RESOURCE.replace("\n", "\r\n")) == parsed(RESOURCE)


def test_an_empty_file_has_nothing() -> None:
    assert parsed("") == File(FILE, (), {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"a = 1\nb = \n", "main.tf:2:5: not valid HCL; mend it, or render again", id="no value"),
        pytest.param(b"resource {", "main.tf:1:11: not valid HCL; mend it, or render again", id="open block"),
        pytest.param(b'a = "x', "main.tf:1:6: not valid HCL; mend it, or render again", id="open quote"),
        pytest.param(b"\xef\xbb\xbfa = 1\n", "main.tf:1:1: not valid HCL; mend it, or render again", id="BOM"),
        pytest.param(
            b'a = "\xff"\n', "main.tf:1:1: not valid HCL (UnicodeDecodeError); mend it, or render again", id="not UTF-8"
        ),
        pytest.param(
            b"a = " + b"[" * 3000 + b"]" * 3000,
            "main.tf:1:1: not valid HCL (RecursionError); mend it, or render again",
            id="deep",
        ),
    ],
)
def test_what_is_not_hcl_is_refused_with_its_place(content: bytes, message: str) -> None:
    with pytest.raises(CheckFailedError) as refused:
        hcl.parse(content, FILE)
    assert str(refused.value) == message
