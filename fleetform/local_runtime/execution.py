"""What is done with containers while they run: programs in them and beside them, health checks, a new start."""

import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fleetform.base.errors import ProgramError
from fleetform.base.processes import read
from fleetform.local_runtime.runner import Runner


@dataclass(frozen=True)
class Execution:
    """What a program in a container did.

    Attributes:
        code: Its exit code.
        stdout: What it printed.
        stderr: Its complaints.
    """

    code: int
    stdout: str
    stderr: str


def execute(runner: Runner, container: str, argv: Sequence[str], stdin: str = "", *, timeout: float = 30) -> Execution:
    """Runs a program in a container that runs.

    Args:
        runner: What runs it.
        container: The container's name.
        argv: Program and arguments, of the container's image.
        stdin: What it reads.
        timeout: Seconds that it may take.

    Raises:
        ProgramError: It takes longer.
    """
    return _run(runner, ["exec", "--interactive", container, *argv], stdin, timeout)


def run_beside(  # noqa: PLR0913 - `execute`, with an image of one's own
    runner: Runner, container: str, image: str, argv: Sequence[str], stdin: str = "", *, timeout: float = 30
) -> Execution:
    """Runs a program of another image where a container is in the network; leaves nothing.

    Raises:
        ProgramError: It takes longer than the timeout.
    """
    name = f"fleetform-{uuid.uuid4().hex}"
    program, *arguments = argv
    place = [f"--name={name}", f"--network=container:{container}", f"--entrypoint={program}"]
    try:
        return _run(runner, ["run", "--rm", "--interactive", *place, image, *arguments], stdin, timeout)
    except BaseException:
        subprocess.run([runner.engine, "kill", name], env=dict(runner.variables), capture_output=True, check=False)
        raise


def _run(runner: Runner, arguments: list[str], stdin: str, timeout: float) -> Execution:
    argv = [runner.engine, *arguments]
    try:
        done = subprocess.run(
            argv,
            env=dict(runner.variables),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"`{' '.join(argv[:4])} ...` has not ended after {timeout:g} s") from None
    return Execution(done.returncode, done.stdout, done.stderr)


def replace(runner: Runner, *names: str) -> None:
    """Ends containers at once and starts them again, in the order given; they leave DNS meanwhile.

    Raises:
        ProgramError: The engine fails.
    """
    read([runner.engine, "stop", "-t", "0", *names], runner.variables)
    for name in names:
        read([runner.engine, "start", name], runner.variables)


def check_health(runner: Runner, name: str) -> subprocess.Popen[bytes]:
    """Starts the health check of a container of Podman's, which does none itself without systemd.

    Returns:
        The process; its exit code is 0 if the container is healthy.
    """
    return subprocess.Popen(
        [runner.engine, "healthcheck", "run", name],
        env=dict(runner.variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
