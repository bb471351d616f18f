"""The demonstration where a real engine builds and runs the services."""

import re
from pathlib import Path

from tests.engines.engines import RunningEngine, commit_project, run
from tests.engines.laptop import Laptop


def test_the_demo_builds_runs_and_proves_the_services(tmp_path: Path, docker_runner: RunningEngine) -> None:
    root = commit_project(tmp_path / "project")
    ended = Laptop(root, docker_runner).invoke("demo", inside=True)
    assert ended.returncode == 0, ended.stdout
    # The engine may have the images from a test before.
    steps = [
        re.sub(r" \d+\.\d s$|\d built, \d unchanged", "", line)
        for line in ended.stdout.splitlines()
        if line.startswith("✓")
    ]
    begin = steps.index("✓ Apply foundation: 39 added, 0 changed, 0 destroyed")
    assert steps[begin + 1 : begin + 2] == ["✓ Build and push the images: 3 by docker, locked by digest"]
    begin = steps.index("✓ Plan services again: no drift")
    assert steps[begin + 1 : -2] == [
        "✓ Build the images: ",
        "✓ Start the containers with docker",
        "✓ Wait until they are healthy: 4 containers",
        "✓ Test every pair of services: blocked 4, works 2",
        "✓ GET http://127.0.0.1:8080/: 200 OK",
        "✓ Remove the containers",
    ]
    assert run(["git", "-C", root, "status", "--porcelain"]) == ""
    assert Laptop(root, docker_runner).left() == ["", ""]
