"""A small project that is applied to an emulator of its own, by the commands that a person gives, and disturbed."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleetform import emulator
from fleetform.aws.clients import Access
from fleetform.validation.loading import load
from tests import small_project
from tests.faults import inventory
from tests.faults.inventory import Inventory

ENVIRONMENT = "local"
_GLANCE_SECONDS = 0.05


@dataclass(frozen=True)
class Done:
    """What a command did.

    Attributes:
        code: Its exit code; negative for a signal.
        output: What it printed, both streams in one.
    """

    code: int
    output: str


@dataclass(frozen=True)
class Checkout:
    """The project.

    Attributes:
        root: Its folder.
    """

    root: Path

    @property
    def work(self) -> Path:
        """Where the emulator's record is."""
        return self.root / ".fleetform"

    def invoke(self, task: str) -> Done:
        """Runs a task to its end."""
        with self.begun(task) as begun:
            return begun.end()

    @contextmanager
    def begun(self, task: str, output_name: str = "out") -> "Iterator[Begun]":
        """Begins a task, as a terminal does: in a process group of its own."""
        with (self.root / output_name).open("w+", encoding="utf-8") as output:
            argv = [sys.executable, "-m", "invoke", task, "--env", ENVIRONMENT]
            variables = {**os.environ, "COLUMNS": "200"}
            with subprocess.Popen(
                argv,
                cwd=self.root,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            ) as process:
                yield Begun(process, Path(output.name))

    def change(self) -> None:
        """Changes the catalog, so that a render has every file to make anew; it has seen none of them."""
        catalog = self.root / "envs/catalog.yaml"
        catalog.write_text(catalog.read_text(encoding="utf-8").replace("shop", "store"), encoding="utf-8")
        for path in self.work.glob("cache.sqlite*"):
            path.unlink()

    def emulator(self) -> None:
        """Starts the emulator."""
        emulator.start(self.work, port=0, account=load(self.root, ENVIRONMENT).account)

    def inventory(self) -> Inventory:
        """What the emulator has, against the states."""
        environment = load(self.root, ENVIRONMENT)
        variables = emulator.environment(emulator.start(self.work, account=environment.account), os.environ)
        return inventory.take(Access(environment.region, variables), environment.state_bucket)

    def left(self) -> list[str]:
        """Plans, locks and half-written files that nothing will use."""
        found = [
            *self.work.rglob("*.tfplan"),
            *self.root.glob("envs/*/*/.render-*"),
            *self.root.glob("envs/*/*/fleetform_lost.tf"),
        ]
        return sorted(str(path.relative_to(self.root)) for path in found)

    def kill_all(self) -> None:
        """Kills all that runs here but the emulator, at once, as when the power fails."""
        for pid, command in self.processes().items():
            if "fleetform.emulator.server" not in command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def processes(self) -> dict[int, str]:
        """The commands of the processes that have to do with the project."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if str(self.root) in command or (folder / "cwd").resolve() == self.root:
                    found[int(folder.name)] = command
        return {pid: command for pid, command in found.items() if command and pid != os.getpid()}


@dataclass(frozen=True)
class Begun:
    """A task that has begun."""

    process: subprocess.Popen[bytes]
    _output: Path

    def signal(self, number: int) -> None:
        """Sends a signal to its process group: what it has started has groups of its own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def wait(self, seconds: float) -> bool:
        """Waits for its end; says whether it came."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
            return True
        return False

    def until(self, made: Callable[[str], bool]) -> bool:
        """Waits until its output is as it should be; False if it ends before."""
        while not made(self.output()):
            if self.wait(_GLANCE_SECONDS):
                return False
        return True

    def until_made(self, count: int) -> bool:
        """Waits until so many resources are made; False if it ends before."""
        return self.until(lambda output: output.count(": Creation complete after") >= count)

    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def end(self) -> Done:
        """Waits for its end."""
        code = self.process.wait()
        return Done(code, self.output())


@contextmanager
def checkout(root: Path) -> Iterator[Checkout]:
    """Makes the project; nothing of it is left running."""
    small_project.make(root)
    made = Checkout(root.resolve())
    try:
        yield made
    finally:
        made.kill_all()
        emulator.stop(made.work)
