"""Skip `terraform init` where nothing that it reads has changed.

It hashes the provider, a second or more each time.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.base.daemons import file_lock

LOCK = ".terraform.lock.hcl"

_RECORD = "initialized"
_CODE = (".tf", ".tofu", ".tf.json", ".tofu.json")
# What init reads of the code, generously: a file with a `terraform` block counts as a whole. Of the others,
# the lines that name modules, sources, versions and providers count, and the first words of types, which name
# a provider too. Matches in comments do no harm.
_TERRAFORM_BLOCK = re.compile(rb"(?m)^\s*terraform\b")
_JSON = ".json"
_LINES_READ = re.compile(
    rb"(?m)^\s*(?:module|provider)\b.*|^.*\b(?:source|version)\b.*"
    rb'|^\s*(?:resource|data|ephemeral)\s+"?[^_"\s]*'
)
_SOURCE = re.compile(rb'\bsource"?\s*[=:]\s*"(\.[^"$]*)"')
_MODULE = re.compile(rb'(?m)^\s*module\b|"module"')
_PROVIDER = re.compile(r'provider\s+"([^"]+)"\s*\{\s*version\s*=\s*"([^"]+)"')
# Variables that change what init does: https://developer.hashicorp.com/terraform/cli/config/environment-variables.
# Values of the stack's variables and log settings do not.
_VARIABLE = re.compile(r"TF_(?!VAR_|LOG)\w+")
_CONFIGURATIONS = (".terraformrc", ".tofurc")

# What Terraform prints, before it has done anything, where init has to run first: internal/command and
# internal/terraform of its sources, and of OpenTofu's.
_NOT_INITIALIZED = re.compile(
    r"Backend (?:re)?initialization required|Backend configuration changed|Initialization required"
    r"|Module not installed|Module source has changed|Module version requirements have changed"
    r"|Unreadable module directory|Required plugins are not installed|Missing required provider"
    r"|Inconsistent dependency lock file|Could not load plugin"
)


def is_uninitialized(output: str) -> bool:
    """Whether Terraform refuses a command because `init` has to run first."""
    return _NOT_INITIALIZED.search(output) is not None


@dataclass(frozen=True)
class Initialization:
    """The initialization of a stack, in a data folder.

    Attributes:
        program: A fingerprint of the terraform or tofu program (`fingerprint.program`).
        folder: The stack's folder.
        variables: Terraform's process environment; `TF_DATA_DIR` names the data folder.
    """

    program: bytes
    folder: Path
    variables: Mapping[str, str]

    @property
    def _data(self) -> Path:
        return Path(self.variables["TF_DATA_DIR"])

    def ensure(self, init: Callable[[], object]) -> bool:
        """Run `init` unless nothing that it depends on has changed since its last success.

        Return whether it ran.

        Runs that share a data folder wait for each other. A killed run leaves no record, so the next one runs
        `init`.
        """
        if self._is_current():
            return False
        self._data.mkdir(parents=True, exist_ok=True)
        with file_lock(self._data):
            if self._is_current():  # the run that held the lock has done it
                return False
            self.forget()
            read = self._read()
            init()
            self._record(read)
            return True

    def forget(self) -> None:
        """Make the next `ensure` run init."""
        (self._data / _RECORD).unlink(missing_ok=True)

    def _is_current(self) -> bool:
        try:
            record = (self._data / _RECORD).read_bytes()
        except OSError:
            return False
        code = list(_code(self.folder))
        return record == self._fingerprint(self._read(code)) and self._is_complete(code)

    def _record(self, read: bytes) -> None:
        """Record what init has read, and the lock file that it has left; written as a whole or not at all."""
        staged = self._data / f"{_RECORD}.new"
        staged.write_bytes(self._fingerprint(read))
        staged.replace(self._data / _RECORD)

    def _fingerprint(self, read: bytes) -> bytes:
        return digest(read, fingerprint.content(self.folder / LOCK)).hex().encode()

    def _read(self, code: Iterable[tuple[Path, bytes]] | None = None) -> bytes:
        """Return a digest of what init reads, without the lock file, which it also writes."""
        home = Path(self.variables.get("HOME", "/"))
        cli_config = self.variables.get("TF_CLI_CONFIG_FILE")
        configurations = [
            *([Path(cli_config)] if cli_config else []),
            *(home / name for name in _CONFIGURATIONS),
        ]
        settings = [
            f"{name}={value}" for name, value in sorted(self.variables.items()) if _VARIABLE.fullmatch(name)
        ]
        return digest(
            self.program,
            *map(fingerprint.content, [*configurations, self.folder / "backend.hcl"]),
            digest(*map(os.fsencode, settings)),
            *(
                part
                for path, text in (_code(self.folder) if code is None else code)
                for part in _read_by_init(path, text)
            ),
        )

    def _is_complete(self, code: Iterable[tuple[Path, bytes]]) -> bool:
        """Whether the data folder has what init creates.

        The backend, the modules, the providers of the lock file.
        """
        try:
            lock = (self.folder / LOCK).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return False
        names = ["terraform.tfstate"]
        if any(_MODULE.search(text) for _, text in code):
            names.append("modules/modules.json")
        providers = (
            f"providers/{name}/{version}/*/terraform-provider-*" for name, version in _PROVIDER.findall(lock)
        )
        return all((self._data / name).is_file() for name in names) and all(
            any(self._data.glob(pattern)) for pattern in providers
        )


def _code(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the path and text of each file of a stack and of the local modules that it calls."""
    folders, seen = [os.path.normpath(folder)], set()
    while folders:
        current = folders.pop()
        if current in seen:
            continue
        seen.add(current)
        sources = set()
        for name in _names(current):
            path = Path(current, name)
            text = _content(path)
            sources |= set(_SOURCE.findall(text))
            yield path, text
        folders += sorted(
            (os.path.normpath(f"{current}/{os.fsdecode(source)}") for source in sources), reverse=True
        )


def _names(folder: str) -> list[str]:
    try:
        return sorted(
            name
            for name in os.listdir(folder)  # noqa: PTH208 - only names are needed
            if name.endswith(_CODE) and not name.startswith(".")
        )
    except OSError:  # init reports what is wrong with it
        return []


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _read_by_init(path: Path, text: bytes) -> tuple[bytes, bytes]:
    """Return what init reads of a file, by its folder: how a module is cut into files does not matter."""
    whole = path.name.endswith(_JSON) or _TERRAFORM_BLOCK.search(text)
    return os.fsencode(path.parent), text if whole else digest(*_LINES_READ.findall(text))
