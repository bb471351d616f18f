"""A checkout on a machine that runs containers."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from tests.engines.engines import RunningEngine, run

States: TypeAlias = dict[tuple[str, str], str]
"""What smoke says of each pair."""


@dataclass(frozen=True)
class Laptop:
    """A checkout on a machine with an engine.

    Attributes:
        root: The checkout.
        engine: What runs containers.
    """

    root: Path
    engine: RunningEngine

    def invoke(self, *arguments: str, inside: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs a task; inside, where the engine's published ports are."""
        place = [*self.engine.inside, "sh", "-c", 'cd "$0" && exec "$@"', str(self.root)] if inside else []
        return subprocess.run(
            [*place, sys.executable, "-m", "invoke", *arguments],
            cwd=self.root,
            env={**os.environ, **self.engine.variables, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def done(self, *arguments: str) -> str:
        """What a task prints that has to succeed."""
        ended = self.invoke(*arguments)
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def states(self) -> States:
        """What smoke says of each pair."""
        ended = self.invoke("smoke", f"--engine={self.engine.name}", "--json")
        # Errors are on standard error too, after the JSON.
        found, _ = json.JSONDecoder().raw_decode(ended.stdout)
        return {(pair["caller"], pair["callee"]): pair["state"] for pair in found["pairs"]}

    def statuses(self) -> dict[str, dict[str, Any]]:
        """What ps says of each service."""
        found = json.loads(self.done("ps", f"--engine={self.engine.name}", "--json"))
        return {status["service"]: status for status in found}

    def get(self, url: str) -> Any:  # noqa: ANN401 - JSON
        """What a service answers on its machine."""
        code = (
            "import sys, urllib.request as r;"
            "print(r.urlopen(r.Request(sys.argv[1], headers={'Accept': 'application/json'})).read().decode())"
        )
        return json.loads(run([*self.engine.inside, sys.executable, "-c", code, url]))

    def left(self) -> list[str]:
        """Containers and networks that are ours."""
        label = "--filter=label=com.docker.compose.project"
        return [self.engine.run(kind, "ls", "--quiet", label) for kind in ("container", "network")]
