"""Known values of expressions are those of Terraform: nothing is ever guessed."""

import base64
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fleetform.hcl.eval import functions
from fleetform.hcl.eval.conversion import to_json
from fleetform.hcl.eval.values import is_known
from fleetform.hcl.parsing import expression
from fleetform.hcl.syntax import Call, Expression
from fleetform.terraform import installation
from tests.hcl.values import value_of

FOLDER = Path(__file__).parent / "expressions"
UNKNOWN = "unknown"
_HEREDOC = re.compile(r"<<-?(\w+)$")


def expressions(name: str) -> list[str]:
    """Return the expressions of a file."""
    return list(_expressions((FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()))


def _expressions(lines: list[str]) -> Iterator[str]:
    rest = iter(lines)
    for line in rest:
        whole, match = line, _HEREDOC.search(line)
        while match and whole.splitlines()[-1].strip() != match[1]:
            whole += f"\n{next(rest)}"
        yield f"{whole}\n{next(rest)}" if match and line.endswith(f"({match.group()}") else whole


ANSWERED, LEFT_OPEN, REFUSED = map(expressions, ("answered", "left_open", "refused"))


def known(text: str) -> str:
    """Return our value of an expression, as JSON."""
    value = value_of(expression(text))
    return to_json(value) if is_known(value) else UNKNOWN


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory, terraform_binary: str) -> Mapping[str, str]:
    """Return Terraform's value of each expression, as JSON, from one process."""
    folder, asked = tmp_path_factory.mktemp("console"), [*ANSWERED, *LEFT_OPEN, *REFUSED]
    answers = "".join(f'try(jsonencode(\n{text}\n), "{UNKNOWN}"),\n' for text in asked)
    (folder / "main.tf").write_text(f"locals {{\nanswers = [\n{answers}]\n}}\n", encoding="utf-8")
    shown = subprocess.run(
        [terraform_binary, "console"],
        cwd=folder,
        env=installation.variables(os.environ, folder),
        input="[for answer in local.answers : base64encode(answer)]\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = shown.strip().splitlines()[1:-1]
    return dict(zip(asked, map(_decoded, lines), strict=True))


def _decoded(line: str) -> str:
    """Return a printed answer: quoted, with a comma; or `(known after apply)` if Terraform leaves it open."""
    return base64.b64decode(line.strip(' ,"')).decode() if '"' in line else UNKNOWN


def test_known_values_are_those_of_terraform(terraform: Mapping[str, str]) -> None:
    assert {text: known(text) for text in ANSWERED} == {text: terraform[text] for text in ANSWERED}


def test_terraform_has_a_value_for_open_expressions(terraform: Mapping[str, str]) -> None:
    assert [text for text in LEFT_OPEN if terraform[text] == UNKNOWN] == []
    assert [text for text in LEFT_OPEN if known(text) != UNKNOWN] == []


def test_expressions_that_terraform_refuses_are_unknown(terraform: Mapping[str, str]) -> None:
    assert [text for text in REFUSED if terraform[text] != UNKNOWN] == []
    assert [text for text in REFUSED if known(text) != UNKNOWN] == []


def called(node: Expression) -> Iterator[str]:
    """Return the functions that an expression calls."""
    if isinstance(node, Call):
        yield node.function
    if isinstance(node, tuple):
        for part in node:
            yield from called(part)  # type: ignore[arg-type]


def test_every_function_is_compared() -> None:
    answered = {name for text in ANSWERED for name in called(expression(text))}
    assert answered == functions.NAMES
