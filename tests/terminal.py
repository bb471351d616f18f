"""A real terminal for tests: tmux, whose screen is read as text."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import program

_ROWS = 50
_SECONDS = 120
_NOT_INHERITED = {"COLUMNS", "LINES", "NO_COLOR", "TMUX", "CI"}
_PROGRAM = """
import sys
from pathlib import Path
from fleetform.cli.commands import GROUPS
from fleetform.cli.program import FleetformProgram, start
start(FleetformProgram(Path(sys.argv[1]), GROUPS), ["./run", *sys.argv[2:]])
"""


@dataclass(frozen=True)
class Terminal:
    """A terminal that runs one task in a project.

    Attributes:
        root: The project's root folder. Its parent keeps the terminal's own files.
        columns: Its width.
    """

    root: Path
    columns: int

    def run(self, *task: str, interrupt_at: str = "") -> str:
        """Run a task and return the screen once it has ended, without times.

        Args:
            task: The task and its flags.
            interrupt_at: Press Ctrl-C as soon as the screen shows this.
        """
        socket, ended = self.root / f"tmux-{self.columns}", self.root / f"ended-{self.columns}"
        config = self.root / "tmux.conf"
        config.write_text("set -g status off\nset -g default-terminal screen\n", encoding="utf-8")
        tmux = [program("tmux"), "-S", str(socket), "-f", str(config)]
        command = shlex.join([sys.executable, "-c", _PROGRAM, str(self.root), *task])
        typed = shlex.quote(f"$ {shlex.join(['./run', *task])}")
        shell = (
            f"trap : INT; printf '%s\\n' {typed}; {command}; : >{shlex.quote(str(ended))}; sleep {_SECONDS}"
        )
        size = ["-x", str(self.columns), "-y", str(_ROWS)]
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        environment = {
            **inherited,
            "FLEETFORM_PROGRAM": "./run",
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        subprocess.run([*tmux, "new-session", "-d", *size, shell], check=True, cwd=self.root, env=environment)
        try:
            if interrupt_at:
                _wait(lambda: interrupt_at in _screen(tmux))
                subprocess.run([*tmux, "send-keys", "C-c"], check=True)
            _wait(ended.exists)
            time.sleep(0.2)  # tmux draws what was written last
            return re.sub(r"\b\d+(?:\.\d)? s\b", "0 s", _screen(tmux))
        finally:
            subprocess.run([*tmux, "kill-server"], check=False)
            ended.unlink(missing_ok=True)


def _screen(tmux: Sequence[str]) -> str:
    shown = subprocess.run([*tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout
    return "\n".join(line.rstrip() for line in shown.splitlines()).rstrip() + "\n"


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the terminal does not show it in time"
        time.sleep(0.1)
