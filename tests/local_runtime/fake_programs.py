"""Fakes for Docker, Podman and Compose: small scripts, alone on PATH, that note how they are called."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = "shop-local"
IMAGE = "localhost/shop-local-web:1"

# Notes its call, and what it reads if that is asked for; then does what the longest answer that its words
# begin with says, or nothing. As `podman system service` it serves an API that answers every request.
_SCRIPT = f"""\
#!{sys.executable} -I
import json, os, pathlib, socket, sys
folder = pathlib.Path(__file__).parent
words = [pathlib.Path(__file__).name, *sys.argv[1:]]
with (folder / "calls").open("a") as calls:
    print(json.dumps(words), file=calls)
fits = [file for file in (folder / "answers").iterdir() if words[:len(begin := file.name.split())] == begin]
if fits:
    exec(max(fits, key=lambda file: len(file.name)).read_text())
elif words[:3] == ["podman", "system", "service"]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(words[-1].removeprefix("unix://"))
        server.listen()
        while True:
            client = server.accept()[0]
            with client:
                if client.recv(1024):
                    client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nOK")
"""


@dataclass(frozen=True)
class FakePrograms:
    """Programs in a folder.

    Attributes:
        folder: Where they are.
    """

    folder: Path

    def install(self, *names: str) -> None:
        """Makes programs."""
        for name in names:
            (self.folder / name).write_text(_SCRIPT, encoding="utf-8")
            (self.folder / name).chmod(0o755)

    def answer(self, call: str, code: str) -> None:
        """Makes a call that begins so run Python code."""
        (self.folder / "answers" / call).write_text(code, encoding="utf-8")

    def say(self, call: str, text: str) -> None:
        """Makes a call that begins so print a text."""
        self.answer(call, f"print({text!r})")

    def have(self, engine: str, *facts: dict[str, Any]) -> None:
        """Gives an engine containers, as `inspect` tells them."""
        self.say(f"{engine} container ls", "\n".join(f"id{number}" for number, _ in enumerate(facts)))
        self.say(f"{engine} container inspect", json.dumps(facts))

    def calls(self) -> list[list[str]]:
        """All calls so far."""
        file = self.folder / "calls"
        return (
            [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            if file.exists()
            else []
        )

    def forget(self) -> None:
        """Forgets the calls."""
        (self.folder / "calls").unlink(missing_ok=True)


def make(folder: Path) -> FakePrograms:
    """An empty folder of programs."""
    (folder / "answers").mkdir(parents=True)
    return FakePrograms(folder)


def facts(
    key: str, *, health: str = "", restart: str = "always", started: str = "2026-01-02T03:04:05Z"
) -> dict[str, Any]:
    """What `inspect` says of a container, as far as it is read.

    Args:
        key: Service, task and, for another than the first, the container: `web-1`, `web-1-proxy`.
        health: Its health; empty for one without a check.
        restart: Its restart policy.
        started: When it was started.
    """
    service, task, *container = key.split("-")
    state: dict[str, Any] = {"Status": "running", "StartedAt": started}
    return {
        "Name": f"/{PROJECT}-{key}",
        "State": state | ({"Health": {"Status": health}} if health else {}),
        "Config": {
            "Image": IMAGE,
            "Labels": {
                "fleetform.environment": PROJECT,
                "fleetform.service": service,
                "fleetform.task": task,
                "fleetform.container": container[0] if container else service,
            },
        },
        "HostConfig": {"NetworkMode": "shop-local_web--stock", "RestartPolicy": {"Name": restart}},
        "NetworkSettings": {"Networks": {}, "Ports": {}},
    }
