"""Imports run one way, from the command line down to the base."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = "fleetform"

# A module imports from the layers above its own in this list and, inside its own package, from beside it.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"base"}),
    frozenset({"catalog", "ci", "emulator", "reports"}),
    frozenset({"hcl", "images", "stacks", "topology"}),
    frozenset({"aws", "policy", "render", "validation"}),
    frozenset({"local_runtime", "smoke", "terraform"}),
    frozenset({"workflow"}),
    frozenset({"cli", "testing"}),
    frozenset({"__main__"}),
)
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}

# Modules at the root of the package; all else there is a package.
ROOT_MODULES = {"__init__", "__main__", "stacks"}


class Import(NamedTuple):
    """An import, wherever it is written: at the top, in a function, or for annotations only."""

    place: str
    importer: str
    imported: str

    def __str__(self) -> str:
        """Return it as a message shows it."""
        return f"{self.place}: {self.importer} imports {self.imported}"


def _modules(root: Path) -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    paths = sorted((root / PACKAGE).rglob("*.py"))
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in paths
    }


def _imports(name: str, tree: ast.Module, file: str, modules: Mapping[str, object]) -> Iterator[Import]:
    """Every import of one of our modules in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import; write the whole name"
            longer = [f"{node.module}.{alias.name}" for alias in node.names]
            imported = [module if module in modules else str(node.module) for module in longer]
        elif isinstance(node, ast.Call) and _is_import(node.func):
            imported = [
                arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            ]
        else:
            continue
        for module in imported:
            if module.partition(".")[0] == PACKAGE:
                yield Import(f"{file}:{node.lineno}", name, module)


def _is_import(function: ast.expr) -> bool:
    """Whether a function is `import_module`, however it is written."""
    return ast.unparse(function).rpartition(".")[2] == "import_module"


@pytest.fixture(scope="module")
def imports(root: Path) -> list[Import]:
    """Every import among our modules."""
    modules = _modules(root)
    return [
        found
        for name, path in modules.items()
        for found in _imports(name, ast.parse(path.read_bytes()), str(path.relative_to(root)), modules)
    ]


def _part(module: str) -> str:
    """Return the package or module below the root; empty for the root itself."""
    return [*module.split("."), ""][1]


def _is_wrong(found: Import) -> bool:
    importer, imported = _part(found.importer), _part(found.imported)
    return importer != imported and bool(imported) and LAYER[imported] >= LAYER[importer]


def test_every_package_has_a_layer(root: Path) -> None:
    packages = {path.parent.name for path in (root / PACKAGE).glob("*/__init__.py")}
    modules = {path.stem for path in (root / PACKAGE).glob("*.py")}
    assert packages == LAYER.keys() - ROOT_MODULES, f"LAYERS in {Path(__file__).name} lists the packages"
    assert modules <= ROOT_MODULES, f"a module at the root of {PACKAGE}/ belongs into a package"


def test_no_import_runs_upward_or_sideways(imports: list[Import]) -> None:
    wrong = [str(found) for found in imports if _is_wrong(found)]
    assert wrong == [], "\n".join(["a package imports only from lower layers (LAYERS):", *wrong])


def test_no_modules_import_each_other_in_a_cycle(imports: list[Import]) -> None:
    graph: dict[str, set[str]] = {}
    for found in imports:
        graph.setdefault(found.importer, set()).add(found.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize(
    ("text", "imported"),
    [
        ("import fleetform.workflow", "fleetform.workflow"),
        ("from fleetform import stacks", "fleetform.stacks"),
        ("from fleetform.stacks import FOUNDATION", "fleetform.stacks"),
        ("import_module('fleetform.stacks')", "fleetform.stacks"),
        ("def load():\n    from fleetform.stacks import FOUNDATION", "fleetform.stacks"),
        ("if TYPE_CHECKING:\n    from fleetform.stacks import Stack", "fleetform.stacks"),
    ],
    ids=["module", "from the root", "name", "by import_module", "in a function", "for annotations"],
)
def test_every_form_of_import_is_seen(text: str, imported: str) -> None:
    (found,) = _imports("fleetform.base.cache", ast.parse(text), "cache.py", {"fleetform.stacks": None})
    assert found.imported == imported
    assert _is_wrong(found)


def test_an_import_inside_a_package_is_right() -> None:
    assert not _is_wrong(Import("cache.py:1", "fleetform.base.cache", "fleetform.base.git"))
