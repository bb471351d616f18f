import os
import time
from pathlib import Path, PurePath

import pytest

from benchmarks import corpus
from fleetform.base.cache import Cache
from fleetform.base.errors import CheckFailedError
from fleetform.validation.loading import load
from tests import sample

SOUND = 'resource "aws_cloudwatch_log_group" "a" {\n}\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "modules/a").mkdir(parents=True)
    (root / "modules/a/main.tf").write_text(SOUND, encoding="utf-8")
    (root / "main.tf").write_text('module "a" {\n  source = "./modules/a"\n}\n', encoding="utf-8")
    return root


def opened(folder: Path, work: Path) -> corpus.Corpus:
    return corpus.Corpus(folder, Cache(work / "cache.sqlite", 2**20))


def test_unreadable_files_are_listed_with_terraforms_message(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "bad.tf").write_text("a = [\n", encoding="utf-8")
    (tmp_path / "terraform").write_text("#!/bin/sh\nexit 2\n", encoding="utf-8")
    (tmp_path / "terraform").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    read = opened(repository, tmp_path)
    unreadable = "bad.tf:2:1: not valid HCL; fix it, or render again (Terraform refuses it too)"
    assert read.folders == [PurePath(), PurePath("modules/a")]
    assert list(read.unreadable()) == [unreadable]
    assert read.lines == [1, 3, 2]
    assert read.crashes == []


def test_every_folder_is_checked_as_a_root_module(repository: Path, tmp_path: Path) -> None:
    """The call of the module, what it makes, and the same in the module's own folder."""
    answers = corpus.judge(opened(repository, tmp_path), load(sample.FOLDER, "prod"))
    assert answers.resources == 3
    assert answers.crashes == []


def test_an_exception_is_a_crash_with_its_place(tmp_path: Path) -> None:
    def fail() -> None:
        raise KeyError("a")

    line = fail.__code__.co_firstlineno + 1
    assert corpus.attempt(tmp_path, fail) == [f"{tmp_path}: KeyError('a') at {Path(__file__).name}:{line}"]


def test_an_error_of_ours_is_not_a_crash(tmp_path: Path) -> None:
    def refuse() -> None:
        raise CheckFailedError("the module calls itself")

    assert corpus.attempt(tmp_path, refuse) == []


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(TimeoutError, match="more than 1 s"), corpus.limited(1):
        time.sleep(60)


def test_folders_are_typed(tmp_path: Path) -> None:
    assert corpus.arguments([str(tmp_path)]).folders == [tmp_path]
