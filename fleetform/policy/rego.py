"""Custom rules in Rego: their input, their output and their interpreters.

Each file in `policies/` runs separately, in Open Policy Agent, conftest or Microsoft's interpreter
(https://pypi.org/project/regopy), whichever is installed. Its `data.main.deny` contains the violations.
"""

import importlib.util
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from fleetform.base.errors import InputError, Position, ProgramError, printable
from fleetform.base.processes import read
from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown, Value
from fleetform.policy.finding import Finding
from fleetform.policy.rule import Severity

_QUERY = "data.main.deny"
_DENY_RULE = re.compile(r"^package\s+main\s*$.*^deny\b", re.MULTILINE | re.DOTALL)
_RESERVED_ID = re.compile(r"FF\d")
_SECONDS = 60
_INHERITED = ("PATH", "PYTHONPATH")  # and nothing with credentials
_INTERPRETER = Path(__file__).with_name("rego_interpreter.py")
_NO_ENGINE = "cannot be run without `opa` or `conftest` on PATH, or regopy: pip install regopy"


class RegoEngine(NamedTuple):
    """An interpreter of Rego.

    Attributes:
        program: Its path.
        argv: Returns the arguments for a file; the input is on standard input.
        denials: Returns the denials in its output.
    """

    program: str
    argv: Callable[[str], list[str]]
    denials: Callable[[Any], Any]


def _opa(file: str) -> list[str]:
    return ["eval", "--format", "json", "--stdin-input", "--data", file, _QUERY]


def _conftest(file: str) -> list[str]:
    return ["test", "--parser", "json", "--output", "json", "--no-fail", "--no-color", "--policy", file, "-"]


def _regopy(file: str) -> list[str]:
    return ["-P", str(_INTERPRETER), file, _QUERY]


def _opa_denials(output: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the denials in https://www.openpolicyagent.org/docs/cli#eval output."""
    return output["result"][0]["expressions"][0]["value"]


def _conftest_denials(output: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the denials in https://www.conftest.dev/output; everything but the message is in `metadata`."""
    return [
        {**each.get("metadata", {}), "msg": each["msg"]}
        for file in output
        for each in file.get("failures") or ()
    ]


def find_engine() -> RegoEngine:
    """Return the first available interpreter.

    Raises:
        ProgramError: None is installed: a check that does not run must not pass.
    """
    for name, argv, denials in (("opa", _opa, _opa_denials), ("conftest", _conftest, _conftest_denials)):
        if program := shutil.which(name):
            return RegoEngine(program, argv, denials)
    if importlib.util.find_spec("regopy"):
        return RegoEngine(sys.executable, _regopy, lambda printed: printed)
    raise ProgramError(f"policies/*.rego {_NO_ENGINE}")


def build_input(environment: str, resources: Sequence[Resource]) -> dict[str, Any]:
    """Return a file's `input`: the resource view of an environment."""
    return {"environment": environment, "resources": [_plain(resource) for resource in resources]}


def _plain(resource: Resource) -> dict[str, Any]:
    unknown: list[str] = []
    values = {key: _known(value, key, unknown) for key, value in resource.values.items()}
    return {
        "address": resource.address,
        "type": resource.type,
        "kind": resource.kind,
        "stack": resource.stack,
        "values": {key: value for key, value in values.items() if not isinstance(value, Unknown)},
        "unknown": dict.fromkeys(unknown, True),
        "file": resource.place.file.as_posix(),
        "line": resource.place.line,
    }


def _known(value: Value, path: str, unknown: list[str]) -> Any:  # noqa: ANN401 - JSON
    """Return the known parts of a value and record the paths of the others; in a list, they are null."""
    if isinstance(value, Unknown):
        unknown.append(path)
        return value
    if isinstance(value, dict):
        items = {key: _known(item, f"{path}.{key}", unknown) for key, item in value.items()}
        return {key: item for key, item in items.items() if not isinstance(item, Unknown)}
    if isinstance(value, list):
        elements = [_known(item, f"{path}.{index}", unknown) for index, item in enumerate(value)]
        return [None if isinstance(item, Unknown) else item for item in elements]
    return value


def find_denials(
    root: Path, file: PurePath, engine: RegoEngine, document_text: str, resources: Sequence[Resource]
) -> list[Finding]:
    """Return the denials of a file as findings.

    Args:
        root: The project's root.
        file: The file, relative to the root.
        engine: The interpreter.
        document_text: `document` of the resources, as JSON.
        resources: All resources of an environment.

    Raises:
        InputError: The file has no `deny`, cannot be run, does not end in time, or returns an invalid result.
    """
    place = Position(file, 1, 1)
    if not _DENY_RULE.search((root / file).read_text(encoding="utf-8", errors="replace")):
        raise InputError(f"{place}: `package main` has no `deny`; see docs/policies.md#rego")
    variables = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    try:
        output = read(
            [engine.program, *engine.argv(str(root / file))], variables, stdin=document_text, seconds=_SECONDS
        )
    except ProgramError as error:
        raise InputError(f"{place}: cannot be run: {error}") from None
    try:
        denials = engine.denials(json.loads(output))
        return [_finding(place, each, resources) for each in _normalized(denials)]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        message = f"{place}: invalid result of `deny` ({printable(str(error))}); see docs/policies.md#rego"
        raise InputError(message) from None


def _normalized(denials: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - JSON
    if not isinstance(denials, list):
        raise TypeError("`deny` is not a set")
    for each in denials:
        yield {"msg": each} if isinstance(each, str) else each


def _finding(place: Position, denial: Mapping[str, Any], resources: Sequence[Resource]) -> Finding:
    """Return a denial as a finding, at its resource or, without one, at the file."""
    message, address = _text(denial["msg"]), _text(denial.get("address", ""))
    resource = _resource(address, _text(denial.get("stack", "")), resources) if address else None
    traced = resource.trace(tuple(denial.get("at", ()))) if resource else None
    return Finding(
        place=traced.place if traced else place,
        rule=_identifier(denial.get("id", place.file.stem)),
        address=address,
        message=message,
        remedy=_text(denial.get("remedy", f"see {place.file}")),
        severity=Severity(denial.get("severity", "medium")),
        stack=resource.stack if resource else "",
        cause=traced.cause if traced else None,
    )


def _identifier(value: object) -> str:
    if _RESERVED_ID.match(_text(value)):
        raise ValueError(f"{value}: FF is reserved")
    return _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return printable(value)


def _resource(address: str, stack: str, resources: Sequence[Resource]) -> Resource:
    for resource in resources:
        if resource.address == address and stack in {"", resource.stack}:
            return resource
    raise KeyError(f"unknown resource address {address}")
