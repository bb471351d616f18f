"""Applies a change and takes it back, while the emulator's monitor watches."""

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fleetform.emulator import process
from fleetform.emulator.continuity import client
from fleetform.workflow.project import Project
from tests.expectations import expectations
from tests.transitions.table import BASE, Change

ROOT = Path(__file__).parents[2]
LIMIT = 300


@dataclass(frozen=True)
class Step:
    """One way of a change.

    Attributes:
        seconds: How long render and apply took.
        interruptions: What did not work meanwhile, and is not allowed.
        problems: Commands that failed, and a second plan that was not empty.
    """

    seconds: float
    interruptions: tuple[str, ...]
    problems: tuple[str, ...]


def merge(base: Any, change: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    """Return a document with a change merged into it; null removes a key."""
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    merged = base | {key: merge(base.get(key), value) for key, value in change.items()}
    return {key: value for key, value in merged.items() if value is not None}


class Bench:
    """A project with an emulator that watches.

    Args:
        folder: An empty folder for it.
    """

    def __init__(self, folder: Path) -> None:
        for name in ("fleetform", "modules", "templates"):
            (folder / name).symlink_to(ROOT / name)
        shutil.copy(ROOT / "tasks.py", folder)
        (folder / "envs/local").mkdir(parents=True)
        (folder / "envs/local/environment.yaml").write_text(
            "emulator: true\nprotection: false\n", encoding="utf-8"
        )
        self._project = Project(folder)
        self._base = yaml.safe_load(BASE)
        process.start(self._project.work, options=process.Options(monitor=True))

    def apply_base(self) -> list[str]:
        """Apply the base, and return what failed."""
        self._write(self._base)
        return [*self._run("render"), *self._run("apply", "--yes")]

    def change(self, change: Change) -> tuple[Step, Step]:
        """Apply a change, and take it back."""
        changed = merge(self._base, yaml.safe_load(change.after))
        return self._step(changed), self._step(self._base)

    def stop(self) -> None:
        """Stop the emulator."""
        process.stop(self._project.work)

    def _step(self, document: dict[str, Any]) -> Step:
        before = self._project.environment("local")
        self._write(document)
        started = time.monotonic()
        problems = self._run("render")
        if problems:
            return Step(0, (), tuple(problems))
        client.watch(self._project.work, expectations(before, self._project.environment("local")))
        problems += self._run("apply", "--yes")
        seconds = time.monotonic() - started
        records = client.stop(self._project.work)
        problems += self._run("plan", expected="nothing to apply")
        problems += self._run("verify")
        found = tuple(f"{each.violation} after {each.call}" for each in records if not each.allowed)
        return Step(seconds, found, tuple(problems))

    def _write(self, document: dict[str, Any]) -> None:
        text = yaml.safe_dump(document, sort_keys=False)
        (self._project.root / "envs/catalog.yaml").write_text(text, encoding="utf-8")

    def _run(self, *arguments: str, expected: str = "") -> list[str]:
        argv = [sys.executable, "-m", "invoke", *arguments, "--env", "local"]
        done = subprocess.run(
            argv, cwd=self._project.root, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        if expected in done.stdout and (done.returncode == 0 or expected):
            return []
        return [f"{' '.join(arguments)}: exit {done.returncode}\n{(done.stdout + done.stderr)[-2000:]}"]
