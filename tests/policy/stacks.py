"""Stacks of a few files, in memory."""

from collections.abc import Mapping
from pathlib import PurePath

from fleetform.hcl.eval.modules import Declarations, Module, collect_declarations
from fleetform.hcl.eval.resource_view import Resource, find_resources
from fleetform.hcl.eval.values import Value
from fleetform.hcl.parsing import parse

STACK = PurePath("stack")


def module(files: Mapping[str, str]) -> Module:
    """Return the root module of a stack: the files in `stack/`, with those of modules in other folders."""
    parsed = [parse(text.encode(), PurePath(name)) for name, text in files.items()]

    def folders(folder: PurePath) -> Declarations:
        return collect_declarations(file for file in parsed if file.path.parent == folder)

    return Module(folders, STACK, folders(STACK))


def view(files: Mapping[str, str]) -> dict[str, Resource]:
    """Return the resources of a stack, by address."""
    own_files = (path for path in map(PurePath, files) if path.parent == STACK)
    return {resource.address: resource for resource in find_resources(module(files), STACK.name, own_files)}


def values(files: Mapping[str, str]) -> dict[str, Mapping[str, Value]]:
    """Return the known values of a stack's resources, by address."""
    return {address: resource.values for address, resource in view(files).items()}


def argument(expression: str, more: str = "") -> Value:
    """Return the known value of one argument; `name` is `shop`, `port` is 80 and `flag` is true."""
    text = f"""
variable "name" {{ default = "shop" }}
variable "port" {{ default = 80 }}
variable "flag" {{ default = true }}
variable "free" {{}}
{more}
resource "thing" "this" {{
  x = {expression}
}}
"""
    return values({"stack/main.tf": text})["thing.this"]["x"]
