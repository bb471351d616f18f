"""The probe through ECS Exec: a fake for the AWS CLI runs the command line here, as ECS does in a task."""

import os
import select
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError
from fleetform.catalog.models import Environment, HealthCheck, Service
from fleetform.smoke import ecs_exec
from fleetform.smoke.ecs_exec import (
    Task,
    answers,
    command,
    execute,
    probe_task,
    require_programs,
    running_task,
)
from fleetform.smoke.probe import Answer, Target
from tests.conftest import program
from tests.smoke.callees import Callees

ARN = "arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/0a1b"

# As ECS does: splits the command line, runs it on a terminal, passes nothing on of its exit code.
_AWS = f"""\
#!{sys.executable} -I
import os, pathlib, select, shlex, subprocess, sys
folder = pathlib.Path(__file__).parent
(folder / "argv").write_text("\\0".join(sys.argv[1:-1]))
trick = folder / "trick"
if trick.exists():
    exec(trick.read_text())
if not os.isatty(0) or select.select([0], [], [], 0)[0]:
    sys.exit("Cannot perform start session: EOF")
line = sys.argv[-1].removeprefix("--command=")
assert "\\n" not in line and "{{{{" not in line
done = subprocess.run(shlex.split(line), stdin=0, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
print("\\r\\nStarting session with SessionId: ecs-execute-command-0\\r\\n")
sys.stdout.write(done.stdout.decode().replace("\\n", "\\r\\n"))
print("\\r\\n\\r\\nExiting session with sessionId: ecs-execute-command-0.\\r\\n")
"""


def task(**differences: Any) -> dict[str, Any]:  # noqa: ANN401 - as ECS's API has it
    """A running task of `web` that takes commands."""
    agent = {"name": "ExecuteCommandAgent", "lastStatus": "RUNNING"}
    containers = [{"name": "proxy"}, {"name": "web", "managedAgents": [agent]}]
    fixed = {"taskArn": ARN, "lastStatus": "RUNNING", "enableExecuteCommand": True, "containers": containers}
    return fixed | differences


