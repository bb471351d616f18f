"""Custom rules in Python: the files in `policies/`, which declare rules as the built-in ones do."""

import dataclasses
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from fleetform.base import fingerprint as identities
from fleetform.base.errors import InputError
from fleetform.hcl.eval.values import Path as ValuePath
from fleetform.policy.rule import Facts, Rule, Severity, Undecided, Violation, collect_rules
from fleetform.policy.rules import built_in_rules

if TYPE_CHECKING:
    from types import CodeType

    from fleetform.catalog.models import Environment
    from fleetform.hcl.eval.resource_view import Resource, View

FOLDER = PurePath("policies")
_ID = re.compile(r"(?!FF\d)[A-Z][A-Z0-9_-]*")
_TESTS = re.compile(r"test_.*|.*_test|conftest|_.*")


def policy_files(root: Path, ending: str = ".py") -> list[PurePath]:
    """Return the files with rules, by name, without tests and names that begin with `_` or a dot."""
    paths = (root / FOLDER).glob(f"[!.]*{ending}")
    return sorted(
        FOLDER / path.name for path in paths if not _TESTS.fullmatch(path.name.removesuffix(ending))
    )


def rules_fingerprint(root: Path) -> bytes:
    """Return a digest of everything that the custom rules depend on."""
    return identities.tree(root / FOLDER, (".py",))


def rules(root: Path) -> Mapping[str, Rule]:
    """Return the custom rules, by ID, in the order of their files.

    Args:
        root: The project's root.

    Raises:
        InputError: A file does not run, or contains an invalid rule; with file and line.
    """
    paths = policy_files(root)
    if not paths:
        return {}
    built_in_rules()  # their IDs are reserved
    with collect_rules() as declared:
        for path in paths:
            _run(root / path, path)
    return {identifier: _with_guards(rule, root) for identifier, rule in declared.items()}


def all_rules(root: Path) -> Mapping[str, Rule]:
    """Return all rules in Python, by ID: built-in, then custom ones; see `rules` for what it raises."""
    return {**built_in_rules(), **rules(root)}


class _Loader(SourceFileLoader):
    """A loader that compiles the current file: it leaves no file beside it, and never runs stale code."""

    def get_code(self, fullname: str) -> "CodeType":  # noqa: ARG002 - the protocol's
        return self.source_to_code(self.get_data(self.path), self.path)


def _run(path: Path, shown: PurePath) -> None:
    loader = _Loader(f"fleetform.policies.{shown.stem}", str(path))
    spec = spec_from_loader(loader.name, loader)
    if spec is None:  # cannot happen with our loader
        return
    module = module_from_spec(spec)
    sys.modules[loader.name] = module  # dataclasses look up their module
    with _reported_failures(path, shown, "cannot be loaded"):
        loader.exec_module(module)


@contextmanager
def _reported_failures(path: Path, shown: PurePath, what: str) -> Iterator[None]:
    """Turn any exception of custom code into an error with its line."""
    try:
        yield
    except InputError:
        raise
    except SyntaxError as error:
        raise InputError(f"{shown}:{error.lineno or 1}:1: {what}: {error.msg}; fix it") from None
    except Exception as error:  # noqa: BLE001 - custom code may raise anything
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
        ]
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise InputError(f"{shown}:{lines[-1] if lines else 1}:1: {what}: {kind}{error}; fix it") from None


def _with_guards(rule: Rule, root: Path) -> Rule:
    """Return a valid rule with its answers checked and its failures reported."""
    function: Callable[..., Any] = rule.check or rule.check_environment  # type: ignore[assignment]
    path = Path(function.__code__.co_filename)
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    place = f"{shown}:{function.__code__.co_firstlineno}:1"
    if not _ID.fullmatch(rule.id):
        raise InputError(
            f"{place}: invalid ID `{rule.id}` for a custom rule; use one like ACME001 (FF is reserved)"
        )
    if rule.severity not in list(Severity):
        raise InputError(f"{place}: unknown severity `{rule.severity}`; known: {', '.join(Severity)}")

    def check(resource: "Resource", facts: Facts) -> list[Violation | Undecided]:
        with _reported_failures(path, shown, f"{rule.id} failed on {resource.address}"):
            return [_checked_answer(each) for each in function(resource, facts)]

    def check_environment(
        view: "View", environment: "Environment"
    ) -> list[tuple["Resource", Violation | Undecided]]:
        with _reported_failures(path, shown, f"{rule.id} failed on {environment.name}"):
            return [(resource, _checked_answer(each)) for resource, each in function(view, environment)]

    def keeps(resource: "Resource") -> list[ValuePath]:
        with _reported_failures(path, shown, f"{rule.id} failed on {resource.address}"):
            return list(rule.keeps(resource)) if rule.keeps else []

    if rule.check:
        return dataclasses.replace(rule, check=check)
    return dataclasses.replace(rule, check_environment=check_environment, keeps=keeps)


def _checked_answer(answer: object) -> Violation | Undecided:
    if not isinstance(answer, (Violation, Undecided)) or not isinstance(answer.at, tuple):
        raise TypeError(f"a rule must yield `Violation` or `Undecided`, with a tuple as `at`, not {answer!r}")
    return answer
