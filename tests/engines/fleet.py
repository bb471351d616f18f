"""A project of many small services."""

import shutil
from pathlib import Path

from tests.conftest import copy_sample
from tests.engines.engines import BASE_IMAGE

CATALOG = """\
application: fleet
account: "123456789012"
region: ap-northeast-1
zones: [ap-northeast-1a, ap-northeast-1c]
services:
"""
SERVICE = """\
  service-{number}:
    image: {image}
    command: [python3, -m, http.server, "8080"]
    port: 8080
    calls: [service-{first}, service-{second}]
"""


def write_fleet(root: Path, count: int) -> Path:
    """Writes a project of so many services, each of which calls the next and the seventh from it."""
    copy_sample(root)
    shutil.rmtree(root / "envs")
    (root / "envs/local").mkdir(parents=True)
    services = [
        SERVICE.format(
            number=number, image=BASE_IMAGE, first=(number + 1) % count, second=(number + 7) % count
        )
        for number in range(count)
    ]
    (root / "envs/catalog.yaml").write_text(CATALOG + "".join(services), encoding="utf-8")
    (root / "envs/local/environment.yaml").write_text("emulator: true\n", encoding="utf-8")
    return root
