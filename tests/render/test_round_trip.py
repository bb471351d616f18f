"""What a value holds is, exactly, what Terraform's files hold, whatever it is made of."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetform.catalog.models import Environment
from fleetform.catalog.nodes import parse_yaml
from fleetform.hcl.parsing import parse
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from tests.catalog.catalogs import HEAD, loaded, yaml_string
from tests.hcl.values import value_of

FILE = PurePath("service_web.tf")
# What means something to HCL, YAML or Jinja, alone or next to another.
FRAGMENTS = (
    *(
        "$",
        "%",
        "{",
        "}",
        "${",
        "%{",
        "$${",
        "%%{",
        "${x}",
        "%{ if x }",
        '"',
        "'",
        "\\",
        "\\n",
        "\\u0041",
        "\n",
        "\r\n",
    ),
    *(
        "\t",
        " ",
        "<<EOT\n",
        "\nEOT\n",
        "<<-X\n",
        "#",
        "//",
        "/*",
        "*/",
        "{{ x }}",
        "{% raw %}",
        "~",
        ": ",
        "- ",
        "&a",
    ),
    *(
        "x",
        "é",
        "日本",
        "😀",
        "\u2028",
        "\ufeff",
        "\x1b[0m",
        "\x7f",
        "\x85",
        "null",
        "1.10",
        "no",
        "[",
        "]",
        "!x",
        "*a",
    ),
)
TEXTS = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
).map(lambda text: unicodedata.normalize("NFC", text))
# Each run renders and parses: a fifth of the runs, of several texts each.
RUNS = settings(max_examples=max(100, settings().max_examples // 5))


@pytest.fixture(scope="module")
def templates(root: Path) -> Templates:
    return Templates(root / "templates")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("catalogs")


def parsed_back(environment: Environment, templates: Templates) -> dict[str, object]:
    """The variables and the command of `web`, as its rendered file has them."""
    (module,) = parse(render(environment, templates, {})["services"][FILE].encode(), FILE).blocks
    containers = value_of(module.value("containers"))
    assert isinstance(containers, dict)
    web = containers["web"]
    assert isinstance(web, dict)
    return {key: web[key] for key in ("environment", "command")}


def values(texts: Sequence[str]) -> dict[str, object]:
    return {"environment": {f"V{number}": text for number, text in enumerate(texts)}, "command": list(texts)}


@RUNS
@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_any_text_survives_loading_rendering_and_parsing_back(
    folder: Path, templates: Templates, texts: list[str]
) -> None:
    written = [yaml_string(text) for text in texts]
    variables = "".join(f"      V{number}: {text}\n" for number, text in enumerate(written))
    web = (
        f"services:\n  web:\n    image: nginx:1\n    command: [{', '.join(written)}]\n   "
        f" environment:\n{variables}"
    )
    assert parsed_back(loaded(folder, HEAD + web), templates) == values(texts)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(unit * (64 * 1024 // len(unit.encode())), id=name)
        for name, unit in {
            "letters": "a",
            "quotes": '"',
            "backslashes": "\\",
            "line breaks": "\n",
            "control characters": "\x1b",
            "emoji": "😀",
            "open templates": "${",
            "open directives": "%{",
            "heredocs": "<<E\nE\n",
        }.items()
    ],
)
def test_64_kib_of_anything_survive(folder: Path, templates: Templates, text: str) -> None:
    """Given to the renderer past the catalog, whose bounds are smaller in places: it is AWS that has them."""
    node, problems = parse_yaml(f"text: {yaml_string(text)}\n", FILE)
    read = str(node.plain()["text"])  # type: ignore[index, call-overload]
    environment = loaded(folder, HEAD + "services: { web: { image: nginx:1 } }\n")
    web = environment.services["web"].model_copy(update={"environment": {"V0": read}, "command": (read,)})
    whole = environment.model_copy(update={"services": {"web": web}})
    assert parsed_back(whole, templates) == values([text])
    assert problems == []
