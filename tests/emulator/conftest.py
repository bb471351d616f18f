from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from fleetform.emulator import Emulator, start, stop

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for every test that only calls it; each test makes resources of its own."""
    folder = tmp_path_factory.mktemp("emulator")
    yield start(folder, port=0)
    stop(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose emulator, if the test starts one, ends with the test."""
    yield tmp_path
    stop(tmp_path)


@pytest.fixture(scope="session")
def client(emulator: Emulator) -> Callable[[str], Any]:
    """Return boto3's client of a service, pointed at the emulator."""
    session: Any = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
    )

    @cache
    def make(service: str) -> Any:  # noqa: ANN401 -- boto3 makes its clients at run time
        return session.client(service, endpoint_url=emulator.url, config=Config(inject_host_prefix=False))

    return make
