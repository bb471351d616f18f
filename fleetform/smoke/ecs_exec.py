"""Runs the probe inside tasks on AWS with ECS Exec: `aws ecs execute-command` and the Session Manager plugin.

ECS Exec has neither standard input nor exit codes, and its output is a terminal's. Images rarely have Python,
so the probe is a POSIX shell script that uses the tools that it finds.
"""

import base64
import contextlib
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError
from fleetform.catalog.models import Environment
from fleetform.smoke import probe
from fleetform.smoke.matrix import targets
from fleetform.smoke.probe import REFUSED, Answer, Target, sanitize
from fleetform.smoke.script import MARK

TIMEOUT = 120.0
"""Seconds that a session may take, including its start."""

_SCRIPT = Path(__file__).with_name("probe.sh")
_PROGRAMS = {
    "aws": "the AWS CLI, https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "session-manager-plugin": (
        "its Session Manager plugin, "
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
    ),
}
_AGENT = "ExecuteCommandAgent"
_NOT_ENABLED = (
    "ECS Exec is not enabled for {service}; set `enable_execute_command` of its ECS service, allow its task"
    " role to use"
    " `ssmmessages`, and start new tasks"
)
_NO_AGENT = (
    "the ECS Exec agent of {service} is not running; allow its task role to use `ssmmessages`, and give its"
    " tasks a"
    " route to that endpoint"
)
# Error messages of the AWS CLI, its plugin and ECS, with explanations.
_CAUSES = (
    (r"SessionManagerPlugin is not found", f"the AWS CLI needs {_PROGRAMS['session-manager-plugin']}"),
    (r"execute command was not enabled", _NOT_ENABLED),
    (r"TargetNotConnectedException", _NO_AGENT),
    (
        r"AccessDenied|UnauthorizedOperation",
        "the AWS credentials may not use ECS Exec; allow `ecs:ExecuteCommand`",
    ),
    (
        r"ExpiredToken|Unable to locate credentials",
        "the AWS credentials are missing or have expired; get new ones",
    ),
    (r"/bin/sh.{0,60}no such file", "the image of {service} has no /bin/sh, which the probe needs"),
)


@dataclass(frozen=True)
class Task:
    """A running task that accepts commands.

    Attributes:
        cluster: The ECS cluster.
        arn: The task's ARN.
        container: The container that runs the probe.
    """

    cluster: str
    arn: str
    container: str


def require_programs(variables: Mapping[str, str]) -> None:
    """Make sure that the AWS CLI and its plugin are installed.

    Raises:
        ProgramError: One is missing.
    """
    missing = [
        name for name in _PROGRAMS if shutil.which(name, path=variables.get("PATH", os.defpath)) is None
    ]
    if missing:
        remedies = "; ".join(f"install {_PROGRAMS[name]}" for name in missing)
        raise ProgramError(f"ECS Exec needs {' and '.join(missing)}, not found on PATH; {remedies}")


def probe_task(environment: Environment, access: Access, caller: str) -> tuple[Answer, ...]:
    """Test every pair of a caller from inside one of its tasks.

    Raises:
        ProgramError: No task is running, ECS Exec does not work for it, or its output is not valid.
    """
    callees = targets(environment, caller)
    if not callees:
        return ()
    task = running_task(access.client("ecs"), environment.prefix, caller, environment.full_name(caller))
    output = _run(execute(task, access.region, command(callees)), access.variables, caller)
    try:
        return answers(callees, output)
    except ProgramError as error:
        raise ProgramError(f"{caller}: {_explain(output, caller) or error}", error.output) from None


def running_task(ecs: Any, cluster: str, service: str, full_name: str) -> Task:  # noqa: ANN401 - made at run time
    """Find a running task of a service that accepts commands.

    Args:
        ecs: The ECS client.
        cluster: The cluster's name.
        service: The service.
        full_name: The ECS service's name.

    Raises:
        ProgramError: There is none, or the request to ECS fails.
    """
    try:
        arns = ecs.list_tasks(cluster=cluster, serviceName=full_name, desiredStatus="RUNNING")["taskArns"]
        tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    except (BotoCoreError, ClientError) as error:
        message = f"cannot find the tasks of {service}: {error}"
        raise ProgramError(f"{message}; check that it is applied, and check the AWS credentials") from None
    running = [task for task in tasks if task["lastStatus"] == "RUNNING"]
    enabled = [task for task in running if task.get("enableExecuteCommand")]
    ready = sorted(task["taskArn"] for task in enabled if _agent_runs(task, service))
    if ready:
        return Task(cluster, ready[0], service)
    if not running:
        raise ProgramError(f"no task of {service} is running; check the events of its ECS service")
    raise ProgramError((_NO_AGENT if enabled else _NOT_ENABLED).format(service=service))


def _agent_runs(task: Mapping[str, Any], container: str) -> bool:
    return any(
        agent.get("name") == _AGENT and agent.get("lastStatus") == "RUNNING"
        for each in task["containers"]
        if each["name"] == container
        for agent in each.get("managedAgents", [])
    )


def execute(task: Task, region: str, line: str) -> list[str]:
    """Return the AWS CLI command that runs a command line in a task."""
    place = [
        f"--region={region}",
        f"--cluster={task.cluster}",
        f"--task={task.arn}",
        f"--container={task.container}",
    ]
    return ["aws", "ecs", "execute-command", *place, "--interactive", f"--command={line}"]


