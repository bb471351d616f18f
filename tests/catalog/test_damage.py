"""Any catalog is loaded, or refused with a position in it; nothing is written."""

import re
from pathlib import Path, PurePath

import pytest
from hypothesis import given

from fleetform.base.errors import InputError, Position
from fleetform.catalog.files import CATALOG, environment_file
from fleetform.validation.loading import load
from tests.catalog.damage import Files, damaged

OVER = environment_file("dev")
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
PLACE = re.compile(r"(envs/(?:catalog|dev/environment)\.yaml):(\d+):(\d+): .+")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


def content(root: Path) -> dict[PurePath, bytes]:
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def is_in(position: Position, files: dict[PurePath, bytes]) -> bool:
    """Return whether a file has such a position, including its end."""
    lines = LINE_BREAK.split(files[position.file].decode("utf-8", "replace").removeprefix("\ufeff"))
    return 1 <= position.line <= len(lines) and 1 <= position.column <= len(lines[position.line - 1]) + 1


def places(refused: InputError) -> list[Position]:
    """Return the positions in its lines."""
    matches = [PLACE.fullmatch(line) for line in str(refused).split("\n")]
    assert all(matches), str(refused)
    return [Position(PurePath(match[1]), int(match[2]), int(match[3])) for match in matches if match]


def refusal(root: Path) -> InputError | None:
    try:
        load(root, "dev")
    except InputError as refused:
        return refused
    return None


@given(damaged())
def test_a_damaged_catalog_is_loaded_or_refused_with_a_position_in_it(folder: Path, files: Files) -> None:
    written = {CATALOG: files.catalog, OVER: files.environment}
    for file, text in written.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(text)
    refused = refusal(folder)
    positions = places(refused) if refused else []
    assert [position for position in positions if not is_in(position, written)] == []
    assert content(folder) == written
