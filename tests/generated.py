"""Generated files that are committed.

Each test of one compares it, or writes it when `./run golden` runs the test.
"""

import difflib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

OPTION = "--regenerate"
REMEDY = "If this is intended: `./run golden`, then review the diff."


@dataclass(frozen=True)
class Generated:
    """Compares generated files, or writes them.

    Attributes:
        write: Whether they are written.
    """

    write: bool = False

    def check(self, file: Path, text: str) -> None:
        """Compare a file with what generates it.

        Raises:
            Failed: They differ. The message is the diff and the command that writes the file.
        """
        self._check(file.parent, {file.name: text}, {file.name: _text(file)} if file.is_file() else {})

    def check_folder(self, folder: Path, texts: Mapping[str, str]) -> None:
        """Compare all files of a folder with what generates them.

        Args:
            folder: The folder. It holds nothing else.
            texts: Each file's text by its path in the folder.

        Raises:
            Failed: They differ.
        """
        if self.write:
            shutil.rmtree(folder, ignore_errors=True)
        files = [path for path in folder.rglob("*") if path.is_file()]
        self._check(folder, texts, {path.relative_to(folder).as_posix(): _text(path) for path in files})

    def _check(self, folder: Path, texts: Mapping[str, str], committed: Mapping[str, str]) -> None:
        if self.write:
            for name, text in texts.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8", newline="\n")
        elif texts != committed:
            pytest.fail(f"{difference(committed, texts)}\n{REMEDY}", pytrace=False)


def _text(path: Path) -> str:
    return path.read_bytes().decode()


def difference(expected: Mapping[str, str], generated: Mapping[str, str]) -> str:
    """Return a unified diff from one tree of files to a different one, empty if they are equal."""
    lines: list[str] = []
    for name in sorted(expected.keys() | generated.keys()):
        before, after = (tree.get(name, "").splitlines(keepends=True) for tree in (expected, generated))
        sides = (
            f"committed/{name}" if name in expected else "/dev/null",
            name if name in generated else "/dev/null",
        )
        lines += difflib.unified_diff(before, after, *sides)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
