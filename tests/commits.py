"""Git for tests, whatever the machine's own settings."""

import os
import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """Runs Git in a folder and returns what it prints."""
    variables = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    argv = ["git", *arguments]
    return subprocess.run(
        argv, cwd=folder, env=variables, capture_output=True, text=True, check=True
    ).stdout.strip()
