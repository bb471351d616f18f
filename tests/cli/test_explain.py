"""What `invoke explain` prints."""

import json
import re
from pathlib import Path, PurePath

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from fleetform.base.errors import CatalogError, Position
from fleetform.catalog.models import Service
from fleetform.catalog.nodes import Plain, parse_yaml
from fleetform.cli import explain
from fleetform.cli.explain import Line, lines
from fleetform.workflow.catalog.provenance import Fact, OverriddenValue, Steps
from fleetform.workflow.project import Project
from tests.catalog.catalogs import HEAD, project

CATALOG = f"""\
{HEAD}defaults: {{ cpu: 256 }}
services:
  web: {{ image: nginx:1, port: 80, calls: [orders] }}
  orders: {{ image: nginx:1, port: 8080, cpu: 512, memory: 1024 }}
"""


def printed(root: Path, capsys: pytest.CaptureFixture[str], what: str, *, as_json: bool = False) -> str:
    project(root, CATALOG, "services: { orders: { cpu: 1024, memory: 2048 } }\n")
    explain.explain(Project(root), "dev", what, as_json=as_json)
    return capsys.readouterr().out


def without_defaults(text: str) -> str:
    """Return what was printed without the lines of defaults, and without headings that nothing follows."""
    kept: list[str] = []
    for line in reversed(text.splitlines()):
        indent = len(line) - len(line.lstrip())
        follows = bool(kept) and len(kept[-1]) - len(kept[-1].lstrip()) > indent
        if not line.endswith("  default") and (follows or not line.endswith(":")):
            kept.append(line)
    return "".join(f"{line}\n" for line in reversed(kept))


def has_value(default: object) -> bool:
    """Return whether a default is more than null or empty."""
    if isinstance(default, BaseModel):
        return any(map(has_value, default.model_dump().values()))
    return default is not PydanticUndefined and default not in (None, (), {}, "")


def test_a_service_is_shown_as_yaml_beside_where_it_comes_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        without_defaults(printed(tmp_path, capsys, "web"))
        == """\
services.web:
  image: nginx:1                                      envs/catalog.yaml:7
  environment:
    ORDERS_URL: http://orders.dev.shop.internal:8080  calls at envs/catalog.yaml:7
    PORT: "80"                                        port at envs/catalog.yaml:7
  port: 80                                            envs/catalog.yaml:7
  calls: [orders]                                     envs/catalog.yaml:7
  cpu: 256                                            envs/catalog.yaml:5
  dns_name: web.dev.shop.internal                     port at envs/catalog.yaml:7
"""
    )


def test_a_default_is_shown_beside_the_word_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "  stop_timeout: 30                                    default\n" in printed(
        tmp_path, capsys, "web"
    )


def test_every_default_of_a_service_that_has_a_value_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = re.findall(r"^  (\w+):", printed(tmp_path, capsys, "web"), re.MULTILINE)
    defaults = {name for name, field in Service.model_fields.items() if has_value(field.default)}
    assert defaults - {*shown} == set()


def test_a_single_value_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(tmp_path, capsys, "orders.cpu") == (
        "services.orders.cpu: 1024  envs/dev/environment.yaml:1  "
        "over 512 at envs/catalog.yaml:8, 256 at envs/catalog.yaml:5\n"
    )


def test_an_empty_default_is_shown_if_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(tmp_path, capsys, "web.health_check") == "services.web.health_check: null  default\n"


def test_a_dot_shows_all_of_an_environment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = [line.split("  ")[0] for line in printed(tmp_path, capsys, "").splitlines() if line[0] != " "]
    assert shown == [
        "application: shop",
        'account: "123456789012"',
        "region: eu-west-1",
        "zones: [eu-west-1a, eu-west-1b]",
        "emulator: false",
        "name_prefix: shop-dev",
        "namespace: dev.shop.internal",
        "network:",
        "ingress:",
        "discovery: dns",
        "security: edges",
        "protection: false",
        "container_insights: enabled",
        "log_retention_in_days: 365",
        "monitoring:",
        "state:",
        "services:",
    ]


def test_scripts_get_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalog = {"file": "envs/catalog.yaml"}
    reported = json.loads(printed(tmp_path, capsys, "orders", as_json=True))
    assert [fact for fact in reported if fact["key"].endswith((".cpu", ".memory"))] == [
        {
            "key": "services.orders.cpu",
            "value": 1024,
            "origin": "written",
            "file": "envs/dev/environment.yaml",
            "line": 1,
            "column": 28,
            "overrode": [
                {"value": 512, **catalog, "line": 8, "column": 46},
                {"value": 256, **catalog, "line": 5, "column": 18},
            ],
        },
        {
            "key": "services.orders.memory",
            "value": 2048,
            "origin": "written",
            "file": "envs/dev/environment.yaml",
            "line": 1,
            "column": 42,
            "overrode": [{"value": 1024, **catalog, "line": 8, "column": 59}],
        },
    ]


def test_a_default_has_no_place_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(tmp_path, capsys, "security", as_json=True)) == [
        {
            "key": "security",
            "value": "edges",
            "origin": "default",
            "file": None,
            "line": None,
            "column": None,
            "overrode": [],
        }
    ]


