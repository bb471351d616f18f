"""The sample that `init --sample` writes is this repository's `envs/`; tests read the same from here."""

import shlex
from pathlib import PurePath

from tests import sample

EXPLANATION = """\
envs/ and tests/sample differ. `init --sample` writes envs/, and tests read tests/sample.
Has the sample changed? Then copy it:
{}
Does envs/ hold a project of your own? Then only this test fails."""


def commands() -> list[str]:
    """Return the commands that copy the catalogs of `envs/` to the sample, none if they are the same."""
    packaged, tested = sample.catalogs(sample.ROOT), sample.catalogs(sample.FOLDER)
    here = PurePath(sample.FOLDER.relative_to(sample.ROOT))
    removed = [["rm", str(here / name)] for name in tested.keys() - packaged.keys()]
    changed = [["cp", name, str(here / name)] for name in packaged if packaged[name] != tested.get(name)]
    return sorted(map(shlex.join, [*removed, *changed]))


def test_the_catalogs_that_are_packaged_and_those_of_tests_are_the_same() -> None:
    lines = "\n".join(commands())
    assert lines == "", EXPLANATION.format(lines)