def command(callees: Sequence[Target]) -> str:
    """Return the probe as one command line, which ECS splits at unquoted spaces, as a shell does."""
    request = probe.probe_request(callees)
    lines = (line.strip() for line in _SCRIPT.read_text(encoding="utf-8").splitlines())
    script = " ".join(line for line in lines if not line.startswith("#"))
    packed = base64.b64encode(zlib.compress(request.argv[-1].encode(), 9)).decode()
    python = f'import base64,zlib;exec(zlib.decompress(base64.b64decode("{packed}")))'
    arguments = [
        word for target in callees for word in (target.host or "", str(target.port), target.path or "")
    ]
    return shlex.join(["/bin/sh", "-c", script, "sh", python, request.stdin, *arguments])


def _run(argv: list[str], variables: Mapping[str, str], caller: str) -> str:
    """Run the AWS CLI and return its output."""
    with _without_echo() as terminal:
        try:
            process = subprocess.Popen(
                argv,
                env={**variables, "AWS_PAGER": ""},
                stdin=terminal,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramError(f"cannot run {argv[0]}: {error.strerror}; check the installation") from None
        try:
            output = process.communicate(timeout=TIMEOUT)[0].decode(errors="replace")
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # with the plugin, which is a child of the CLI
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ProgramError(
                    f"{caller}: ECS Exec did not finish within {TIMEOUT:.0f} s; run the command again"
                ) from None
            raise
    if process.returncode:
        cause = (
            _explain(output, caller) or f"`aws ecs execute-command` ended with exit code {process.returncode}"
        )
        raise ProgramError(f"{caller}: {cause}", sanitize(output))
    return output


@contextlib.contextmanager
def _without_echo() -> Iterator[int]:
    """Open a terminal without input, as the plugin ends the session at the end of its input."""
    ours, theirs = pty.openpty()
    try:
        yield theirs
    finally:
        os.close(ours)
        os.close(theirs)


def _explain(output: str, caller: str) -> str | None:
    meanings = (meaning for pattern, meaning in _CAUSES if re.search(pattern, output))
    return next((meaning.format(service=caller) for meaning in meanings), None)


def answers(callees: Sequence[Target], output: str) -> tuple[Answer, ...]:
    """Parse the output of the probe, whichever tool it used.

    Raises:
        ProgramError: The output does not have an answer for each target.
    """
    if MARK in output:
        return probe.answers(callees, output)
    lines = {int(match["number"]): match for match in _LINE.finditer(output)}
    if any(match["tool"] == "none" for match in lines.values()):
        raise ProgramError(
            "its image has none of python3, curl, wget, nc and bash; the probe needs one of them"
        )
    if lines.keys() != set(range(len(callees))):
        raise probe.invalid_output(len(callees), output)
    return tuple(_answer(target, lines[number]) for number, target in enumerate(callees))


_LINE = re.compile(
    r"fleetform-sh (?P<number>[0-9]{1,4}) (?P<tool>[a-z]{1,9}) (?P<code>[0-9]{1,3})"
    r" (?P<addresses>[^|\n]*)\| ?(?P<output>.*)"
)
_ADDRESS = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])")
_STATUS = re.compile(r"HTTP/[0-9.]{1,3} ([1-9][0-9]{2})\b")
_CONNECTED = re.compile(r"\bconnected\b|[Cc]onnect(?:ed|ion) to |succeeded!|\) open\b")
_WHERE_ADDRESSES_ARE = 300
# Error messages of the tools, and the probe's words for them; the first match counts.
_ERRORS = (
    (r"Connection refused", REFUSED),
    (r"[Tt]emporary failure in name|Try again", "DNS: no answer"),
    (
        r"bad address|not known|[Uu]nknown host|not resolve|resolve host|No address associated",
        "DNS: no address",
    ),
    (r"unreachable|No route", "network is unreachable"),
    (r"timed? ?out|Operation now in progress", "timed out"),
)
_KILLED = 128 + signal.SIGKILL


def _answer(target: Target, line: re.Match[str]) -> Answer:
    """Return the answer that a tool's output and exit code mean."""
    code, output = int(line["code"]), line["output"]
    message = next((error for pattern, error in _ERRORS if re.search(pattern, output)), "")
    error = message or ("timed out" if code == _KILLED else f"{line['tool']} ended with exit code {code}")
    statuses = [int(status) for status in _STATUS.findall(output)]
    # BusyBox's wget prints only statuses that are errors; its nc has a timeout only for connecting.
    status = statuses[0] if statuses else 200 if (line["tool"], code) == ("bbwget", 0) else None
    waits = (line["tool"], code) == ("bbnc", _KILLED)
    connected = code == 0 or waits or status is not None or bool(_CONNECTED.search(output))
    if connected:
        error = "" if status is not None or target.path is None else "HTTP: " + (message or "no answer")
    addresses = _ADDRESS.findall(line["addresses"] or output[:_WHERE_ADDRESSES_ARE])
    return Answer(
        target.callee,
        tuple(sorted(set(addresses))),
        connected,
        status if target.path is not None else None,
        error,
        0,
    )
