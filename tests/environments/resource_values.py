"""The resources of the sample's environments, with the values that their text determines.

A state that was applied before holds what is recorded here. As long as the files stay as they are, the
templates and modules of today change nothing in it, except descriptions that update in place; those are left
out.
"""

import json
import os
from functools import cache, partial
from pathlib import Path, PurePath

from fleetform.hcl.eval import resource_view
from fleetform.hcl.eval.modules import Declarations, Module, collect_declarations
from fleetform.hcl.eval.values import Document, Set, Unknown, Value
from fleetform.hcl.parsing import parse

FOLDER = Path(__file__).with_name("resources")

_UNKNOWN = "(known after apply)"

# Left out. The description of a security group stays: a change of it replaces the group.
_UPDATED_IN_PLACE = {
    ("aws_cloudwatch_metric_alarm", "alarm_description"),
    ("aws_vpc_security_group_egress_rule", "description"),
    ("aws_vpc_security_group_ingress_rule", "description"),
}


def current(root: Path, environment: str) -> str:
    """Return the resources of an environment as JSON: by stack and address, one attribute a line.

    Args:
        root: The project's root.
        environment: The environment's name.
    """
    stacks = sorted(path.name for path in (root / "envs" / environment).iterdir() if path.is_dir())
    resources = dict(entry for stack in stacks for entry in _resources(root, environment, stack))
    return "{\n" + ",\n".join(_entry(name, resources[name]) for name in sorted(resources)) + "\n}\n"


def file(environment: str) -> Path:
    """Return the file that records the resources of an environment."""
    return FOLDER / f"{environment}.json"


def _resources(root: Path, environment: str, stack: str) -> list[tuple[str, dict[str, object]]]:
    folder = PurePath("envs", environment, stack)
    files = sorted(folder / path.name for path in (root / folder).glob("*.tf"))
    declarations = partial(_declarations, root)
    resources = resource_view.find_resources(Module(declarations, folder, declarations(folder)), stack, files)
    return [(f"{stack}: {each.address}", _values(each)) for each in resources if each.kind == "resource"]


def _values(resource: resource_view.Resource) -> dict[str, object]:
    return {
        name: _plain(value)
        for name, value in resource.values.items()
        if value is not None and (resource.type, name) not in _UPDATED_IN_PLACE
    }


@cache
def _declarations(root: Path, folder: PurePath) -> Declarations:
    place = PurePath(os.path.normpath(folder))
    files = (path for path in sorted((root / place).iterdir()) if path.suffix in (".tf", ".tfvars"))
    return collect_declarations(parse(path.read_bytes(), place / path.name) for path in files)


def _plain(value: Value) -> object:
    """A value as JSON has it; what only an apply tells is a fixed text, and a set is sorted."""
    match value:
        case Unknown():
            return _UNKNOWN
        case Document():
            return _plain(value.value)
        case dict():
            return {key: _plain(item) for key, item in value.items() if item is not None}
        case Set():
            return sorted(map(_plain, value), key=json.dumps)
        case list():
            return [_plain(item) for item in value]
        case _:
            return value


def _entry(name: str, values: dict[str, object]) -> str:
    lines = ",\n".join(f"    {json.dumps(key)}: {_line(values[key])}" for key in sorted(values))
    return f"  {json.dumps(name)}: {{\n{lines}\n  }}" if lines else f"  {json.dumps(name)}: {{}}"


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
