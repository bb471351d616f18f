import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fleetform.aws.clients import Access
from fleetform.base.errors import InputError, ProgramError
from fleetform.emulator import Emulator, environment, start, status, stop


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with the emulator."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.communicate()


def write_record(folder: Path, url: str, pid: int) -> None:
    record = {"url": url, "pid": pid, "account": "123456789012", "token": "of an earlier run"}
    (folder / "emulator.json").write_text(json.dumps(record), encoding="utf-8")


def listens(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname, address.port)) == 0


def test_starts_yield_one_emulator_even_at_the_same_time(folder: Path) -> None:
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: start(folder, port=0), range(2))
    assert first == second == status(folder)


def test_another_port_is_used_if_the_preferred_one_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        emulator = start(folder, port=port)
    assert urlsplit(emulator.url).hostname == "127.0.0.1"
    assert urlsplit(emulator.url).port != port


def test_the_emulator_has_its_own_session(emulator: Emulator) -> None:
    """Ctrl-C in the terminal that started it does not reach it."""
    assert os.getsid(emulator.pid) == emulator.pid != os.getsid(0)


def test_stop_ends_the_process_and_leaves_only_the_log(folder: Path) -> None:
    emulator = start(folder, port=0)
    assert stop(folder)
    assert not listens(emulator.url)
    assert status(folder) is None
    assert [path.name for path in folder.iterdir()] == ["emulator.log"]


def test_an_interrupt_ends_the_server_at_once_and_quietly(folder: Path) -> None:
    argv = [sys.executable, "-m", "fleetform.emulator.server", "--folder", str(folder), "--port", "0"]
    with subprocess.Popen(
        argv, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        assert server.stdout.readline() == b"ready\n"
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == -signal.SIGINT
        assert server.stderr.read() == b""


def test_stop_kills_an_emulator_that_ignores_sigterm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake answers as the real one does, and survives SIGTERM."""
    monkeypatch.setattr("fleetform.base.daemons._STOP_SECONDS", 0.2)
    script = """
import http.server, json, os, pathlib, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
health = {"pid": os.getpid(), "token": "t"}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(health).encode())
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
record = {"url": f"http://127.0.0.1:{server.server_port}", "account": "123456789012", **health}
pathlib.Path(sys.argv[1]).write_text(json.dumps(record))
print("ready", flush=True)
server.serve_forever()
"""
    argv = [sys.executable, "-c", script, str(folder / "emulator.json")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert stop(folder)
        assert process.wait(timeout=60) == -signal.SIGKILL


def test_stop_without_an_emulator_does_nothing(folder: Path) -> None:
    assert not stop(folder)
    assert not stop(folder / "never made")


def test_a_stale_record_is_not_an_emulator(folder: Path) -> None:
    write_record(folder, "http://127.0.0.1:9", pid=1)
    assert status(folder) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "http://127.0.0.1:9"}'])
def test_a_broken_record_is_not_an_emulator(folder: Path, text: str) -> None:
    (folder / "emulator.json").write_text(text, encoding="utf-8")
    assert status(folder) is None


def test_a_foreign_process_is_not_killed(folder: Path, bystander: subprocess.Popen[bytes]) -> None:
    write_record(folder, "http://127.0.0.1:9", bystander.pid)
    assert not stop(folder)
    assert bystander.poll() is None
    assert list(folder.iterdir()) == []


def test_an_emulator_of_another_folder_is_not_ours(folder: Path, emulator: Emulator) -> None:
    write_record(folder, emulator.url, emulator.pid)
    assert not stop(folder)
    assert listens(emulator.url)


def test_a_server_that_dies_is_reported_with_its_log(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    (folder / "moto.py").write_text("raise ImportError('a broken moto')", encoding="utf-8")
    with pytest.raises(
        ProgramError, match=r"(?s)^the emulator did not start; .*\nImportError: a broken moto$"
    ) as caught:
        start(folder)
    assert caught.value.exit_code == 3


def test_programs_reach_nothing_but_the_emulator() -> None:
    base = {
        "AWS_CA_BUNDLE": "/ca.pem",
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "HTTPS_PROXY": "http://proxy",
        "NO_PROXY": "intranet,localhost",
        "PATH": "/bin",
    }
    assert environment(Emulator(url="http://127.0.0.1:5566", pid=1, account="123456789012"), base) == {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CA_BUNDLE": "/ca.pem",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:5566",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "HTTPS_PROXY": "http://proxy",
        "NO_PROXY": "intranet,localhost,127.0.0.1",
        "PATH": "/bin",
        "no_proxy": "127.0.0.1,localhost",
    }


def test_the_callers_side_does_not_import_moto() -> None:
    """Every command pays for what ``fleetform.emulator`` imports."""
    code = "import sys, fleetform.emulator; raise SystemExit('moto' in sys.modules or 'boto3' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode
        == 0
    )


def test_it_answers_as_the_account_that_it_was_started_for(folder: Path) -> None:
    emulator = start(folder, port=0, account="210987654321")
    try:
        sts = Access("eu-west-1", environment(emulator, {})).client("sts")
        assert emulator.account == "210987654321"
        assert sts.get_caller_identity()["Account"] == "210987654321"
    finally:
        stop(folder)


def test_one_that_runs_for_another_account_is_left_alone(folder: Path) -> None:
    emulator = start(folder, port=0)
    try:
        with pytest.raises(InputError) as refused:
            start(folder, account="210987654321")
        assert str(refused.value) == (
            f"the emulator at {emulator.url} answers as account 123456789012, not 210987654321; "
            "run `invoke emulator.stop`, which also discards all that was applied to it"
        )
        assert status(folder) == emulator
    finally:
        stop(folder)
