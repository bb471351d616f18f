"""Whether a stack is initialised as it stands: `terraform init` hashes the provider, a second or more each time."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.base.daemons import is_locked

LOCK = ".terraform.lock.hcl"

_RECORD = "initialized"
_CODE = (".tf", ".tofu", ".tf.json", ".tofu.json")
# What init reads of code, in a form that takes too much rather than too little: a file with settings of Terraform's own
# counts whole, of others the lines that name modules, sources, versions and providers, and the first words of types,
# which name a provider, too. What is in a comment does no harm.
_COMPLETE = re.compile(rb"(?m)^\s*terraform\b")
_JSON = ".json"
_LINE = re.compile(
    rb"(?m)^\s*(?:module|provider)\b.*|^.*\b(?:source|version)\b.*"
    rb'|^\s*(?:resource|data|ephemeral)\s+"?[^_"\s]*'
)
_SOURCE = re.compile(rb'\bsource"?\s*[=:]\s*"(\.[^"$]*)"')
_MODULE = re.compile(rb'(?m)^\s*module\b|"module"')
_PROVIDER = re.compile(r'provider\s+"([^"]+)"\s*\{\s*version\s*=\s*"([^"]+)"')
# Variables that say what init does: https://developer.hashicorp.com/terraform/cli/config/environment-variables. Values
# of the stack's variables and where logs go do not.
_VARIABLE = re.compile(r"TF_(?!VAR_|LOG)\w+")
_CONFIGURATIONS = (".terraformrc", ".tofurc")

# What Terraform says, before it has done anything, where init has to be run: internal/command and internal/terraform
# of its sources, of OpenTofu's too.
_MISSING = re.compile(
    r"Backend (?:re)?initialization required|Backend configuration changed|Initialization required"
    r"|Module not installed|Module source has changed|Module version requirements have changed"
    r"|Unreadable module directory|Required plugins are not installed|Missing required provider"
    r"|Inconsistent dependency lock file|Could not load plugin"
)


def is_uninitialized(output: str) -> bool:
    """Whether Terraform refuses a command because `init` has to be run."""
    return _MISSING.search(output) is not None


@dataclass(frozen=True)
class Initialization:
    """The initialisation of a stack, in a data folder.

    Attributes:
        program: Which terraform or tofu it is (`identity.program`).
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
        """Runs `init` unless nothing that it depends on has changed since it last ended well; says whether it ran.

        Runs that share a data folder wait for each other. One that is killed leaves no record, and the next one inits.
        """
        if self._holds():
            return False
        self._data.mkdir(parents=True, exist_ok=True)
        with is_locked(self._data):
            if self._holds():  # the one that was waited for has done it
                return False
            self.forget()
            read = self._read()
            init()
            self._record(read)
            return True

    def forget(self) -> None:
        """Has the next `ensure` run init."""
        (self._data / _RECORD).unlink(missing_ok=True)

    def _holds(self) -> bool:
        try:
            record = (self._data / _RECORD).read_bytes()
        except OSError:
            return False
        code = list(_code(self.folder))
        return record == self._fingerprint(self._read(code)) and self._is_complete(code)

    def _record(self, read: bytes) -> None:
        """Remembers what init has read, and the lock file that it has left; written at once or not at all."""
        made = self._data / f"{_RECORD}.new"
        made.write_bytes(self._fingerprint(read))
        made.replace(self._data / _RECORD)

    def _fingerprint(self, read: bytes) -> bytes:
        return digest(read, fingerprint.content(self.folder / LOCK)).hex().encode()

    def _read(self, code: Iterable[tuple[Path, bytes]] | None = None) -> bytes:
        """A digest of what init reads, but the lock file, which it also writes."""
        home = Path(self.variables.get("HOME", "/"))
        named = self.variables.get("TF_CLI_CONFIG_FILE")
        configurations = [*([Path(named)] if named else []), *(home / name for name in _CONFIGURATIONS)]
        settings = [f"{name}={value}" for name, value in sorted(self.variables.items()) if _VARIABLE.fullmatch(name)]
        return digest(
            self.program,
            *map(fingerprint.content, [*configurations, self.folder / "backend.hcl"]),
            digest(*map(os.fsencode, settings)),
            *(part for path, text in (_code(self.folder) if code is None else code) for part in _of_code(path, text)),
        )

    def _is_complete(self, code: Iterable[tuple[Path, bytes]]) -> bool:
        """Whether the data folder has what init makes: the backend, the modules, the providers that the lock names."""
        try:
            lock = (self.folder / LOCK).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return False
        wanted = ["terraform.tfstate"]
        if any(_MODULE.search(text) for _, text in code):
            wanted.append("modules/modules.json")
        providers = (f"providers/{name}/{version}/*/terraform-provider-*" for name, version in _PROVIDER.findall(lock))
        return all((self._data / name).is_file() for name in wanted) and all(
            any(self._data.glob(pattern)) for pattern in providers
        )


def _code(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """The code of a stack and of the local modules that it calls: paths as they are reached, and texts."""
    left, seen = [os.path.normpath(folder)], set()
    while left:
        above = left.pop()
        if above in seen:
            continue
        seen.add(above)
        sources = set()
        for name in _names(above):
            path = Path(above, name)
            text = _content(path)
            sources |= set(_SOURCE.findall(text))
            yield path, text
        left += sorted((os.path.normpath(f"{above}/{os.fsdecode(source)}") for source in sources), reverse=True)


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(_CODE) and not name.startswith("."))  # noqa: PTH208 - names alone are wanted
    except OSError:  # init says what is wrong with it
        return []


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _of_code(path: Path, text: bytes) -> tuple[bytes, bytes]:
    """What of a file init reads; by its folder alone, as modules may be cut into files as one likes."""
    whole = path.name.endswith(_JSON) or _COMPLETE.search(text)
    return os.fsencode(path.parent), text if whole else digest(*_LINE.findall(text))
