"""Refuse variables of the process environment that change the meaning of a Terraform run.

https://developer.hashicorp.com/terraform/cli/config/environment-variables, and for the provider
https://registry.terraform.io/providers/hashicorp/aws/latest/docs. Variables that change only logs, speed,
downloads or credentials are allowed. Fleetform sets TF_DATA_DIR, TF_INPUT and TF_IN_AUTOMATION itself.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fleetform.base.errors import InputError, printable

_DEFAULT_WORKSPACE = "default"
_ARGUMENTS = re.compile(r"TF_CLI_ARGS(_\w+)?")
# Arguments that change only the output and the speed.
_HARMLESS = re.compile(r"-?-(?:no-color|compact-warnings|parallelism=\d+|lock-timeout=\w+)")
_VARIABLE = "TF_VAR_"
_DECLARED = re.compile(r'(?m)^\s*variable\s+"?([\w-]+)"?\s*\{')
_ASSIGNED = re.compile(r"(?m)^([\w-]+)\s*=")
_EFFECTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile("TF_WORKSPACE"),
        "Terraform would use another state, and create the environment a second time",
    ),
    (re.compile("TF_REATTACH_PROVIDERS"), "Terraform would use a provider that another process runs"),
    (re.compile("TF_SKIP_PROVIDER_VERIFY"), "Terraform would run providers that differ from the lock file"),
    (re.compile("TF_ENCRYPTION"), "OpenTofu would encrypt states and plans, which Fleetform could not read"),
    (re.compile("TF_AWS_DEFAULT_TAGS_.+"), "the provider would change the tags of every resource"),
    (re.compile("TF_AWS_IGNORE_TAGS_.+"), "the provider would leave tags as they are"),
)


def require_neutral(variables: Mapping[str, str], folder: Path | None = None) -> None:
    """Require that no variable changes the meaning of a run.

    Args:
        variables: The process environment.
        folder: The environment's rendered folder, whose stacks declare variables; None to leave `TF_VAR_*`
            unchecked.

    Raises:
        InputError: One does; the message names each, with its effect.
    """
    declared = frozenset(_unassigned(folder)) if folder else frozenset()
    effects = {
        name: effect
        for name, value in sorted(variables.items())
        if (effect := _effect(name, value, declared))
    }
    if effects:
        lines = [f"{printable(name)} is set: {effect}" for name, effect in effects.items()]
        unset = shlex.join(["unset", *effects])
        raise InputError("\n".join([*lines, f"nothing was run; run `{unset}`, then try again"]))


def require_default_workspace(data: Iterable[Path]) -> None:
    """Require that no data folder selects a workspace of Terraform, which has a state of its own.

    Args:
        data: The data folders (TF_DATA_DIR) of the stacks.

    Raises:
        InputError: One does.
    """
    for folder in data:
        file = folder / "environment"
        name = _content(file).strip()
        if name not in {"", _DEFAULT_WORKSPACE}:
            raise InputError(
                f"{file} selects the workspace `{printable(name)}`, which has another state; nothing was run;"
                f" run `rm {shlex.quote(str(file))}`, then try again"
            )


def without_arguments(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the process environment without additional arguments, for commands that only read text."""
    return {name: value for name, value in variables.items() if not _ARGUMENTS.fullmatch(name)}


def _effect(name: str, value: str, declared: frozenset[str]) -> str:
    """Return the effect of a variable on a run; empty if it has none."""
    if not value or (name == "TF_WORKSPACE" and value == _DEFAULT_WORKSPACE):
        return ""
    if _ARGUMENTS.fullmatch(name):
        return "" if _is_harmless(value) else f"Terraform would add `{printable(value)}` to its arguments"
    if name.startswith(_VARIABLE):
        variable = name.removeprefix(_VARIABLE)
        return f"it would set the variable `{variable}` of a stack" if variable in declared else ""
    return next((effect for pattern, effect in _EFFECTS if pattern.fullmatch(name)), "")


def _is_harmless(arguments: str) -> bool:
    try:
        return all(map(_HARMLESS.fullmatch, shlex.split(arguments)))
    except ValueError:  # a quote that does not end
        return False


def _unassigned(folder: Path) -> Iterator[str]:
    """Yield the variables of all stacks that no file assigns: files take precedence over `TF_VAR_*`."""
    for stack in {file.parent for file in folder.glob("*/*.tf")}:
        assigned = {
            name
            for pattern in ("terraform.tfvars", "*.auto.tfvars")
            for file in stack.glob(pattern)
            for name in _ASSIGNED.findall(_content(file))
        }
        for file in stack.glob("*.tf"):
            yield from (name for name in _DECLARED.findall(_content(file)) if name not in assigned)


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
