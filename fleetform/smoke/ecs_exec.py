"""The probe inside tasks on AWS, through ECS Exec: `aws ecs execute-command` and the Session Manager plugin.

ECS Exec knows neither standard input nor exit codes, and its output is that of a terminal. Images rarely have Python:
the probe is a POSIX shell script, which uses what it finds.
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
"""Seconds that a session may take, with its beginning."""

_SCRIPT = Path(__file__).with_name("probe.sh")
_PROGRAMS = {
    "aws": "the AWS CLI, https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "session-manager-plugin": (
        "its plugin for sessions, "
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
    ),
}
_AGENT = "ExecuteCommandAgent"
_NOT_ENABLED = (
    "ECS Exec is not enabled for {what}; set `enable_execute_command` of its ECS service, let its task role use"
    " `ssmmessages`, and start new tasks"
)
_NO_AGENT = (
    "the ECS Exec agent of {what} does not run; its task role has to be allowed `ssmmessages`, and its tasks need a way"
    " to that endpoint"
)
# What the AWS CLI, its plugin and ECS say, and what it means.
_CAUSES = (
    (r"SessionManagerPlugin is not found", f"the AWS CLI needs {_PROGRAMS['session-manager-plugin']}"),
    (r"execute command was not enabled", _NOT_ENABLED),
    (r"TargetNotConnectedException", _NO_AGENT),
    (r"AccessDenied|UnauthorizedOperation", "the AWS credentials may not use ECS Exec: allow `ecs:ExecuteCommand`"),
    (r"ExpiredToken|Unable to locate credentials", "the AWS credentials are missing or have expired; get new ones"),
    (r"/bin/sh.{0,60}no such file", "the image of {what} has no /bin/sh, which the probe needs"),
)


@dataclass(frozen=True)
class Task:
    """A running task that takes commands.

    Attributes:
        cluster: The ECS cluster.
        arn: The task's ARN.
        container: The container that is asked.
    """

    cluster: str
    arn: str
    container: str


def require_programs(variables: Mapping[str, str]) -> None:
    """Makes sure that the AWS CLI and its plugin are there.

    Raises:
        ProgramError: One is missing.
    """
    missing = [name for name in _PROGRAMS if shutil.which(name, path=variables.get("PATH", os.defpath)) is None]
    if missing:
        remedies = "; ".join(f"install {_PROGRAMS[name]}" for name in missing)
        raise ProgramError(f"ECS Exec needs {' and '.join(missing)}, which PATH does not have: {remedies}")


def probe_task(environment: Environment, access: Access, caller: str) -> tuple[Answer, ...]:
    """Lets a task of a service try every pair of which it is the caller.

    Raises:
        ProgramError: No task runs, ECS Exec does not work for it, or what it printed is no answer.
    """
    asked = targets(environment, caller)
    if not asked:
        return ()
    task = running_task(access.client("ecs"), environment.prefix, caller, environment.full_name(caller))
    output = _run(execute(task, access.region, command(asked)), access.variables, caller)
    try:
        return answers(asked, output)
    except ProgramError as error:
        raise ProgramError(f"{caller}: {_explain(output, caller) or error}", error.output) from None


def running_task(ecs: Any, cluster: str, service: str, full_name: str) -> Task:  # noqa: ANN401 - made at run time
    """Finds a task of a service that runs and takes commands.

    Args:
        ecs: ECS's client.
        cluster: The cluster's name.
        service: The service.
        full_name: The ECS service's name.

    Raises:
        ProgramError: There is none, or ECS does not answer.
    """
    try:
        found = ecs.list_tasks(cluster=cluster, serviceName=full_name, desiredStatus="RUNNING")["taskArns"]
        described = ecs.describe_tasks(cluster=cluster, tasks=found)["tasks"] if found else []
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(f"tasks of {service}: {error}; is it applied, and are the credentials right?") from None
    running = [task for task in described if task["lastStatus"] == "RUNNING"]
    enabled = [task for task in running if task.get("enableExecuteCommand")]
    ready = sorted(task["taskArn"] for task in enabled if _agent_runs(task, service))
    if ready:
        return Task(cluster, ready[0], service)
    if not running:
        raise ProgramError(f"no task of {service} runs; look at its ECS service's events")
    raise ProgramError((_NO_AGENT if enabled else _NOT_ENABLED).format(what=service))


def _agent_runs(task: Mapping[str, Any], container: str) -> bool:
    return any(
        agent.get("name") == _AGENT and agent.get("lastStatus") == "RUNNING"
        for found in task["containers"]
        if found["name"] == container
        for agent in found.get("managedAgents", [])
    )


def execute(task: Task, region: str, line: str) -> list[str]:
    """The AWS CLI's arguments that run a command line in a task."""
    where = [f"--region={region}", f"--cluster={task.cluster}", f"--task={task.arn}", f"--container={task.container}"]
    return ["aws", "ecs", "execute-command", *where, "--interactive", f"--command={line}"]


