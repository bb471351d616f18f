"""The sample that `init --sample` writes is this repository's `envs/`; tests read the same from here."""

import shlex
import tomllib
from pathlib import Path, PurePath

from fleetform.base import package_data
from fleetform.catalog.schema import SCHEMA
from tests import sample

EXPLANATION = """\
envs/ and tests/sample differ. `init --sample` writes envs/, and tests read tests/sample.
Has the sample changed? Then copy it:
{}
Does envs/ hold a project of your own? Then only this test fails."""


def commands() -> list[str]:
    """Return the commands that copy the packaged catalogs to the sample, none if they are the same."""
    packaged = sample.catalogs(package_data.folder("envs").parent)
    tested = sample.catalogs(sample.FOLDER)
    here = PurePath(sample.FOLDER.relative_to(sample.ROOT))
    new_folders = {(here / name).parent for name in packaged.keys() - tested.keys()}
    return [
        shlex.join(map(str, command))
        for command in (
            *(("mkdir", "-p", folder) for folder in sorted(new_folders)),
            *(("cp", name, here / name) for name in packaged if packaged[name] != tested.get(name)),
            *(("rm", here / name) for name in tested if name not in packaged),
        )
    ]


def test_the_catalogs_that_are_packaged_and_those_of_tests_are_the_same() -> None:
    lines = "\n".join(commands())
    assert lines == "", EXPLANATION.format(lines)


def test_a_wheel_has_each_catalog_of_the_sample(root: Path) -> None:
    build = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    files = build["targets"]["wheel"]["force-include"]
    assert {source: target for source, target in files.items() if source.startswith("envs/")} == {
        name: f"fleetform/data/{name}" for name in (*sample.catalogs(sample.FOLDER), str(SCHEMA))
    }
