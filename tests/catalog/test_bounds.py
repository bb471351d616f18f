"""Catalogs that would exhaust a machine, or wait forever, end in a message."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleetform.base.errors import InputError
from fleetform.catalog.files import CATALOG as CATALOG_FILE
from fleetform.catalog.nodes import MAX_BYTES, read_yaml
from fleetform.validation.loading import load
from tests.catalog.catalogs import HEAD, project

CATALOG = HEAD + "services: { web: { image: nginx:1.29 } }\n"


def lists(number: int) -> str:
    return f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]\n"


def mappings(number: int) -> str:
    entries = ", ".join(f"k{at}: *a{number - 1}" for at in range(9))
    return f"a{number}: &a{number} {{{entries}}}\n"


def inherited(variables: int, services: int, text: str = "x") -> str:
    """Return a catalog whose services all extend one template that has many variables."""
    template = "".join(f"      V{number}: {text}\n" for number in range(variables))
    extending = "".join(f"  s{number:04}: {{ image: nginx, extends: all }}\n" for number in range(services))
    return f"{HEAD}templates:\n  all:\n    environment:\n{template}services:\n{extending}"


def template(number: int) -> str:
    return f"  t{number}: {{ environment: {{ {', '.join(f'V{number}X{at}: x' for at in range(1000))} }} }}\n"


def in_another_order(number: int) -> str:
    names = [f"t{(number + at) % 32}" for at in range(32)]
    return f"  s{number}: {{ image: nginx, extends: [{', '.join(names)}] }}\n"


LADDERS = (
    f"{HEAD}templates:\n{''.join(map(template, range(32)))}"
    f"services:\n{''.join(map(in_another_order, range(32)))}"
)


@pytest.mark.parametrize(
    ("catalog", "seconds", "expected"),
    [
        pytest.param(
            "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n" + "".join(map(lists, range(1, 10))),
            1,
            "6:40: more than 500000 values once aliases are expanded; use fewer values and aliases",
            id="a billion laughs",
        ),
        pytest.param(
            "a0: &a0 { x: lol, y: lol }\n" + "".join(map(mappings, range(1, 10))),
            1,
            "7:23: more than 500000 values once aliases are expanded; use fewer values and aliases",
            id="a billion laughs in mappings",
        ),
        pytest.param(
            f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 50_000)}]\n",
            1,
            "2:209: more than 5 MiB of text once aliases are expanded; use fewer aliases",
            id="one long text many times",
        ),
        pytest.param(
            f"a: [{'1,' * 2_000_000}]\n",
            9,
            "1:1000001: more than 500000 values once aliases are expanded; use fewer values and aliases",
            id="values without aliases",
        ),
        pytest.param(
            inherited(variables=10_000, services=10_000),
            1,
            "10058:35: from here on, services inherit more than 500000 values; shorten `defaults` and"
            " `templates`",
            id="one template of many services",
        ),
        pytest.param(
            inherited(variables=100, services=10_000, text="x" * 10_000),
            1,
            "114:35: from here on, services inherit more than 5 MiB of text; shorten `defaults` and"
            " `templates`",
            id="long text of many services",
        ),
        pytest.param(
            LADDERS,
            1,
            "39:32: from here on, services inherit more than 500000 values; shorten `defaults` and"
            " `templates`",
            id="many lines of templates",
        ),
        pytest.param("[" * 4_000_000, 1, "1:34: nested deeper than 32 levels; flatten it", id="brackets"),
    ],
)
def test_an_expanding_catalog_is_refused_within_200_mb(
    tmp_path: Path, catalog: str, seconds: int, expected: str
) -> None:
    argv = [sys.executable, "-m", "tests.catalog.bounded", str(project(tmp_path, catalog)), str(seconds)]
    done = subprocess.run(argv, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.stdout == f"envs/catalog.yaml:{expected}\n"
    assert done.stderr == ""
    assert done.returncode == 0


def refusal(root: Path) -> str:
    with pytest.raises(InputError) as refused:
        load(root, "dev")
    return str(refused.value)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    root = project(tmp_path, CATALOG + "#" * (MAX_BYTES + 1 - len(CATALOG)))
    assert (
        refusal(root) == "envs/catalog.yaml:1:1: larger than 5 MiB; remove what does not belong in a catalog"
    )


def test_the_largest_file_that_is_allowed_is_read(tmp_path: Path) -> None:
    root = project(tmp_path, CATALOG + "#" * (MAX_BYTES - len(CATALOG)))
    assert list(load(root, "dev").services) == ["web"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    root = project(tmp_path, CATALOG)
    (root / "envs/catalog.yaml").unlink()
    os.mkfifo(root / "envs/catalog.yaml")
    assert refusal(root) == "envs/catalog.yaml: is a pipe or a device; replace it with a regular file"


def test_a_device_is_not_read() -> None:
    with pytest.raises(InputError) as refused:
        read_yaml(Path("/dev/zero"), CATALOG_FILE)
    assert str(refused.value) == "envs/catalog.yaml: is a pipe or a device; replace it with a regular file"