def command(asked: Sequence[Target]) -> str:
    """The probe as one command line: ECS splits it at spaces outside quotes, as a shell does."""
    question = probe.probe_request(asked)
    lines = (line.strip() for line in _SCRIPT.read_text(encoding="utf-8").splitlines())
    script = " ".join(line for line in lines if not line.startswith("#"))
    packed = base64.b64encode(zlib.compress(question.argv[-1].encode(), 9)).decode()
    python = f'import base64,zlib;exec(zlib.decompress(base64.b64decode("{packed}")))'
    ways = [word for target in asked for word in (target.host or "", str(target.port), target.path or "")]
    return shlex.join(["/bin/sh", "-c", script, "sh", python, question.stdin, *ways])


def _run(argv: list[str], variables: Mapping[str, str], caller: str) -> str:
    """Runs the AWS CLI; returns all that it printed."""
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
            os.killpg(process.pid, signal.SIGKILL)  # the plugin is a child of the CLI's
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ProgramError(f"{caller}: ECS Exec did not end in {TIMEOUT:.0f} s; run it again") from None
            raise
    if process.returncode:
        cause = _explain(output, caller) or f"`aws ecs execute-command` ended with exit code {process.returncode}"
        raise ProgramError(f"{caller}: {cause}", sanitize(output))
    return output


@contextlib.contextmanager
def _without_echo() -> Iterator[int]:
    """A terminal on which nobody types: at the end of its input the plugin would end the session."""
    ours, theirs = pty.openpty()
    try:
        yield theirs
    finally:
        os.close(ours)
        os.close(theirs)


def _explain(output: str, caller: str) -> str | None:
    found = (meaning for pattern, meaning in _CAUSES if re.search(pattern, output))
    return next((meaning.format(what=caller) for meaning in found), None)


def answers(asked: Sequence[Target], output: str) -> tuple[Answer, ...]:
    """Reads what the probe printed, whatever it used.

    Raises:
        ProgramError: That is no answer to the targets.
    """
    if MARK in output:
        return probe.answers(asked, output)
    said = {int(found["number"]): found for found in _LINE.finditer(output)}
    if any(found["tool"] == "none" for found in said.values()):
        raise ProgramError("its image has none of python3, curl, wget, nc and bash, of which the probe needs one")
    if said.keys() != set(range(len(asked))):
        raise probe.invalid_output(len(asked), output)
    return tuple(_answer(target, said[number]) for number, target in enumerate(asked))


_LINE = re.compile(
    r"fleetform-sh (?P<number>[0-9]{1,4}) (?P<tool>[a-z]{1,9}) (?P<code>[0-9]{1,3}) (?P<found>[^|\n]*)\| ?(?P<said>.*)"
)
_ADDRESS = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])")
_STATUS = re.compile(r"HTTP/[0-9.]{1,3} ([1-9][0-9]{2})\b")
_CONNECTED = re.compile(r"\bconnected\b|[Cc]onnect(?:ed|ion) to |succeeded!|\) open\b")
_WHERE_ADDRESSES_ARE = 300
# What the tools say, in our words; the first that fits.
_ERRORS = (
    (r"Connection refused", REFUSED),
    (r"[Tt]emporary failure in name|Try again", "DNS: no answer"),
    (r"bad address|not known|[Uu]nknown host|not resolve|resolve host|No address associated", "DNS: no address"),
    (r"unreachable|No route", "network is unreachable"),
    (r"timed? ?out|Operation now in progress", "timed out"),
)
_KILLED = 128 + signal.SIGKILL


def _answer(target: Target, found: re.Match[str]) -> Answer:
    """What a tool's words and exit code mean."""
    code, said = int(found["code"]), found["said"]
    known = next((error for pattern, error in _ERRORS if re.search(pattern, said)), "")
    error = known or ("timed out" if code == _KILLED else f"{found['tool']} ended with exit code {code}")
    statuses = [int(status) for status in _STATUS.findall(said)]
    # BusyBox's wget shows the status of what it does not like alone; its nc limits the time of the connecting alone.
    status = statuses[0] if statuses else 200 if (found["tool"], code) == ("bbwget", 0) else None
    waits = (found["tool"], code) == ("bbnc", _KILLED)
    connected = code == 0 or waits or status is not None or bool(_CONNECTED.search(said))
    if connected:
        error = "" if status is not None or target.path is None else "HTTP: " + (known or "no answer")
    addresses = _ADDRESS.findall(found["found"] or said[:_WHERE_ADDRESSES_ARE])
    return Answer(
        target.callee,
        tuple(sorted(set(addresses))),
        connected,
        status if target.path is not None else None,
        error,
        0,
    )
