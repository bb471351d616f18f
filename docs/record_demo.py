"""Records `./run demo` as docs/demo.svg, an animated SVG. Needs tmux.

    python docs/record_demo.py

tmux is the terminal: its screen is read several times a second. Each version of each row becomes one text
element that is visible from its first frame to its last. Time is compressed, so that the recording takes half
a minute.
"""

import argparse
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLUMNS, ROWS = 100, 34
SAMPLE_SECONDS = 0.15
SECONDS = 30.0  # of the recording, without the pause at its end
PAUSE_SECONDS = 5.0
SHORTEST_FRAME = 0.2  # seconds of the recording

_FONT, _LINE, _CHARACTER, _MARGIN = 14, 19, 8.43, 16
_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_CLASSES = {
    "1": "b",
    "2": "d",
    "31": "r",
    "32": "g",
    "33": "y",
    "36": "c",
    "91": "r",
    "92": "g",
    "93": "y",
    "96": "c",
}
_STYLE = f"""
text{{font:{_FONT}px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d6dae1;white-space:pre}}
.b{{font-weight:bold}}.d{{opacity:.6}}.r{{fill:#ff7b72}}.g{{fill:#56d364}}.y{{fill:#e3b341}}.c{{fill:#76e3ea}}
@media(prefers-reduced-motion:reduce){{text{{animation:none!important}}}}
"""


@dataclass(frozen=True)
class Frame:
    """The screen from a time on.

    Attributes:
        start: Seconds since the start.
        rows: Its rows, with colors as escape sequences.
    """

    start: float
    rows: tuple[str, ...]


@dataclass(frozen=True)
class RowVersion:
    """A row that stays the same for a while.

    Attributes:
        number: Which row, from 0.
        text: What it shows, with colors as escape sequences.
        start: Seconds of the recording when it appears.
        end: When it disappears; None if it stays to the end.
    """

    number: int
    text: str
    start: float
    end: float | None


def record(command: str) -> list[Frame]:
    """Run a command in tmux, and return each different screen.

    Args:
        command: What is typed after the prompt.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = Path(folder, "done")
        config = Path(folder, "tmux.conf")
        config.write_text("set -g status off\n", encoding="utf-8")
        tmux = ["tmux", "-S", str(Path(folder, "socket")), "-f", str(config)]
        shell = f"printf '$ %s\\n' {shlex.quote(command)}; {command}; touch {done}; sleep 60"
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        subprocess.run([*tmux, "new-session", "-d", *size, shell], check=True, cwd=ROOT)
        try:
            return list(_different(_screens(tmux, done)))
        finally:
            subprocess.run([*tmux, "kill-server"], check=False)


def _screens(tmux: Sequence[str], done: Path) -> Iterator[Frame]:
    started = time.monotonic()
    while True:
        ended = done.exists()
        shown = subprocess.run(
            [*tmux, "capture-pane", "-e", "-p"], check=True, capture_output=True, text=True
        ).stdout
        yield Frame(time.monotonic() - started, tuple(line.rstrip() for line in shown.splitlines()))
        if ended:
            return
        time.sleep(SAMPLE_SECONDS)


def _different(frames: Iterator[Frame]) -> Iterator[Frame]:
    last: Frame | None = None
    for frame in frames:
        if last is None or frame.rows != last.rows:
            yield frame
            last = frame


def compress(frames: Sequence[Frame]) -> list[Frame]:
    """Return frames in the recording's time, without those that would be visible too briefly."""
    pace = min(SECONDS / max(frames[-1].start, 1.0), 1.0)
    kept: list[Frame] = []
    for frame in frames:
        start = frame.start * pace
        if kept and start - kept[-1].start < SHORTEST_FRAME:
            kept[-1] = Frame(kept[-1].start, frame.rows)
        else:
            kept.append(Frame(start, frame.rows))
    return kept


def versions(frames: Sequence[Frame]) -> list[RowVersion]:
    """Return the versions of each row; an empty row has none."""
    found: list[RowVersion] = []
    for number in range(ROWS):
        start, text = 0.0, ""
        for frame in frames:
            row = frame.rows[number] if number < len(frame.rows) else ""
            if row != text:
                if text:
                    found.append(RowVersion(number, text, start, frame.start))
                start, text = frame.start, row
        if text:
            found.append(RowVersion(number, text, start, None))
    return found


def svg(frames: Sequence[Frame]) -> str:
    """Return an animated SVG. Where animations are off, it shows the last frame."""
    rows = versions(frames)
    total = frames[-1].start + PAUSE_SECONDS
    height = (max(row.number for row in rows) + 1) * _LINE + 2 * _MARGIN
    width = round(COLUMNS * _CHARACTER) + 2 * _MARGIN
    keyframes = "".join(_keyframes(number, row, total) for number, row in enumerate(rows))
    texts = "\n".join(_text(number, row, total) for number, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}"'
        ' role="img" aria-label="A terminal that runs the demo">\n'
        f"<style>{_STYLE}{keyframes}</style>\n"
        f'<rect width="100%" height="100%" rx="8" fill="#161b22"/>\n{texts}\n</svg>\n'
    )


def _keyframes(number: int, row: RowVersion, total: float) -> str:
    start = f"{100 * row.start / total:.2f}%"
    end = "" if row.end is None else f"{100 * row.end / total:.2f}%{{visibility:hidden}}"
    return f"@keyframes k{number}{{0%{{visibility:hidden}}{start}{{visibility:visible}}{end}}}\n"


def _text(number: int, row: RowVersion, total: float) -> str:
    visibility = "" if row.end is None else ' visibility="hidden"'
    return (
        f'<text x="{_MARGIN}" y="{_MARGIN + _LINE * row.number + _FONT}"{visibility}'
        f' style="animation:k{number} {total:.1f}s step-end infinite">{_spans(row.text)}</text>'
    )


def _spans(text: str) -> str:
    """Return a row with its colors as `tspan` elements."""
    spans, classes = [], frozenset[str]()
    plain, *styled = _SGR.split(text)
    for codes, part in [("", plain), *zip(styled[::2], styled[1::2], strict=True)]:
        for code in codes.split(";"):
            classes = (
                classes | {_CLASSES[code]}
                if code in _CLASSES
                else frozenset()
                if code in {"", "0"}
                else classes
            )
        names = " ".join(sorted(classes))
        spans.append(f'<tspan class="{names}">{escape(part)}</tspan>' if names and part else escape(part))
    return "".join(spans)


def main() -> None:
    """Record the demo."""
    parser = argparse.ArgumentParser(description="Record `./run demo` as an animated SVG.")
    parser.add_argument("--command", default="./run demo", help="What to record. Default: ./run demo.")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/demo.svg", help="Default: docs/demo.svg.")
    arguments = parser.parse_args()
    if not shutil.which("tmux"):
        sys.exit("tmux is not on PATH; install it (on Debian: apt-get install tmux)")
    arguments.output.write_text(svg(compress(record(arguments.command))), encoding="utf-8")


if __name__ == "__main__":
    main()
