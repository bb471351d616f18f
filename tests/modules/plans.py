"""What Terraform says it would do, and what it refuses to do."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODULES = Path(__file__).parents[2] / "modules"

# Attributes whose value is a JSON document.
_DOCUMENTS = frozenset({"assume_role_policy", "container_definitions", "policy"})

# Tags that the root module gives to everything.
_LEFT_OUT = frozenset({"tags_all"})

Resources = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Refusal:
    """One value that a validation rule refused.

    Attributes:
        call: The module call that gave the value.
        message: The rule's message.
        rule: Where the rule is: ``<module>/variables.tf:<line>``.
    """

    call: str
    message: str
    rule: str


def resources(module: Any) -> Resources:  # noqa: ANN401 -- tftest is not typed
    """Resources of a module and, if it is an example, of the module in it."""
    found = {
        address: {
            name: json.loads(value) if name in _DOCUMENTS else value
            for name, value in resource["values"].items()
            if name not in _LEFT_OUT and value not in (None, [])
        }
        for address, resource in module.resources.items()
    }
    for child in module.child_modules.values():
        found |= resources(child)
    return found


def refusals(root: Path, binary: str, environment: dict[str, str]) -> list[Refusal]:
    """Return what Terraform refuses in a plan of a root module."""
    subprocess.run([binary, "init"], cwd=root, env=environment, check=True, capture_output=True)
    result = subprocess.run(
        [binary, "plan", "-json"], cwd=root, env=environment, check=False, capture_output=True, text=True
    )
    assert result.returncode == 1, result.stdout
    diagnostics = [
        line["diagnostic"] for line in map(json.loads, result.stdout.splitlines()) if "diagnostic" in line
    ]
    return [_refusal(diagnostic) for diagnostic in diagnostics]


def _refusal(diagnostic: dict[str, Any]) -> Refusal:
    message, _, place = diagnostic["detail"].partition("\n\n")
    rule = re.search(r"\w+/variables\.tf:\d+", place)
    assert rule, diagnostic
    call = diagnostic["snippet"]["context"].split('"')[1]
    return Refusal(call=call, message=message, rule=rule[0])
