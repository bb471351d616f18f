"""Operations on running containers: running programs in and beside them, health checks, restarts."""

import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fleetform.base.errors import ProgramError
from fleetform.base.processes import read
from fleetform.local_runtime.runner import Runner


@dataclass(frozen=True)
class Execution:
    """The result of a program in a container.

    Attributes:
        code: Its exit code.
        stdout: Its standard output.
        stderr: Its standard error.
    """

    code: int
    stdout: str
    stderr: str


def execute(
    runner: Runner, container: str, argv: Sequence[str], stdin: str = "", *, timeout: float = 30
) -> Execution:
    """Run a program in a running container.

    Args:
        runner: The engine that runs the container.
        container: The container's name.
        argv: Program and arguments; the program is in the container's image.
        stdin: Its standard input.
        timeout: Seconds that it may take.

    Raises:
        ProgramError: It takes longer than the timeout.
    """
    return _run(runner, ["exec", "--interactive", container, *argv], stdin, timeout)


def run_beside(  # noqa: PLR0913 - `execute` with an image
    runner: Runner, container: str, image: str, argv: Sequence[str], stdin: str = "", *, timeout: float = 30
) -> Execution:
    """Run a program of a different image in a container's network; remove its container afterwards.

    Raises:
        ProgramError: It takes longer than the timeout.
    """
    name = f"fleetform-{uuid.uuid4().hex}"
    program, *arguments = argv
    place = [f"--name={name}", f"--network=container:{container}", f"--entrypoint={program}"]
    try:
        return _run(runner, ["run", "--rm", "--interactive", *place, image, *arguments], stdin, timeout)
    except BaseException:
        subprocess.run(
            [runner.engine, "kill", name], env=dict(runner.variables), capture_output=True, check=False
        )
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
        raise ProgramError(
            f"`{' '.join(argv[:4])} ...` did not finish within {timeout:g} s; run the command again"
        ) from None
    return Execution(done.returncode, done.stdout, done.stderr)


def replace(runner: Runner, *names: str) -> None:
    """Stop containers immediately and start them again in the given order; meanwhile they are not in DNS.

    Raises:
        ProgramError: The engine fails.
    """
    read([runner.engine, "stop", "-t", "0", *names], runner.variables)
    for name in names:
        read([runner.engine, "start", name], runner.variables)


def check_health(runner: Runner, name: str) -> subprocess.Popen[bytes]:
    """Start the health check of a Podman container, which Podman does not run itself without systemd.

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
