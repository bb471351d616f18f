"""Orphan processes of killed runs, with real processes."""

import subprocess
import sys
from pathlib import Path

from fleetform.terraform.recovery.orphans import OrphanProcesses, find_orphans

WAITS = "import sys; print('waits', flush=True); sys.stdin.read()"


def process(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a process and return it once it waits."""
    argv = [program, "-c", WAITS, *arguments]
    started = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "waits\n"
    return started


def test_terraform_and_its_plugins_are_found(tmp_path: Path) -> None:
    folder, data = tmp_path / "envs/local", tmp_path / "data"
    plugin = data / "foundation/providers/plugin"
    plugin.parent.mkdir(parents=True)
    plugin.symlink_to(sys.executable)
    with (
        process(sys.executable, f"-chdir={folder}/foundation", "apply") as ours,
        process(sys.executable, f"-chdir={folder}-2/foundation", "apply") as other,
        process(str(plugin)) as provider,
    ):
        found = find_orphans(folder, data)
        for each in (ours, other, provider):
            each.communicate("")
    assert found == OrphanProcesses((ours.pid,), (provider.pid,))
    assert find_orphans(folder, data) == OrphanProcesses((), ())