@dataclass
class Ecs:
    """ECS's API.

    Attributes:
        tasks: What runs.
        asked: The arguments of its calls.
    """

    tasks: list[dict[str, Any]]
    asked: list[dict[str, Any]] = field(default_factory=list)

    def list_tasks(self, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as ECS's API has it
        """As ECS's API has it."""
        self.asked.append(arguments)
        return {"taskArns": [found["taskArn"] for found in self.tasks]}

    def describe_tasks(self, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as ECS's API has it
        """As ECS's API has it."""
        self.asked.append(arguments)
        return {"tasks": self.tasks}


@dataclass(frozen=True)
class FakeAws(Access):
    """An AWS whose CLI is the only program beside those of the task's image.

    Attributes:
        folder: Where the programs are.
    """

    folder: Path = Path()

    def client(self, service: str) -> Ecs:
        """ECS."""
        assert service == "ecs"
        return Ecs([task()])

    def install(self, name: str, program: str) -> None:
        """Puts a program of this machine into the task's image."""
        (self.folder / name).symlink_to(program)

    def trick(self, code: str) -> None:
        """Makes the CLI run Python code first."""
        (self.folder / "trick").write_text(code)


@pytest.fixture
def aws(tmp_path: Path) -> FakeAws:
    """A fake."""
    (tmp_path / "aws").write_text(_AWS)
    (tmp_path / "aws").chmod(0o755)
    made = FakeAws("eu-west-1", {"PATH": str(tmp_path)}, folder=tmp_path)
    made.install("sleep", shutil.which("sleep") or "")
    return made


def environment(port: int) -> Environment:
    """`web` calls `orders`, on this machine."""
    health = HealthCheck(command=("check",), path="/it's?a=$HOME")
    services = {
        "web": Service(image="x", calls=("orders",)),
        "orders": Service(image="x", port=port, health_check=health),
    }
    fixed = {"name": "dev", "application": "shop", "account": "123456789012", "region": "eu-west-1"}
    return Environment(**{"zones": ("eu-west-1a", "eu-west-1b"), "services": services, **fixed})


def timeless(found: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Answers without what differs."""
    return tuple(replace(answer, milliseconds=0) for answer in found)


def answer(callee: str, *, connected: bool = False, status: int | None = None, error: str = "") -> Answer:
    resolved = () if error == "DNS: no address" else ("127.0.0.1",)
    return Answer(callee, resolved, connected, status, error, 0)


TOOLS = ("python3", "curl", "wget", "nc", "bash")


def available(tool: str) -> str:
    """The path of a tool."""
    return sys.executable if tool == "python3" else program(tool)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_reports_the_same(aws: FakeAws, callees: Callees, tool: str) -> None:
    targets = [
        Target("well", "127.0.0.1", (), callees.http, "/it's?a=$HOME"),
        Target("bad", "127.0.0.1", (), callees.http, "/bad"),
        Target("elsewhere", "127.0.0.1", (), callees.http, "/elsewhere"),
        Target("there", "127.0.0.1", (), callees.http),
        Target("silent", "127.0.0.1", (), callees.silent),
        Target("hole", "127.0.0.1", (), callees.hole, "/"),
        Target("closed", "127.0.0.1", (), callees.closed, "/"),
        Target("nobody", "n" * 64, (), 80, "/"),
    ]
    aws.install(tool, available(tool))
    argv = shlex.split(command(targets))
    done = subprocess.run(
        argv, capture_output=True, check=True, env=dict(aws.variables), stdin=subprocess.DEVNULL
    )
    found = [replace(one, resolved=()) for one in timeless(answers(targets, done.stdout.decode()))]
    assert found == [
        replace(one, resolved=())
        for one in (
            answer("well", connected=True, status=200),
            answer("bad", connected=True, status=500),
            answer("elsewhere", connected=True, status=302),
            answer("there", connected=True),
            answer("silent", connected=True),
            answer("hole", error="timed out"),
            answer("closed", error="connection refused"),
            answer("nobody", error="DNS: no address"),
        )
    ]


def test_a_task_of_the_caller_tries_its_pairs(
    aws: FakeAws, callees: Callees, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names are those of this machine's; the task has curl alone."""
    monkeypatch.setattr("fleetform.topology.dns_name", lambda *_: "127.0.0.1")
    aws.install("curl", available("curl"))
    found = probe_task(environment(callees.http), aws, "web")
    assert found == (answer("orders", connected=True, status=200),)
    assert (aws.folder / "argv").read_text().split("\0") == [
        "ecs",
        "execute-command",
        "--region=eu-west-1",
        "--cluster=shop-dev",
        f"--task={ARN}",
        "--container=web",
        "--interactive",
    ]


def test_a_caller_without_pairs_calls_nothing(aws: FakeAws) -> None:
    assert probe_task(environment(80), aws, "orders") == ()


def test_the_command_line_is_one_argument() -> None:
    assert (
        execute(Task("shop-dev", ARN, "web"), "eu-west-1", "/bin/sh -c 'a b'")[-1]
        == "--command=/bin/sh -c 'a b'"
    )


PLUGIN = (
    "the AWS CLI needs its Session Manager plugin, https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html"
)
NOT_ENABLED = (
    "ECS Exec is not enabled for web; set `enable_execute_command` of its ECS service, allow its task role"
    " to use"
    " `ssmmessages`, and start new tasks"
)
NO_AGENT = (
    "the ECS Exec agent of web is not running; allow its task role to use `ssmmessages`, and give its tasks a"
    " route to that endpoint"
)
CALL = "An error occurred (%s) when calling the ExecuteCommand operation: The execute command failed because "


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("SessionManagerPlugin is not found. Please refer to SessionManager Documentation here:", PLUGIN),
        (
            CALL % "InvalidParameterException" + "execute command was not enabled when the task was run",
            NOT_ENABLED,
        ),
        (CALL % "TargetNotConnectedException" + "of an internal error.", NO_AGENT),
        (
            CALL % "AccessDeniedException" + "you may not.",
            "the AWS credentials may not use ECS Exec; allow `ecs:ExecuteCommand`",
        ),
        ("Unable to locate credentials.", "the AWS credentials are missing or have expired; get new ones"),
        ("something else", "`aws ecs execute-command` ended with exit code 1"),
    ],
)
def test_what_the_cli_complains_of_is_explained(aws: FakeAws, said: str, message: str) -> None:
    aws.trick(f"sys.exit({said!r})")
    with pytest.raises(ProgramError) as refused:
        probe_task(environment(80), aws, "web")
    assert str(refused.value) == f"web: {message}"
    assert refused.value.output == said


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            'exec: "/bin/sh": stat /bin/sh: no such file or directory',
            "web: the image of web has no /bin/sh, which the probe needs",
        ),
        ("hello", "web: the probe of 1 targets did not print an answer for each; run the command again"),
    ],
)
def test_a_session_without_an_answer_is_explained(aws: FakeAws, said: str, message: str) -> None:
    aws.trick(f"print({said!r}); sys.exit()")
    with pytest.raises(ProgramError) as refused:
        probe_task(environment(80), aws, "web")
    assert str(refused.value) == message


def test_an_image_without_any_tool_is_reported(aws: FakeAws) -> None:
    with pytest.raises(ProgramError) as refused:
        probe_task(environment(80), aws, "web")
    assert str(refused.value) == (
        "web: its image has none of python3, curl, wget, nc and bash; the probe needs one of them"
    )


