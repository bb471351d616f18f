"""A small project with its own emulator, which tests apply with ordinary commands and disturb."""

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
    """The result of a command.

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
        """Return the file of the emulator's record."""
        return self.root / ".fleetform"

    def invoke(self, task: str) -> Done:
        """Run a task until it finishes."""
        with self.begun(task) as begun:
            return begun.end()

    @contextmanager
    def begun(self, task: str, output_name: str = "out") -> "Iterator[Begun]":
        """Start a task in its own process group, as a terminal does."""
        with (self.root / output_name).open("w+", encoding="utf-8") as output:
            # Terraform's own output shows how many resources are created.
            verbose = ["--verbose"] if task == "apply" else []
            argv = [sys.executable, "-m", "invoke", task, "--env", ENVIRONMENT, *verbose]
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
        """Change the catalog, so that a render has to write every file and none is cached."""
        catalog = self.root / "envs/catalog.yaml"
        catalog.write_text(catalog.read_text(encoding="utf-8").replace("shop", "store"), encoding="utf-8")
        for path in self.work.glob("cache.sqlite*"):
            path.unlink()

    def emulator(self) -> None:
        """Start the emulator."""
        emulator.start(self.work, port=0, account=load(self.root, ENVIRONMENT).account)

    def inventory(self) -> Inventory:
        """Compare the emulator's resources with the states."""
        environment = load(self.root, ENVIRONMENT)
        variables = emulator.environment(emulator.start(self.work, account=environment.account), os.environ)
        return inventory.take(Access(environment.region, variables), environment.state_bucket)

    def left(self) -> list[str]:
        """Return plans, locks and unfinished files that are not needed any more."""
        found = [
            *self.work.rglob("*.tfplan"),
            *self.root.glob("envs/*/*/.render-*"),
            *self.root.glob("envs/*/*/fleetform_lost.tf"),
        ]
        return sorted(str(path.relative_to(self.root)) for path in found)

    def kill_all(self) -> None:
        """Kill all processes of the project except the emulator, as in a power failure."""
        for pid, command in self.processes().items():
            if "fleetform.emulator.server" not in command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def processes(self) -> dict[int, str]:
        """Return the commands of the project's processes."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if str(self.root) in command or (folder / "cwd").resolve() == self.root:
                    found[int(folder.name)] = command
        return {pid: command for pid, command in found.items() if command and pid != os.getpid()}


@dataclass(frozen=True)
class Begun:
    """A running task."""

    process: subprocess.Popen[bytes]
    _output: Path

    def signal(self, number: int) -> None:
        """Send a signal to its process group, which does not include the processes that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait until it finishes; return whether it did."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
            return True
        return False

    def until(self, made: Callable[[str], bool]) -> bool:
        """Wait for its output to meet a condition; return False if it finishes before."""
        while not made(self.output()):
            if self.wait(_GLANCE_SECONDS):
                return False
        return True

    def until_made(self, count: int) -> bool:
        """Wait until a number of resources are created; return False if it finishes before."""
        return self.until(lambda output: output.count(": Creation complete after") >= count)

    def output(self) -> str:
        """Return its output so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def end(self) -> Done:
        """Wait until it finishes."""
        code = self.process.wait()
        return Done(code, self.output())


@contextmanager
def checkout(root: Path) -> Iterator[Checkout]:
    """Create the project, and stop all its processes at the end."""
    small_project.make(root)
    made = Checkout(root.resolve())
    try:
        yield made
    finally:
        made.kill_all()
        emulator.stop(made.work)
