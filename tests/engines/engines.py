"""An engine, and a project whose images it makes."""

import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

from fleetform import emulator
from fleetform.aws.clients import Access
from fleetform.catalog.images_lock import LockedImage, load_lock
from fleetform.images.registry import Registry
from fleetform.images.transfer import Repository
from tests.conftest import copy_folder, copy_sample

BASE_IMAGE = "public.ecr.aws/docker/library/python:3.13-slim"
PROGRAMS = (
    *(
        "buildah",
        "docker",
        "docker-compose",
        "dockerd",
        "git",
        "ip",
        "iptables",
        "mmdebstrap",
        "nsenter",
        "podman",
    ),
    *("runc", "syft", "unshare"),
)
SERVICES = ("orders", "stock", "web")


def missing() -> str:
    """What these tests need and this machine lacks."""
    programs = [program for program in PROGRAMS if shutil.which(program) is None]
    return ", ".join(programs if os.geteuid() == 0 else [*programs, "root"])


def run(argv: list[str | Path], **variables: str) -> str:
    """What a program prints; its failure is the test's."""
    done = subprocess.run(
        argv,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@dataclass(frozen=True)
class Engine:
    """An engine with storage of its own.

    Attributes:
        name: The program.
        variables: What it needs in the process environment.
    """

    name: str
    variables: Mapping[str, str]

    def run(self, *arguments: str | Path) -> str:
        """What it prints."""
        return run([self.name, *arguments], **self.variables)


@dataclass(frozen=True)
class RunningEngine(Engine):
    """An engine that runs containers, in a network of its own.

    Attributes:
        inside: The words that make a program run where the engine does: published ports are there.
    """

    inside: list[str]


class Calls(NamedTuple):
    """How often the engine got each command."""

    build: int
    push: int
    login: int


@dataclass(frozen=True)
class Run:
    """A run of `invoke images`.

    Attributes:
        code: Its exit code.
        output: What it printed, both streams in one.
        calls: The commands that the engine got.
        processor_seconds: What it took, its programs included; unlike the time that passed, the same on a
            busy machine.
    """

    code: int
    output: str
    calls: Calls
    processor_seconds: float

    @property
    def complaint(self) -> str:
        """What it says went wrong, without the name of the log and the engine's own words."""
        (line,) = [line for line in self.output.splitlines() if " (full output: " in line]
        return line.partition(" (full output: ")[0]


@dataclass(frozen=True)
class Site:
    """A clone of the project with an emulator, whose engine is noted at each call.

    Attributes:
        root: The clone.
        engine: What makes its images.
        bench: For the engine's fake and its notes.
        emulator: Its AWS.
    """

    root: Path
    engine: Engine
    bench: Path
    emulator: emulator.Emulator

    @property
    def ecr(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """ECR's API."""
        return Access("ap-northeast-1", emulator.environment(self.emulator, os.environ)).client("ecr")

    def images(self, *services: str) -> "Run":
        """Runs `invoke images` with the engine."""
        chosen = [f"--service={service}" for service in services]
        notes = self.bench / "calls"
        notes.write_text("", encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "invoke",
                "images",
                "--env=local",
                f"--engine={self.engine.name}",
                *chosen,
            ],
            cwd=self.root,
            env={
                **os.environ,
                **self.engine.variables,
                "COLUMNS": "200",
                "PATH": f"{self.bench}:{os.environ['PATH']}",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        calls = Counter(notes.read_text(encoding="utf-8").split())
        return Run(
            done.returncode,
            done.stdout,
            Calls(*map(calls.__getitem__, ("build", "push", "login"))),
            processor_seconds,
        )

    def lock(self) -> dict[str, LockedImage]:
        """The environment's lock."""
        return load_lock(self.root, "local")

    def registered(self) -> dict[str, dict[str, str]]:
        """The digest of each tag of each service's repository, as ECR's API has it; an SBOM has no tag."""
        found = {}
        for service in SERVICES:
            details = self.ecr.describe_images(repositoryName=repository(service))["imageDetails"]
            found[service] = {
                tag: detail["imageDigest"] for detail in details for tag in detail.get("imageTags", ())
            }
        return found

    def packages(self, service: str) -> set[str]:
        """The packages that the SBOM of what is locked for a service names."""
        credentials = Registry(self.ecr, "123456789012", "local", self.emulator.registry).credentials()
        images = Repository(credentials, repository(service))
        (sbom,) = images.referrers(self.lock()[service].digest)
        _, layer = images.manifest(sbom).blobs
        with tempfile.TemporaryFile() as file:
            images.fetch_blob(layer, file)
            file.seek(0)
            return {package["name"] for package in json.load(file)["packages"]}

    @contextmanager
    def before(self, command: str, script: str) -> Iterator[None]:
        """Runs a shell script before each command of the engine."""
        file = self.bench / f"before-{command}"
        file.write_text(script, encoding="utf-8")
        yield
        file.unlink()

    def pull(self, service: str, folder: Path) -> str:
        """Pulls what the lock names, by its digest, and returns the name that the engine has it under."""
        (data,) = self.ecr.get_authorization_token()["authorizationData"]
        login = {"auths": {self.emulator.registry: {"auth": data["authorizationToken"]}}}
        (folder / "config.json").write_text(json.dumps(login), encoding="utf-8")
        name = f"{self.emulator.registry}/{repository(service)}"
        built, pulled = f"{name}:{self.lock()[service].tag}", f"{name}@{self.lock()[service].digest}"
        self.engine.run("rmi", "--force", built)
        if self.engine.name == "docker":
            run(["docker", "pull", "--quiet", pulled], **self.engine.variables, DOCKER_CONFIG=str(folder))
        else:
            self.engine.run(
                "pull", f"--authfile={folder}/config.json", "--tls-verify=false", "--quiet", pulled
            )
        return pulled

    @contextmanager
    def running(self, service: str, image: str) -> Iterator[str]:
        """Runs an image on the machine's network; yields its URL."""
        variables = {"PORT": "0", "DRAIN_SECONDS": "0"}
        options = [f"--env={name}={value}" for name, value in variables.items()]
        argv = ["docker", "run", "--rm", "--network=host", *options, image]
        container = ""
        if self.engine.name == "buildah":  # by chroot, as crun and hybrid cgroups do not go together
            container = self.engine.run("from", image)
            argv = [
                "buildah",
                "run",
                "--isolation=chroot",
                *options,
                container,
                "--",
                "python3",
                "-m",
                service,
            ]
        process = subprocess.Popen(
            argv,
            env={**os.environ, **self.engine.variables},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield f"http://127.0.0.1:{_port(process)}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate()
            if container:
                self.engine.run("rm", container)


def repository(service: str) -> str:
    """Its name."""
    return f"shop-local-{service}"


def _port(process: subprocess.Popen[str]) -> int:
    """The port that a service says it listens on."""
    assert process.stdout
    for line in process.stdout:
        facts = json.loads(line)
        if facts["message"] == "listening":
            return int(facts["port"])
    raise AssertionError(f"exit code {process.wait()}")


def healthy(url: str) -> bool:
    """Whether a service answers on its health path."""
    with urlopen(f"{url}/healthz") as answer:
        return bool(answer.status == 200)


def clone(source: Path, target: Path) -> Path:
    """A clone as a colleague would have it."""
    run(["git", "clone", "--quiet", source, target])
    return target


def commit_project(target: Path) -> Path:
    """The sample with its application, committed."""
    copy_sample(target)
    copy_folder("containers", target)
    git: list[str | Path] = ["git", "-C", target, "-c", "user.name=test", "-c", "user.email=test@example.com"]
    run([*git, "init", "--quiet"])
    run([*git, "add", "--all"])
    run([*git, "commit", "--quiet", "--message=All of it"])
    return target


@contextmanager
def site(root: Path, engine: Engine, bench: Path) -> Iterator[Site]:
    """A clone whose foundation has made the repositories."""
    bench.mkdir()
    program = shutil.which(engine.name)
    assert program
    script = f"""\
#!/bin/sh
for word in "$@"; do
    case $word in build | push | login) break ;; esac
done
echo "$*" >>{shlex.quote(str(bench))}/arguments
echo "$word" >>{shlex.quote(str(bench))}/calls
before={shlex.quote(str(bench))}/before-$word
[ ! -e "$before" ] || . "$before"
exec {shlex.quote(program)} "$@"
"""
    (bench / engine.name).write_text(script, encoding="utf-8")
    (bench / engine.name).chmod(0o755)
    try:
        made = Site(root, engine, bench, emulator.start(root / ".fleetform", port=0))
        make_repositories(made)
        yield made
    finally:
        emulator.stop(root / ".fleetform")


def make_repositories(site: Site) -> None:
    """Makes what the foundation makes; Terraform would take half a minute for it."""
    for service in SERVICES:
        site.ecr.create_repository(repositoryName=repository(service), imageTagMutability="IMMUTABLE")
