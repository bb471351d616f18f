"""The values of secrets on this machine, from a file that Git ignores: `envs/<env>/.env`."""

import re
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from fleetform.aws.live_state import AppliedEnvironment
from fleetform.base.errors import InputError


def variable_name(service: str, secret: str) -> str:
    """Return the name of a service's secret in the file, such as `WEB_DB_PASSWORD`."""
    return re.sub(r"[^A-Z0-9]", "_", f"{service}_{secret}".upper())


def required_variables(applied: AppliedEnvironment) -> tuple[str, ...]:
    """Return the names of all secrets in the task definitions of an environment, sorted."""
    names = {
        variable_name(service.name, secret["name"])
        for service in applied.services
        for container in service.containers
        for secret in container.get("secrets") or ()
    }
    return tuple(sorted(names))


def read_secrets(root: Path, env: str, names: Sequence[str]) -> dict[str, str]:
    """Read the values of secrets. Without names the file is not needed.

    Args:
        root: The checkout.
        env: The environment.
        names: The secrets to read; other entries of the file are ignored.

    Raises:
        InputError: The file lacks secrets, cannot be read, or could be read by others or committed. The
            message lists all problems.
    """
    if not names:
        return {}
    file = Path("envs", env, ".env")
    try:
        values, problems = _parse((root / file).read_text(encoding="utf-8"))
        problems += [*_exposures(root, file)]
    except FileNotFoundError:
        lines = "".join(f"\n{name}=" for name in names)
        raise InputError(
            f"{file}: not found; create it, readable only by you (chmod 600), with:{lines}"
        ) from None
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; make it a file that you can read") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: not UTF-8 text; save it as UTF-8") from None
    problems += [f"{name} is missing; add a line `{name}=...`" for name in names if name not in values]
    if problems:
        raise InputError("\n".join(f"{file}: {problem}" for problem in problems))
    return {name: values[name] for name in names}


def _parse(text: str) -> tuple[Mapping[str, str], list[str]]:
    """Return the values by name, and the problems of the lines.

    `$` is not special, as passwords may contain it.
    """
    bindings = list(parse_stream(StringIO(text)))
    problems = [
        f"line {binding.original.line} cannot be read; write NAME=value, with quotes around spaces and #"
        for binding in bindings
        if binding.error
    ]
    return {
        binding.key: binding.value for binding in bindings if binding.key and binding.value is not None
    }, problems


def _exposures(root: Path, file: Path) -> Iterator[str]:
    """Return the ways in which others could read a file."""
    if (root / file).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield f"others can read it; run `chmod 600 {file}`"
    if _git(root, "ls-files", "--error-unmatch", str(file)) == 0:
        yield f"Git tracks it; run `git rm --cached {file}`, and change the secrets if it was ever pushed"
    elif _git(root, "check-ignore", "--quiet", str(file)) == 1:
        yield "Git does not ignore it; add `.env` to .gitignore"


def _git(root: Path, *arguments: str) -> int | None:
    """Return Git's exit code, 128 outside of a repository; None if Git is not installed."""
    argv = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(argv, check=False, capture_output=True, stdin=subprocess.DEVNULL).returncode
    except OSError:
        return None
