"""Real engines: a Docker of the tests' own, Buildah with storage of its own, and a base image for both.

They need root on Linux and Debian's packages (`.ci/engines` installs them). They are left to CI, where they fail if
something is missing.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engines.engines import BASE_IMAGE, Engine, missing, run

READY_SECONDS = 20


@pytest.fixture(scope="session")
def workshop() -> Iterator[Path]:
    """A folder for all that engines keep, of which no mount and no file is left; its name is short, as sockets need."""
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
def base_image(workshop: Path) -> Path:
    """The root file system of the Dockerfiles' base image, as far as the sample application needs it."""
    archive = workshop / "base.tar"
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "locale", "man")]
    run(["mmdebstrap", "--quiet", "--variant=extract", "--include=base-files,python3", *excluded, "trixie", archive])
    return archive


@pytest.fixture(scope="session")
def docker(workshop: Path, base_image: Path) -> Iterator[Engine]:
    """Docker."""
    with daemon(workshop / "docker") as variables:
        engine = Engine("docker", variables)
        engine.run("import", base_image, BASE_IMAGE)
        yield engine


@contextmanager
def daemon(folder: Path) -> Iterator[Mapping[str, str]]:
    """A Docker daemon that leaves the machine's network alone; yields what its clients need."""
    folder.mkdir()
    address = f"unix://{folder}/socket"
    argv = [
        *("dockerd", f"--host={address}", f"--pidfile={folder}/pid"),
        *(f"--data-root={folder}/data", f"--exec-root={folder}/exec", "--storage-driver=overlay2"),
        *("--bridge=none", "--iptables=false", "--ip-forward=false"),
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
    storage = {"driver": "overlay", "graphroot": f"{folder}/root", "runroot": f"{folder}/run"}
    lines = ["[storage]", *(f"{key} = {json.dumps(value)}" for key, value in storage.items())]
    (folder / "storage.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    engine = Engine("buildah", {"CONTAINERS_STORAGE_CONF": f"{folder}/storage.conf"})
    container = engine.run("from", "scratch")
    engine.run("add", container, base_image, "/")
    engine.run("commit", "--rm", "--timestamp=0", container, BASE_IMAGE)
    return engine


@pytest.fixture(scope="session", params=["docker", "buildah"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    found: Engine = request.getfixturevalue(request.param)
    return found
