"""What holds for all modules together, read from their files without Terraform."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetform.hcl.parsing import parse
from fleetform.hcl.syntax import Block, Call, Expression, Object, Reference
from tests.columns import long_lines

from .plans import MODULES

PLANNED = Path(__file__).parent / "planned/main.tf"

BUDGETS = {
    "cluster": 120,
    "dashboard": 120,
    "discovery": 140,
    "ecs_service": 1700,
    "existing_network": 120,
    "ingress": 350,
    "network": 375,
    "registry": 120,
    "security": 200,
}
"""Most lines of code of each module, some 15 % above what it has: a reviewer reads all of it."""

_ADVICE = """\
{module} has {lines} lines of code, and its budget is {budget}.
- Leave out arguments that repeat a default of AWS or of the provider.
- Make similar resources with one `for_each` over a map.
- Move a part that other modules do not refer to into a module of its own.
If the module has to do more, raise its budget in tests/modules/test_structure.py."""


def blocks(path: Path, kind: str) -> Iterator[Block]:
    return (block for block in parse(path.read_bytes(), path).blocks if block.kind == kind)


def lines_of_code(path: Path) -> list[str]:
    """A file's lines without comments and blank lines."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_every_example_is_planned_and_every_module_has_one() -> None:
    examples = {path for path in MODULES.glob("*/examples/*") if path.is_dir()}
    sources = {(PLANNED.parent / str(block.value("source"))).resolve() for block in blocks(PLANNED, "module")}
    assert {source for source in sources if source.parent.name == "examples"} == examples
    assert {example.parents[1] for example in examples} == set(MODULES.iterdir())


def test_everything_is_formatted(terraform_binary: str, root: Path) -> None:
    command = [terraform_binary, "fmt", "-check", "-recursive", "modules", "envs"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_every_example_calls_its_own_module() -> None:
    called = {
        path: [block.value("source") for block in blocks(path, "module")]
        for path in MODULES.glob("*/*/*/main.tf")
    }
    assert called == {path: ["../.."] for path in called}


def is_loose(kind: Expression) -> bool:
    """Whether a type is `any`, left out, or made of such."""
    match kind:
        case Call("object", (Object(fields),)):
            return any(is_loose(field.value) for field in fields)
        case Call(_, (inner, *_)):
            return is_loose(inner)
        case _:
            return kind in (None, Reference("any"))


def test_no_variable_takes_just_anything() -> None:
    loose = [
        f"{path.parent.name}.{block.labels[0]}"
        for path in MODULES.glob("*/*.tf")
        for block in blocks(path, "variable")
        if is_loose(block.value("type"))
    ]
    assert loose == []


def test_every_module_has_a_budget() -> None:
    assert sorted(module.name for module in MODULES.iterdir()) == sorted(BUDGETS)


@pytest.mark.parametrize("module", sorted(BUDGETS))
def test_a_module_stays_within_its_budget(module: str) -> None:
    lines = sum(len(lines_of_code(path)) for path in (MODULES / module).glob("*.tf"))
    assert lines <= BUDGETS[module], _ADVICE.format(module=module, lines=lines, budget=BUDGETS[module])


def test_no_line_is_longer_than_a_reviewer_sees() -> None:
    long = {path: long_lines(path.read_text(encoding="utf-8")) for path in MODULES.rglob("*.tf")}
    assert {path: lines for path, lines in long.items() if lines} == {}
