"""What holds for all modules together, read from their files without Terraform."""

from collections.abc import Iterator
from pathlib import Path

from fleetform.hcl.parsing import parse
from fleetform.hcl.syntax import Block, Call, Expression, Object, Reference

from .plans import MODULES

PLANNED = Path(__file__).parent / "planned/main.tf"

LINES = 2500
"""Most lines of code that all modules have together: a module that says more than it has to is not read."""


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


def test_every_example_calls_its_own_module() -> None:
    called = {
        path: [block.value("source") for block in blocks(path, "module")] for path in MODULES.glob("*/*/*/main.tf")
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


def test_the_modules_stay_small() -> None:
    assert sum(len(lines_of_code(path)) for path in MODULES.glob("*/*.tf")) <= LINES
