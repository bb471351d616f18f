"""`envs/<environment>/images.lock.yaml`: the deployed image of each service, by digest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from fleetform.base.errors import CatalogError, Problem, ProgramError
from fleetform.base.program_name import command
from fleetform.base.suggestions import suggestion
from fleetform.catalog.files import lock_file
from fleetform.catalog.nodes import Node, read_yaml
from fleetform.catalog.repository import reject_outside
from fleetform.catalog.writer import write_atomically

_HEADER = "# Written by `invoke images`. Committed: a revert is a rollback.\n"
# Pattern and description of each field. Only a commit needs quotes, because it may be all digits.
_PATTERNS: Mapping[str, tuple[str, str]] = {
    "tag": (r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "an image tag"),
    "digest": (r"sha256:[0-9a-f]{64}", "`sha256:` and 64 hexadecimal digits"),
    "commit": (r"([0-9a-f]{40,64}(-dirty)?)?", "a Git commit, or nothing"),
    "content_key": (r"[0-9a-f]{64}", "64 hexadecimal digits"),
}
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?")


@dataclass(frozen=True)
class LockedImage:
    """A service's image.

    Attributes:
        tag: Its tag in the repository, which never moves.
        digest: Digest of its manifest, beginning with `sha256:`; this is what is deployed.
        platforms: Platforms that it runs on, such as `linux/amd64`.
        commit: Git commit that it was built from, followed by `-dirty` if files differed; empty without Git.
        content_key: SHA-256 of everything that it was built from, in hexadecimal.
    """

    tag: str
    digest: str
    platforms: tuple[str, ...]
    commit: str
    content_key: str


def _remedy() -> str:
    return f"restore this file from Git, or run `{command('images')}` to write it again"


def load_lock(root: Path, env: str) -> dict[str, LockedImage]:
    """Read an environment's lock.

    Returns:
        The images by service; empty if there is no lock.

    Raises:
        CatalogError: The lock is invalid; the error holds every problem.
        InputError: The lock is a symbolic link to outside the repository.
    """
    file = lock_file(env)
    if not (root / file).exists():
        return {}
    reject_outside(root, file)
    tree, problems = read_yaml(root / file, file)
    services = tree.value if isinstance(tree.value, dict) else {}
    if not isinstance(tree.value, dict):
        problems.append(Problem(tree.position, "expected a mapping of services", _remedy()))
    for name, node in services.items():
        problems += _check_entry(name, node)
    if problems:
        raise CatalogError(problems)
    return {name: _parse_entry(node) for name, node in services.items()}


def _check_entry(name: str, node: Node) -> list[Problem]:
    names = [field.name for field in fields(LockedImage)]
    if not isinstance(node.value, dict):
        return [Problem(node.position, f"`{name}` is not a mapping", _remedy())]
    problems = [
        Problem(
            child.key_position or child.position, f"unknown key `{key}` in `{name}`", suggestion(key, names)
        )
        for key, child in node.value.items()
        if key not in names
    ]
    position = node.key_position or node.position
    problems += [
        Problem(position, f"`{name}` has no `{key}`", _remedy()) for key in names if key not in node.value
    ]
    for key, (pattern, expected) in _PATTERNS.items():
        child = node.value.get(key)
        if child is not None and not (isinstance(child.value, str) and re.fullmatch(pattern, child.value)):
            problems.append(Problem(child.position, f"`{name}.{key}` is not {expected}", _remedy()))
    platforms = node.value.get("platforms")
    if platforms is not None and not _are_platforms(platforms.plain()):
        problems.append(
            Problem(platforms.position, f"`{name}.platforms` is not a list of platforms", _remedy())
        )
    return problems


def _are_platforms(plain: object) -> bool:
    return (
        isinstance(plain, list)
        and bool(plain)
        and all(isinstance(item, str) and _PLATFORM.fullmatch(item) for item in plain)
    )


def _parse_entry(node: Node) -> LockedImage:
    plain: dict[str, str | list[str]] = node.plain()  # type: ignore[assignment] # checked by `_check_entry`
    texts = {key: str(plain[key]) for key in _PATTERNS}
    return LockedImage(platforms=tuple(plain["platforms"]), **texts)


def format_lock(lock: Mapping[str, LockedImage]) -> str:
    """Format the lock as YAML; the same images give the same text."""
    return _HEADER + "".join(f"\n{name}:\n{_format_entry(lock[name])}" for name in sorted(lock))


def _format_entry(image: LockedImage) -> str:
    return (
        f'  tag: "{image.tag}"\n'
        f"  digest: {image.digest}\n"
        f"  platforms: [{', '.join(image.platforms)}]\n"
        f'  commit: "{image.commit}"\n'
        f'  content_key: "{image.content_key}"\n'
    )


def write_lock(root: Path, env: str, lock: Mapping[str, LockedImage]) -> bool:
    """Write an environment's lock completely or not at all.

    Returns:
        Whether the lock changed.

    Raises:
        ProgramError: The lock cannot be written.
    """
    path = root / lock_file(env)
    text = format_lock(lock)
    try:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return False
        write_atomically(path, text)
    except OSError as error:
        message = f"{lock_file(env)}: cannot be written: {error.strerror}"
        raise ProgramError(f"{message}; fix that and run the command again; pushed images are kept") from None
    return True
