"""Fakes for what images are made with.

An engine that is a small script, and the registry that it pushes to.
"""

import base64
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from fleetform.images.registry import Registry

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
PASSWORD = "a token"

# Says what it does in `calls`, does what a file `<command> <repository>` says first, builds into `built` and
# pushes into `pushed`.
_SCRIPT = f"""\
#!{sys.executable} -I
import hashlib, pathlib, sys, time
folder = pathlib.Path(__file__).parent
command, *arguments = sys.argv[1:]
options = dict(argument.split("=", 1) for argument in arguments if argument.startswith("--") and "=" in\
 argument)
name = options.get("--tag", arguments[-1] if arguments else "").removeprefix("{HOST}/")
repository = name.partition(":")[0].removeprefix("localhost/")
if command == "login" and sys.stdin.read() != "{PASSWORD}":
    sys.exit("400 Bad Request")
if not command.startswith("-"):
    with (folder / "calls").open("a") as calls:
        print(command, repository, file=calls)
trick = folder / f"{{command}} {{repository}}"
if trick.exists():
    exec(trick.read_text())
built = folder / "built" / name.removeprefix("localhost/")
if command == "inspect" and not built.exists():
    sys.exit("no such image")
print(command, "goes well")
if command == "build":
    built.touch()
if command == "push":
    digest = "sha256:" + hashlib.sha256(name.encode()).hexdigest()
    (folder / "pushed" / name).write_text(digest)
    pathlib.Path(options["--digestfile"]).write_text(digest)
"""


@dataclass(frozen=True)
class FakeEngine:
    """An engine called `buildah`, alone on PATH, and its registry.

    Attributes:
        folder: Where it is and what it leaves.
    """

    folder: Path

    @property
    def registry(self) -> Registry:
        """The registry."""
        return Registry(self, ACCOUNT, "dev")

    def calls(self) -> list[str]:
        """The commands that the engine got, sorted: a command and a repository."""
        file = self.folder / "calls"
        return sorted(file.read_text().splitlines()) if file.exists() else []

    def forget(self) -> None:
        """Forgets the calls."""
        (self.folder / "calls").unlink()

    def trick(self, call: str, code: str) -> None:
        """Makes the engine run Python code when it is called so."""
        (self.folder / call).write_text(code)

    def untrick(self, call: str) -> None:
        """Makes the engine well-behaved again."""
        (self.folder / call).unlink()

    def push(self, name: str, digest: str) -> None:
        """Puts an image into the registry."""
        (self.folder / "pushed" / name).write_text(digest)

    def get_authorization_token(self) -> dict[str, Any]:
        """As ECR's API has it."""
        token = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
        return {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": f"https://{HOST}"}]}

    def describe_images(self, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as ECR's API has it
        """As ECR's API has it."""
        (wanted,) = arguments["imageIds"]
        file = self.folder / "pushed" / f"{arguments['repositoryName']}:{wanted['imageTag']}"
        if not file.exists():
            raise ClientError({"Error": {"Code": "ImageNotFoundException", "Message": ""}}, "DescribeImages")
        return {"imageDetails": [{"imageDigest": file.read_text()}]}


def make(folder: Path) -> FakeEngine:
    """Writes the engine into a folder."""
    for name in ("built", "pushed"):
        (folder / name).mkdir(parents=True)
    (folder / "buildah").write_text(_SCRIPT)
    (folder / "buildah").chmod(0o755)
    return FakeEngine(folder)
