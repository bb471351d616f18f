import os
import time
from pathlib import Path, PurePath

import pytest

from benchmarks import corpus
from fleetform.catalog.loading import load
from tests.conftest import ROOT

SOUND = 'resource "aws_cloudwatch_log_group" "a" {\n}\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "modules/a").mkdir(parents=True)
    (tmp_path / "modules/a/main.tf").write_text(SOUND, encoding="utf-8")
    (tmp_path / "main.tf").write_text('module "a" {\n  source = "./modules/a"\n}\n', encoding="utf-8")
    return tmp_path


def test_files_that_cannot_be_read_are_listed_with_what_terraform_says(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "bad.tf").write_text("a = [\n", encoding="utf-8")
    (repository / "bin").mkdir()
    (repository / "bin/terraform").write_text("#!/bin/sh\nexit 2\n", encoding="utf-8")
    (repository / "bin/terraform").chmod(0o755)
    monkeypatch.setenv("PATH", f"{repository / 'bin'}{os.pathsep}{os.environ['PATH']}")
    read = corpus.read(repository)
    folders = {folder.as_posix(): [file.path for file in files] for folder, files in read.files.items()}
    assert folders == {".": [PurePath("main.tf")], "modules/a": [PurePath("modules/a/main.tf")]}
    assert read.unreadable == ["bad.tf:2:1: not valid HCL; mend it, or render again (Terraform refuses it too)"]
    assert read.lines == 6


def test_every_folder_is_judged_as_a_root_module(repository: Path) -> None:
    """The call of the module, what it makes, and the same in the module's own folder."""
    answers = corpus.judge(corpus.read(repository), load(ROOT, "prod"))
    assert (answers.resources, answers.crashes) == (3, [])


def test_an_exception_is_a_crash_with_its_place(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a")

    monkeypatch.setattr(corpus, "judge_resources", fail)
    crashes = corpus.judge(corpus.read(repository / "modules"), load(ROOT, "prod")).crashes
    line = fail.__code__.co_firstlineno + 1
    assert crashes == [f"{repository / 'modules/a'}: KeyError('a') at {Path(__file__).name}:{line}"]


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(TimeoutError, match="more than 1 s"), corpus.limited(1):
        time.sleep(60)


def test_folders_are_typed(tmp_path: Path) -> None:
    assert corpus.arguments([str(tmp_path)]).folders == [tmp_path]
