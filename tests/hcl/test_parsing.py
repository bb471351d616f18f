"""Parsed HCL: nodes, positions, and only one kind of error."""

from pathlib import Path, PurePath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleetform.base.errors import Position
from fleetform.hcl.eval.library import SYNTAX, parse_for_cache
from fleetform.hcl.parsing import UnreadableError, expression, parse
from fleetform.hcl.syntax import (
    Argument,
    Binary,
    Block,
    Call,
    Conditional,
    Entry,
    Expression,
    File,
    For,
    Index,
    Items,
    Object,
    Opaque,
    Reference,
    Splat,
    Template,
    Unary,
)

FILE = PurePath("main.tf")
AB, X = Reference("a", ("b",)), Reference("x")
START = len("value = ") + 1
"""The column of the argument of `expression`."""


def parsed(text: str) -> File:
    return parse(text.encode(), FILE)


def items(*pairs: tuple[Expression, int]) -> Items:
    """Return a list in the first line, with the offset of each item."""
    return Items(tuple(item for item, _ in pairs), tuple((1, START + offset) for _, offset in pairs))


def entry(key: Expression, value: Expression, offset: int = 2) -> Entry:
    return Entry(key, value, 1, START + offset)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("1", 1),
        ("-1", -1),
        ("1.5", 1.5),
        ("-1.5", -1.5),
        ("1.0", 1),
        ("1e3", 1000),
        ("0.30000000000000000001", Opaque("0.30000000000000000001")),
        ("9" * 5000, Opaque("9" * 5000)),
        ("true", True),
        ("false", False),
        ("null", None),
        ('""', ""),
        ('"a"', "a"),
        (r'"\u00e9\U0001F600\n\r\t\"\\"', 'é😀\n\r\t"\\'),
        ('"$${x} %%{y} $x %y $"', "${x} %{y} $x %y $"),
        ('"<<EOT"', "<<EOT"),
        ("string", Reference("string")),
        ("a.b", AB),
        ("a.b[0].c", Reference("a", ("b", 0, "c"))),
        ('a.b["k e"].c', Reference("a", ("b", "k e", "c"))),
        ("a.b.0.c", Reference("a", ("b", 0, "c"))),
        ("a.b[x]", Index(AB, X)),
        ("a.b[x].c", Index(Index(AB, X), "c")),
        ('a.b["${x}-y"]', Index(AB, Template((X, "-y")))),
        ("(a.b)", AB),
        ("-a.b", Unary("-", AB)),
        ("!a.b", Unary("!", AB)),
        ("f()", Call("f", ())),
        ("f(1, x)", Call("f", (1, X))),
        ("f(x...)", Call("f", (X,), spread=True)),
        ("f(1, x...)", Call("f", (1, X), spread=True)),
        ("f(x,)", Call("f", (X,))),
        ("provider::aws::f(x)", Call("provider::aws::f", (X,))),
        ("f(x).y", Index(Call("f", (X,)), "y")),
        ("f(x)[0]", Index(Call("f", (X,)), 0)),
        ("a.b[*].c", Splat(AB, ("c",))),
        ("a.b[*]", Splat(AB, ())),
        ("a.b[*].c[0].d", Splat(AB, ("c", 0, "d"))),
        ("a.b.*.c", Splat(AB, ("c",))),
        ("a.b.*.c[0].d", Index(Index(Splat(AB, ("c",)), 0), "d")),
        ("[]", Items((), ())),
        ('[1, "a", a.b]', items((1, 1), ("a", 4), (AB, 9))),
        ("[[1]]", items((Items((1,), ((1, START + 2),)), 1))),
        ("{}", Object(())),
        ('{ a = 1, "b c" = x }', Object((entry("a", 1), entry("b c", X, 9)))),
        ("{ a : 1 }", Object((entry("a", 1),))),
        ("{ (x) = 1 }", Object((entry(X, 1),))),
        ('{ "${x}-a" = 1 }', Object((entry(Template((X, "-a")), 1),))),
        ("{ 1 = 2 }", Object((entry("1", 2),))),
        ("{ true = 2 }", Object((entry("true", 2),))),
        ("{ null = 2 }", Object((entry("null", 2),))),
        ("{ if = 2 }", Object((entry("if", 2),))),
        ("x ? 1 : 2", Conditional(X, 1, 2)),
        ("x ? 1 : a.b ? 2 : 3", Conditional(X, 1, Conditional(AB, 2, 3))),
        ("x + 1", Binary("+", X, 1)),
        ("x - 1 - 2", Binary("-", Binary("-", X, 1), 2)),
        ("x + 1 * 2", Binary("+", X, Binary("*", 1, 2))),
        ("x == 1 && a.b", Binary("&&", Binary("==", X, 1), AB)),
        ("x || a.b && x", Binary("||", X, Binary("&&", AB, X))),
        ("(\n  x\n  || a.b\n)", Binary("||", X, AB)),
        ("[for v in x : v]", For(("v",), X, None, Reference("v"), condition=True, grouped=False)),
        ("[for k, v in x : v if k]", For(("k", "v"), X, None, Reference("v"), Reference("k"), grouped=False)),
        (
            "{ for k, v in x : k => v }",
            For(("k", "v"), X, Reference("k"), Reference("v"), condition=True, grouped=False),
        ),
        ("{ for v in x : v => 1... if v }", For(("v",), X, Reference("v"), 1, Reference("v"), grouped=True)),
        ('"${x}"', X),
        ('"a${x}b"', Template(("a", X, "b"))),
        ('"$${a} ${x}"', Template(("${a} ", X))),
        ('"${"${x}"}"', X),
        ('"$${a ${x}"', Opaque("escapes")),
        ('"%%{a $${b} ${x}"', Template(("%{a ${b} ", X))),
        ('"$${${x}}"', Template((Opaque("escapes"), "}"))),
        ('"$${ \\" }"', '${ " }'),
        ('"%{ if x }y%{ endif }"', Opaque("directives")),
        ("<<EOT\na\nEOT", "a\n"),
        ("<<EOT\r\na\r\nEOT", "a\n"),
        ("<<EOT\nEOT", ""),
        ("<<EOT\n  a\n EOT", "  a\n"),
        ("<<-EOT\n    a\n      b\n\n  EOT", "a\n  b\n\n"),
        ("<<-EOT\n  ${x}\n    a\n  EOT", Template((X, "\n  a\n"))),
        ("<<EOT\na ${x} $${x} %%{y}\nEOT", Template(("a ", X, " ${x} %{y}\n"))),
        ('<<EOT\n${f("}", "\\"}")}"\nEOT', Template((Call("f", ("}", '"}')), '"\n'))),
        ("<<EOT\n%{ if x }y%{ endif }\nEOT", Opaque("directives")),
        ("<<EOT\na ${~ x ~} b\nEOT", Opaque("directives")),
        ("f(\n  # comment\n  1, // comment\n  /* comment */ x\n)", Call("f", (1, X))),
    ],
)
def test_an_expression_becomes_a_node(text: str, node: Expression) -> None:
    assert expression(text) == node


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
    port = [
      80,
    ]
  }
  rule {
    inner "label" {
      on = true
    }
  }
}