def test_a_session_that_does_not_end_is_ended(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that it started."""
    monkeypatch.setattr(ecs_exec, "TIMEOUT", 3.0)
    sleep = shutil.which("sleep")
    aws.trick(
        f"child = subprocess.Popen([{sleep!r}, '600']); (folder / 'child').write_text(str(child.pid));"
        " child.wait()"
    )
    with pytest.raises(ProgramError) as refused:
        probe_task(environment(80), aws, "web")
    assert str(refused.value) == "web: ECS Exec did not finish within 3 s; run the command again"
    assert _ends(int((aws.folder / "child").read_text()))


def _ends(pid: int) -> bool:
    """Whether a process is gone, or goes within some seconds."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 10)[0])
    finally:
        os.close(process)


def test_a_running_task_is_found() -> None:
    ecs = Ecs(
        [task(taskArn=f"{ARN}c"), task(taskArn=f"{ARN}b"), task(taskArn=f"{ARN}a", lastStatus="PENDING")]
    )
    assert running_task(ecs, "shop-dev", "web", "shop-dev-web") == Task("shop-dev", f"{ARN}b", "web")
    assert ecs.asked == [
        {"cluster": "shop-dev", "serviceName": "shop-dev-web", "desiredStatus": "RUNNING"},
        {"cluster": "shop-dev", "tasks": [f"{ARN}c", f"{ARN}b", f"{ARN}a"]},
    ]


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([], "no task of web is running; check the events of its ECS service"),
        ([task(lastStatus="PENDING")], "no task of web is running; check the events of its ECS service"),
        ([task(enableExecuteCommand=False)], NOT_ENABLED),
        ([task(containers=[{"name": "web"}])], NO_AGENT),
    ],
)
def test_a_task_that_takes_no_commands_is_reported(tasks: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ProgramError) as refused:
        running_task(Ecs(tasks), "shop-dev", "web", "shop-dev-web")
    assert str(refused.value) == message


def test_an_api_that_refuses_is_reported() -> None:
    class Refusing(Ecs):
        def list_tasks(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401 - as ECS's API has it
            raise ClientError({"Error": {"Code": "ClusterNotFoundException", "Message": "none"}}, "ListTasks")

    with pytest.raises(ProgramError) as refused:
        running_task(Refusing([]), "shop-dev", "web", "shop-dev-web")
    assert str(refused.value) == (
        "cannot find the tasks of web: An error occurred (ClusterNotFoundException) when calling the"
        " ListTasks"
        " operation: none; check that it is applied, and check the AWS credentials"
    )


def test_missing_programs_are_reported_together(tmp_path: Path) -> None:
    with pytest.raises(ProgramError) as refused:
        require_programs({"PATH": str(tmp_path)})
    assert str(refused.value) == (
        "ECS Exec needs aws and session-manager-plugin, not found on PATH; install the AWS CLI,"
        " https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html; install its Session"
        f" Manager plugin,{PLUGIN.partition(',')[2]}"
    )


def test_programs_that_are_there_are_enough(aws: FakeAws) -> None:
    aws.install("session-manager-plugin", sys.executable)
    require_programs(aws.variables)


RECORDED = {
    "openbsd": (
        (
            "0 nc 0 127.0.0.1 localhost | Connection to localhost (127.0.0.1) 80 port [tcp/*] succeeded!"
            " HTTP/1.0 200 OK"
        ),
        answer("x", connected=True, status=200),
    ),
    "openbsd, refused": (
        "0 nc 1 | nc: connect to 127.0.0.1 port 1 (tcp) failed: Connection refused",
        answer("x", error="connection refused"),
    ),
    "openbsd, vanishes": (
        "0 nc 1 | nc: connect to 127.0.0.1 port 1 (tcp) timed out: Operation now in progress",
        answer("x", error="timed out"),
    ),
    "openbsd, no name": (
        '0 nc 1 | nc: getaddrinfo for host "x" port 80: Name or service not known',
        answer("x", error="DNS: no address"),
    ),
    "traditional, waits": (
        "0 nc 137 | localhost [127.0.0.1] 80 (?) open",
        answer("x", connected=True, error="HTTP: no answer"),
    ),
    "busybox": (
        "0 bbnc 1 | nc: can't connect to remote host (127.0.0.1): Connection refused",
        answer("x", error="connection refused"),
    ),
    "busybox, waits": ("0 bbnc 137 127.0.0.1 x |", answer("x", connected=True, error="HTTP: no answer")),
    "busybox's wget": (
        "0 bbwget 0 | Connecting to localhost:80 (127.0.0.1:80) saving to '/dev/null' '/dev/null' saved",
        answer("x", connected=True, status=200),
    ),
    "busybox's wget, not well": (
        "0 bbwget 1 | Connecting to x:80 (127.0.0.1:80) wget: server returned error: HTTP/1.0 500 Internal",
        answer("x", connected=True, status=500),
    ),
    "busybox's wget, no name": (
        "0 bbwget 1 | wget: bad address 'x:80'",
        answer("x", error="DNS: no address"),
    ),
    "killed": ("0 curl 137 127.0.0.1 x |", answer("x", error="timed out")),
    "crashed": ("0 curl 139 127.0.0.1 x |", answer("x", error="curl ended with exit code 139")),
}


@pytest.mark.parametrize(("line", "meant"), RECORDED.values(), ids=RECORDED)
def test_the_output_of_a_tool_is_understood(line: str, meant: Answer) -> None:
    assert answers([Target("x", "x", (), 80, "/")], f"before\r\nfleetform-sh {line}\r\nafter") == (meant,)
