"""Check a release's tag and print its section of the changelog: `python .github/release_notes.py v0.2.0`.

Needs only Python's standard library, so that nothing is installed before the check.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
_TAG = re.compile(r"v\d+\.\d+\.\d+")


def release_notes(root: Path, tag: str) -> str:
    """Return the changelog's section of a tag's version, without its heading.

    Args:
        root: The folder of the repository.
        tag: The tag, such as `v0.2.0`.

    Raises:
        ValueError: The tag is not a version, not the package's version, or not in the changelog.
    """
    if not _TAG.fullmatch(tag):
        raise ValueError(f"{tag}: not a tag of a release; use a tag such as v1.2.3")
    version = tag.removeprefix("v")
    found = _VERSION.search((root / "fleetform/__init__.py").read_text(encoding="utf-8"))
    package = found[1] if found else "missing"
    if version != package:
        raise ValueError(
            f"{tag}: `__version__` in fleetform/__init__.py is {package}; change it, or tag v{package}"
        )
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"^## {re.escape(version)} - \d{{4}}-\d\d-\d\d$"
    section = re.search(heading + r"\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if not section or not section[1].strip():
        raise ValueError(
            f"{tag}: CHANGELOG.md has no section `## {version} - YYYY-MM-DD`, or it is empty; write it"
        )
    return section[1].strip() + "\n"


def main() -> None:
    """Print the section of the tag on the command line."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and the tag
        sys.exit("usage: python .github/release_notes.py TAG")
    try:
        sys.stdout.write(release_notes(ROOT, sys.argv[1]))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