variable x { default = [{ a = 1 }] }
"""
ON = True
NESTED = Object((Entry("deep", 2, 9, 7),))
BLOCKS = (
    Block("terraform", (), {}, (), 2, 1, 2),
    Block(
        "resource",
        ("aws_x", "this"),
        {
            "name": Argument("a", 5, 3),
            "tags": Argument(Object((Entry("k e y", 1, 7, 5), Entry("nested", NESTED, 8, 5))), 6, 3),
        },
        (
            Block("rule", (), {"port": Argument(Items((80,), ((17, 7),)), 16, 5)}, (), 15, 3, 19),
            Block(
                "rule",
                (),
                {},
                (Block("inner", ("label",), {"on": Argument(ON, 22, 7)}, (), 21, 5, 23),),
                20,
                3,
                24,
            ),
        ),
        4,
        1,
        25,
    ),
    Block(
        "variable",
        ("x",),
        {"default": Argument(Items((Object((Entry("a", 1, 27, 27),)),), ((27, 25),)), 27, 14)},
        (),
        27,
        1,
        27,
    ),
)


def test_everything_has_a_position() -> None:
    assert parsed(RESOURCE) == File(FILE, BLOCKS, {})


def test_windows_line_ends_change_nothing() -> None:
    assert parsed(RESOURCE.replace("\n", "\r\n")) == parsed(RESOURCE)


def test_arguments_of_a_file_are_its_own() -> None:
    assert parsed("a = 1\n  b = var.x\n") == File(
        FILE, (), {"a": Argument(1, 1, 1), "b": Argument(Reference("var", ("x",)), 2, 3)}
    )


def test_an_empty_file_has_nothing() -> None:
    assert parsed("") == File(FILE, (), {})


def test_the_last_of_two_arguments_with_one_name_counts() -> None:
    assert parsed("a = 1\na = 2\n").arguments == {"a": Argument(2, 2, 1)}


def test_an_argument_and_a_block_may_have_one_name() -> None:
    (block,) = parsed("r {\n  volume = 1\n  volume {}\n}\n").blocks
    assert block == Block(
        "r", (), {"volume": Argument(1, 2, 3)}, (Block("volume", (), {}, (), 3, 3, 3),), 1, 1, 4
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"a = 1\nb = \n", "main.tf:2:5: not valid HCL", id="no value"),
        pytest.param(b"resource {", "main.tf:1:11: not valid HCL", id="open block"),
        pytest.param(b'a = "x', "main.tf:1:6: not valid HCL", id="open quote"),
        pytest.param(b"\xef\xbb\xbfa = 1\n", "main.tf:1:1: not valid HCL", id="BOM"),
        pytest.param(b'a = "\xff"\n', "main.tf:1:1: not valid HCL (UnicodeDecodeError)", id="not UTF-8"),
        pytest.param(
            b"a = " + b"[" * 3000 + b"]" * 3000, "main.tf:1:1: not valid HCL (RecursionError)", id="deep"
        ),
        pytest.param(
            b'a = "$${"\nb = "}"\n', "main.tf:1:1: not valid HCL (ValueError)", id="an escape that goes on"
        ),
        pytest.param(b'a = "\\ud800"\n', "main.tf:1:1: not valid HCL (ValueError)", id="half a character"),
        pytest.param(b'a = "\\UFFFFFFFF"\n', "main.tf:1:1: not valid HCL (ValueError)", id="no character"),
        pytest.param(
            b"b = 1\na = <<EOT\n${1 +}\nEOT\n",
            "main.tf:2:5: not valid HCL (an interpolation in a heredoc)",
            id="heredoc",
        ),
        pytest.param(
            b"a = <<EOT\n${1\nEOT\n",
            "main.tf:1:5: not valid HCL (an interpolation in a heredoc)",
            id="open heredoc",
        ),
    ],
)
def test_invalid_hcl_is_refused_with_its_position(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        parse(content, FILE)
    assert str(refused.value) == f"{message}; fix it, or render again"


FRAGMENTS = (
    *(
        "a",
        " = ",
        "1",
        '"',
        "${",
        "%{",
        "}",
        "{",
        "[",
        "]",
        "(",
        ")",
        "<<EOT\n",
        "<<-E\n",
        "\nEOT\n",
        "\nE\n",
        "\n",
        ",",
    ),
    *(
        "for ",
        " in ",
        " : ",
        " => ",
        "...",
        "if ",
        ".",
        "*",
        "[*]",
        ".*",
        "?",
        ":",
        "&&",
        "!",
        "-",
        "#",
        "/*",
        "*/",
    ),
    *(
        '"b"',
        "null",
        "true",
        "\\",
        "\\u0041",
        "é",
        "\0",
        "\r",
        "\t",
        "::",
        "~",
        "1e9",
        "1.5",
        "resource ",
        "= {",
    ),
)


def is_read_or_refused(text: str) -> bool:
    """Return whether text is parsed and can be cached, or refused with a position."""
    summary, data = parse_for_cache(text.encode())
    if summary.error:
        line, column, _ = summary.error
        return min(line, column) > 0
    found = parse(text.encode(), FILE)
    return SYNTAX.decode(data) == (found.blocks, found.arguments)


RUNS = settings(max_examples=max(100, settings().max_examples // 2))


@RUNS
@given(
    st.lists(st.sampled_from(FRAGMENTS), max_size=15).map("".join)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
@example("a = 1e999999999\n")
@example("a = " + "-" * 50 + "1\n")
def test_any_text_is_parsed_or_refused(text: str) -> None:
    assert is_read_or_refused(text)


@pytest.fixture(scope="module")
def sources(root: Path) -> list[str]:
    """Return small files of the modules."""
    texts = (path.read_text(encoding="utf-8") for path in sorted((root / "modules").glob("*/*.tf")))
    return [text for text in texts if len(text) < 1500]


@settings(max_examples=100)
@given(st.data())
def test_a_damaged_real_file_is_parsed_or_refused(sources: list[str], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(sources))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    assert is_read_or_refused(text[:start] + data.draw(st.sampled_from(FRAGMENTS)) + text[end:])


def test_every_module_is_parsed(sources: list[str]) -> None:
    assert [text for text in sources if not parsed(text).blocks] == []


@pytest.mark.parametrize("depth", range(10, 400, 30))
def test_deep_nesting_is_parsed_or_refused(depth: int) -> None:
    assert is_read_or_refused(f"a = {'[' * depth}{']' * depth}\n")
    assert is_read_or_refused(f"a = {'f(' * depth}{')' * depth}\n")
    assert is_read_or_refused(f"a = {' + '.join(['1'] * depth)}\n")
    assert is_read_or_refused("a {\n" * depth + "}\n" * depth)


def test_an_error_position_is_inside_the_file() -> None:
    with pytest.raises(UnreadableError) as refused:
        expression("1 +")
    assert refused.value.position == Position(PurePath("expression"), 2, 1)
