"""An upgrade: modules merged, the pin changed, everything rendered, and written in one go."""

from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import FleetformError, InputError
from fleetform.workflow import vendored
from fleetform.workflow.project import Project
from fleetform.workflow.upgrade import upgrade
from fleetform.workflow.upgrade.merging import Outcome
from fleetform.workflow.upgrade.versions import read_pin
from tests import small_project
from tests.workflow.upgrade import projects, repositories
from tests.workflow.upgrade.projects import FILES, MODULE, NEW_MODULE, PINNED, edit


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of version 0.2.0; the running package is version 0.3.0 with a changed module."""
    return projects.make(tmp_path, monkeypatch)


def refused(project: Project) -> str:
    """The message of an upgrade that is refused, and writes nothing."""
    before, status = repositories.files(project.root), repositories.status(project.root)
    with pytest.raises(FleetformError) as raised:
        upgrade.save(project, upgrade.prepare(project))
    assert (repositories.files(project.root), repositories.status(project.root)) == (before, status)
    return str(raised.value)


def test_an_upgrade_changes_modules_the_pin_and_the_lock(project: Project) -> None:
    prepared = upgrade.prepare(project)
    assert [change.path.as_posix() for change in prepared.changes] == [
        "fleetform.lock.json",
        MODULE,
        "requirements-terraform.txt",
        "requirements.txt",
    ]
    assert (prepared.source, prepared.target, prepared.conflicts) == ("0.2.0", "0.3.0", [])
    assert repositories.status(project.root) == ""


def test_what_is_saved_is_what_was_prepared(project: Project) -> None:
    prepared = upgrade.prepare(project)
    upgrade.save(project, prepared)
    assert {change.path: change.after for change in prepared.changes} == {
        change.path: (project.root / change.path).read_bytes() for change in prepared.changes
    }
    assert read_pin(project.root).version == "0.2.0"


def test_a_second_upgrade_to_the_same_version_changes_nothing(project: Project) -> None:
    upgrade.save(project, upgrade.prepare(project))
    text = (project.root / "requirements.txt").read_text(encoding="utf-8")
    edit(project, "requirements.txt", text.replace("==0.2.0", "==0.3.0", 1).encode())
    assert [change.path.name for change in upgrade.prepare(project).changes] == ["requirements.txt"]


def test_an_edited_module_keeps_its_edit(project: Project) -> None:
    edit(project, MODULE, b"# Ours.\n" + FILES[MODULE])
    prepared = upgrade.prepare(project)
    upgrade.save(project, prepared)
    assert (project.root / MODULE).read_bytes() == b"# Ours.\n" + NEW_MODULE
    assert [file.outcome for file in prepared.vendored] == [Outcome.MERGED]


def test_a_conflict_is_written_with_markers_and_everything_else_is_upgraded(project: Project) -> None:
    edit(project, MODULE, FILES[MODULE] + b"\n# Ours.\n")
    prepared = upgrade.prepare(project)
    upgrade.save(project, prepared)
    assert prepared.conflicts == [PurePath(MODULE)]
    assert (project.root / MODULE).read_bytes() == FILES[MODULE] + (
        b"<<<<<<< this project\n\n# Ours.\n||||||| Fleetform 0.2.0\n=======\n\n# New in 0.3.0.\n"
        b">>>>>>> Fleetform 0.3.0\n"
    )


def test_a_template_of_the_project_is_listed_where_the_packages_changed(project: Project) -> None:
    template = (small_project.ROOT / "templates/services/service.tf.j2").read_bytes()
    edit(project, "templates/services/service.tf.j2", template)
    assert upgrade.prepare(project).templates == [PurePath("templates/services/service.tf.j2")]


def test_uncommitted_changes_are_refused(project: Project) -> None:
    repositories.write(project.root, {f"{letter}.txt": b"" for letter in "abcdefg"})
    assert refused(project) == (
        "uncommitted changes: a.txt, b.txt, c.txt, d.txt, e.txt and 2 more; commit or stash them, so that you"
        " can review the upgrade alone; nothing was changed"
    )


def test_a_project_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        upgrade.prepare(Project(tmp_path))
    assert str(raised.value) == (
        "this project is not in a Git repository, so nothing could bring back what an upgrade changes; run"
        " `git init`, then commit everything"
    )


def test_a_project_without_a_lock_is_refused(project: Project) -> None:
    (project.root / vendored.LOCK).unlink()
    repositories.commit(project.root)
    assert refused(project) == (
        "fleetform.lock.json: does not exist, so this project was not written by `init`; `invoke upgrade"
        " --from-fork` turns a fork of version 0.1.0 into a project"
    )


def test_a_malformed_lock_is_refused(project: Project) -> None:
    edit(project, vendored.LOCK, b"{\n  <<<<<<< HEAD\n")
    assert refused(project) == (
        "fleetform.lock.json:2:3: not valid JSON: Expecting property name enclosed in double quotes; restore"
        " it from Git"
    )


def test_a_pin_that_was_changed_by_hand_is_refused(project: Project) -> None:
    edit(project, "requirements.txt", PINNED.replace("0.2.0", "0.2.9").encode())
    assert refused(project) == (
        "requirements.txt: pins 0.2.9, but fleetform.lock.json has the modules of 0.2.0: the pin was changed"
        " by hand; pin 0.2.0 again (Git has that line), commit, and run `invoke upgrade --to 0.2.9`"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"invoke==3.0.0\n", "no line `fleetform[...]==VERSION --hash=...`", id="no pin"),
        pytest.param(b"fleetform>=0.2\n", "no line `fleetform[...]==VERSION --hash=...`", id="a range"),
        pytest.param(
            b"\xff",
            "cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
            id="no text",
        ),
    ],
)
def test_an_unreadable_pin_is_refused(project: Project, content: bytes, message: str) -> None:
    edit(project, "requirements.txt", content)
    assert refused(project) == f"requirements.txt: {message}; restore it with Git, and commit that"


def test_a_missing_pin_is_refused(project: Project) -> None:
    (project.root / "requirements.txt").unlink()
    repositories.commit(project.root)
    assert refused(project) == (
        "requirements.txt: does not exist, so there is no pin to change; restore it with Git, and commit that"
    )


def test_an_older_version_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    projects.change_package(monkeypatch, FILES, "0.1.9")
    assert refused(project) == (
        "0.1.9 is older than 0.2.0, which this project uses: an older version may not know what the catalogs"
        " use today; revert the commit of the upgrade with Git instead"
    )


def test_a_catalog_that_the_new_version_refuses_changes_nothing(project: Project) -> None:
    edit(project, "envs/tiny/environment.yaml", b"services: { web: { cpus: 512 } }\n")
    assert refused(project) == (
        "envs/tiny/environment.yaml:1:20: unknown key `cpus` in `services.web`; did you mean `cpu`?"
    )


def test_a_failure_while_writing_changes_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", str(project.root / MODULE))

    prepared = upgrade.prepare(project)
    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(FleetformError) as raised:
        upgrade.save(project, prepared)
    assert str(raised.value) == (
        f"{MODULE}: cannot be written: No space left on device; everything is as it was: fix that and run the"
        " command again"
    )
    assert repositories.status(project.root) == ""
