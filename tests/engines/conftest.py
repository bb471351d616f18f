"""Real engines: Docker, Podman and Buildah with storage of the tests' own, and a base image for all.

What makes images uses the machine's network, where the registry is. What runs containers has a network of its
own: neither the machine's rules nor those of another engine are touched, and all of it ends with the tests.

They need root on Linux and Debian's packages (`.ci/engines` installs them). They are left to CI, where they
fail if something is missing.
"""

import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetform.base import daemons
from tests.engines.engines import BASE_IMAGE, Engine, RunningEngine, missing, run

READY_SECONDS = 60
FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves the tests of this folder to CI."""
    if not os.environ.get("CI"):
        for item in items:
            if item.path.is_relative_to(FOLDER):
                item.add_marker(pytest.mark.skip("real engines take minutes and are left to CI: .ci/run"))


@pytest.fixture(scope="session")
def workshop() -> Iterator[Path]:
    """A folder for all that engines keep, of which no mount and no file is left.

    Its name is short, as sockets need.
    """
    assert not missing(), f"not here: {missing()} (see .ci/engines)"
    folder = Path(tempfile.mkdtemp(prefix="fleetform-"))
    try:
        yield folder
    finally:
        for mount in mounts(folder):
            run(["umount", "--lazy", mount])
        shutil.rmtree(folder)


def mounts(folder: Path) -> list[str]:
    """What is mounted in a folder, the innermost first."""
    found = [line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    return [mount for mount in reversed(found) if mount.startswith(f"{folder}/")]


@pytest.fixture(scope="session")
def base_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root file system of the Dockerfiles' base image, as far as the sample application needs it.

    The first worker that needs it makes it for all.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    archive, making = folder / "base.tar", folder / "making.tar"
    with daemons.file_lock(folder):
        if not archive.exists():
            excluded = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "locale", "man")]
            made: list[str | Path] = [
                "--variant=extract",
                "--include=base-files,python3",
                *excluded,
                "trixie",
                making,
            ]
            run(["mmdebstrap", "--quiet", *made])
            making.rename(archive)
    return archive


@pytest.fixture(scope="session")
def docker(workshop: Path, base_image: Path) -> Iterator[Engine]:
    """Docker."""
    with daemon(
        workshop / "docker", ["dockerd", "--bridge=none", "--iptables=false", "--ip-forward=false"]
    ) as variables:
        engine = Engine("docker", variables)
        engine.run("import", base_image, BASE_IMAGE)
        yield engine


@contextmanager
def daemon(folder: Path, command: list[str]) -> Iterator[Mapping[str, str]]:
    """A Docker daemon; yields what its clients need."""
    folder.mkdir()
    address = f"unix://{folder}/socket"
    argv = [
        *(*command, f"--host={address}", f"--pidfile={folder}/pid"),
        *(f"--data-root={folder}/data", f"--exec-root={folder}/exec", "--storage-driver=overlay2"),
    ]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as readiness, (folder / "log").open("wb") as log:
        readiness.bind(f"{folder}/ready")
        readiness.settimeout(READY_SECONDS)
        variables = {**os.environ, "NOTIFY_SOCKET": f"{folder}/ready"}
        process = subprocess.Popen(argv, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            while b"READY=1" not in readiness.recv(4096).splitlines():
                pass
            yield {"DOCKER_HOST": address}
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="session")
def buildah(workshop: Path, base_image: Path) -> Engine:
    """Buildah."""
    folder = workshop / "buildah"
    folder.mkdir()
    engine = Engine("buildah", {"CONTAINERS_STORAGE_CONF": str(storage(folder))})
    container = engine.run("from", "scratch")
    engine.run("add", container, base_image, "/")
    engine.run("commit", "--rm", "--timestamp=0", container, BASE_IMAGE)
    return engine


def storage(folder: Path) -> Path:
    """The configuration of storage in a folder, as Buildah and Podman read it."""
    settings = {"driver": "overlay", "graphroot": f"{folder}/root", "runroot": f"{folder}/run"}
    lines = ["[storage]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    (folder / "storage.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "storage.conf"


@pytest.fixture(scope="session", params=["docker", "buildah"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    found: Engine = request.getfixturevalue(request.param)
    return found


@contextmanager
def room() -> Iterator[list[str]]:
    """A network and mounts of its own; yields the words that make a program run there."""
    script = "ip link set lo up && mount -t tmpfs none /run && echo ready && exec sleep infinity"
    argv = ["unshare", "--net", "--mount", "sh", "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            yield ["nsenter", f"--target={process.pid}", "--net", "--mount"]
        finally:
            process.kill()


@pytest.fixture(scope="session")
def docker_runner(workshop: Path, base_image: Path) -> Iterator[RunningEngine]:
    """Docker with networks."""
    with room() as inside, daemon(workshop / "docker-runner", [*inside, "dockerd"]) as variables:
        engine = RunningEngine("docker", variables, inside)
        engine.run("import", base_image, BASE_IMAGE)
        yield engine


PODMAN = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
tmp_dir = "{folder}/tmp"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""


@pytest.fixture(scope="session")
def podman_runner(workshop: Path, base_image: Path) -> Iterator[RunningEngine]:
    """Podman with networks."""
    folder = workshop / "podman"
    (folder / "bin").mkdir(parents=True)
    (folder / "containers.conf").write_text(PODMAN.format(folder=folder), encoding="utf-8")
    program = shutil.which("podman")
    assert program
    with room() as inside:
        (folder / "bin" / "podman").write_text(
            f'#!/bin/sh\nexec {shlex.join(inside)} {program} "$@"\n', encoding="utf-8"
        )
        (folder / "bin" / "podman").chmod(0o755)
        variables = {
            "CONTAINERS_CONF": f"{folder}/containers.conf",
            "CONTAINERS_STORAGE_CONF": str(storage(folder)),
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
        }
        engine = RunningEngine("podman", variables, inside)
        engine.run("import", base_image, BASE_IMAGE)
        yield engine
        engine.run("rm", "--all", "--force", "--time=0")


@pytest.fixture(scope="session", params=["docker", "podman"])
def running_engine(request: pytest.FixtureRequest) -> RunningEngine:
    """Each engine that runs containers in turn."""
    found: RunningEngine = request.getfixturevalue(f"{request.param}_runner")
    return found