def test_a_catalog_with_a_mistake_is_shown_before_it_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, CATALOG, "services: { orders: { cpu: 500 } }\n")
    with pytest.raises(
        CatalogError, match=r"^envs/dev/environment.yaml:1:28: Fargate does not offer 500 CPU units"
    ):
        explain.explain(Project(tmp_path), "dev", "orders.cpu", as_json=False)
    assert capsys.readouterr().out == (
        "services.orders.cpu: 500  envs/dev/environment.yaml:1  "
        "over 512 at envs/catalog.yaml:8, 256 at envs/catalog.yaml:5\n"
    )


def test_the_document_shows_what_is_printed(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (root / "docs/reuse.md").read_text(encoding="utf-8")
    catalog, environment = re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    project(tmp_path, HEAD + catalog)
    for name in ("local", "prod"):
        (tmp_path / "envs" / name).mkdir()
        (tmp_path / "envs" / name / "environment.yaml").write_text(environment, encoding="utf-8")
    explain.explain(Project(tmp_path), "prod", "web", as_json=False)
    shortened = re.search(r"^services\.web:\n.*?(?=^```$)", text, re.DOTALL | re.MULTILINE)
    assert shortened
    printed_lines, shown_lines = capsys.readouterr().out.splitlines(), shortened[0].splitlines()
    omitted = [line for line in printed_lines if line not in shown_lines]
    assert [line for line in printed_lines if line not in omitted] == [
        line for line in shown_lines if line != "  ..."
    ]
    assert without_defaults("".join(f"{line}\n" for line in omitted)) == ""


HERE = Position(PurePath("x.yaml"), 3, 1)


def facts(value: Plain, path: Steps = ()) -> list[Fact]:
    """Facts of a value, all written in one place."""
    if isinstance(value, dict) and value:
        return [fact for key, child in value.items() for fact in facts(child, (*path, key))]
    if isinstance(value, list) and any(isinstance(item, (list, dict)) for item in value):
        return [fact for index, item in enumerate(value) for fact in facts(item, (*path, index))]
    return [Fact(path, value, "written", HERE)]


NAUGHTY: list[Plain] = [
    *(
        "",
        " ",
        "a b",
        " a",
        "a ",
        "a: b",
        "a:b",
        "a:",
        ":a",
        "a #b",
        "#a",
        "-",
        "-a",
        "- a",
        "--flag",
        "---",
        "...",
        "?",
    ),
    *(
        "null",
        "~",
        "true",
        "false",
        "True",
        "no",
        "1",
        "-1",
        "01",
        "1.10",
        "0x1",
        "1e3",
        "2024-01-01",
        "=",
        "<<",
    ),
    *(
        '"',
        "'",
        "\\",
        "a\nb",
        "a\tb",
        "\x00",
        "\x1b[31m",
        "\x7f",
        "\x9b",
        "\x85",
        "\u2028",
        "\u202e",
        "\ufeff",
        "é",
        "😀",
    ),
    *(
        "[",
        "]",
        "{",
        "}",
        ",",
        "a,b",
        "a]",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a`",
        "${a}",
        "http://a:80/?b=c&d",
    ),
    *(None, True, False, 0, -1, 123456789012, [], {}),
]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"k": NAUGHTY}, id="in a list"),
        pytest.param({f"k{index}": value for index, value in enumerate(NAUGHTY)}, id="in a mapping"),
        pytest.param(
            {value: 1 for value in NAUGHTY if isinstance(value, str) and value not in ("", "<<")},
            id="as keys",
        ),
        pytest.param(
            {"a": [{"b": 1, "c": [1, {"d": {"e": 2}}]}, {"b": {"c": 3, "d": 4}}, "f"], "g": 5}, id="nested"
        ),
        pytest.param({"a": [[1, [2]], [{"b": 3, "c": 4}]]}, id="lists of lists"),
    ],
)
def test_what_is_shown_is_what_the_catalogs_reader_reads(value: dict[str, Plain]) -> None:
    text = "\n".join(line.text for line in lines("", facts(value)))
    node, problems = parse_yaml(text, PurePath("shown.yaml"))
    assert node.plain() == value
    assert problems == []


def test_nothing_that_a_terminal_acts_upon_is_shown() -> None:
    assert [line.text for line in lines("", [Fact(("a",), "\x1b]0;\x9b\u202e", "written", HERE)])] == [
        'a: "\\U0000001b]0;\\U0000009b\\U0000202e"'
    ]


def test_what_was_overridden_is_shown_in_short() -> None:
    earlier: list[Plain] = [{"a": 1}, ["x", 1], "y" * 50]
    fact = Fact(("k",), 1, "written", HERE, tuple(OverriddenValue(value, HERE) for value in earlier))
    assert list(lines("k", [fact])) == [
        Line(
            "k: 1",
            "x.yaml:3",
            f"over a mapping at x.yaml:3, [x, 1] at x.yaml:3, {'y' * 40}… at x.yaml:3",
            "cyan",
        )
    ]


def test_a_key_with_dots_is_one_key() -> None:
    shown = lines("tags.a.b", [Fact(("tags", "a.b"), "x", "written", HERE)])
    assert [line.text for line in shown] == ["tags.a.b: x"]
