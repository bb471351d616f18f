"""The task `init`: what it writes, what it asks, and what it rejects without writing anything."""

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fleetform.base import package_data
from fleetform.base.errors import InputError, ProgramError
from fleetform.cli import init
from fleetform.stacks import stacks
from fleetform.validation.loading import load
from fleetform.workflow import pin, vendored
from fleetform.workflow.check.assessment import assess
from fleetform.workflow.project import Project
from fleetform.workflow.render import files, formatting
from fleetform.workflow.setup import creation
from fleetform.workflow.setup.answers import Answers, application_name, default_answers
from fleetform.workflow.setup.project_files import ENVIRONMENTS, project_files
from tests.commits import git

WRITTEN = [
    ".gitattributes",
    ".github/workflows/fleetform.yml",
    ".gitignore",
    "README.md",
    "envs/catalog.schema.json",
    "envs/catalog.yaml",
    "envs/dev/environment.yaml",
    "envs/local/environment.yaml",
    "envs/prod/environment.yaml",
    "fleetform.lock.json",
    "requirements-terraform.txt",
    "requirements.txt",
    "run",
    "tasks.py",
    "tests/test_plans.py",
]
"""The files of every project, without containers, modules and rendered stacks."""


def fake_wheel(folder: Path) -> Path:
    wheel = folder / "fleetform-0.2.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    return wheel


def run_init(folder: Path, *, sample: bool = False, yes: bool = True, **given: object) -> None:
    keys = ("application", "account", "region", "zones", "services", "pipeline")
    values = {key: given.get(key) for key in keys}
    init.init(Project(Path.cwd()), folder=str(folder), sample=sample, yes=yes, **values)


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input is no terminal, the wheel need not be built, and no region is set."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr(pin, "find_wheel", fake_wheel)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def written(folder: Path) -> list[str]:
    """Return the files that are not vendored modules, rendered stacks, or of this machine only."""
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    omitted = (".git/", ".fleetform/", "modules/", "envs/dev/", "envs/local/", "envs/prod/")
    return sorted(path for path in paths if path.endswith("environment.yaml") or not path.startswith(omitted))


def create(folder: Path, answers: Answers) -> Path:
    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.setattr(pin, "find_wheel", fake_wheel)
        creation.create(folder, answers, lambda _: None, repository=True)
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of three services in a path with spaces, which no test changes."""
    folder = tmp_path_factory.mktemp("new projects") / "my shop"
    return create(
        folder,
        Answers(
            "my-shop",
            "210987654321",
            "eu-west-1",
            ("eu-west-1a", "eu-west-1b"),
            ("api", "worker", "db-admin"),
            "github",
        ),
    )


def test_a_project_has_these_files(shop: Path) -> None:
    services = [
        f"containers/{name}/{file}"
        for name in ("api", "worker", "db-admin")
        for file in ("Dockerfile", "app.py")
    ]
    assert written(shop) == sorted([*WRITTEN, *services])


def test_its_vendored_files_are_those_of_the_lock(shop: Path) -> None:
    lock = vendored.read_lock(shop)
    assert lock == vendored.package_lock()
    assert vendored.find_differences(shop, lock) == []
    assert [path.name for path in shop.iterdir() if path.is_file() and path.stat().st_mode & 0o111] == ["run"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_is_rendered_and_within_the_policy(shop: Path, environment: str) -> None:
    project = Project(shop)
    changes = files.render_changes(project, environment)
    assert changes == {stack.name: [] for stack in stacks(load(shop, environment))}
    assert assess(project, environment).findings == []
    with formatting.find_unformatted(project) as listed:
        assert listed() == []


def test_the_first_service_is_public_and_calls_the_others(shop: Path) -> None:
    services = load(shop, "local").services
    assert [name for name, service in services.items() if service.public] == ["api"]
    calls = {name: [call.service for call in service.calls] for name, service in services.items()}
    assert calls == {"api": ["worker", "db-admin"], "db-admin": [], "worker": []}


def test_the_requirements_pin_the_wheel_that_is_kept(shop: Path) -> None:
    digest = hashlib.sha256(b"wheel").hexdigest()
    lines = (shop / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "fleetform[aws,containers,emulator,test]==0.2.0 \\"
    assert lines[2] == f"    --hash=sha256:{digest}"
    assert [path.name for path in (shop / ".fleetform/wheels").iterdir()] == [
        "fleetform-0.2.0-py3-none-any.whl"
    ]


def test_a_project_is_a_repository_whose_branch_the_pipeline_applies(shop: Path) -> None:
    assert (shop / ".git/HEAD").read_text(encoding="utf-8") == "ref: refs/heads/main\n"
    assert "branches: [main]" in (shop / ".github/workflows/fleetform.yml").read_text(encoding="utf-8")


def test_invoke_has_the_tasks(shop: Path) -> None:
    root = str(package_data.folder("modules").parent)
    listed = subprocess.run(
        [sys.executable, "-m", "invoke", "render", "--env", "prod"],
        cwd=shop,
        env={"PYTHONPATH": root, "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "nothing to change\n", "")


def test_the_sample_is_the_one_of_this_package(tmp_path: Path) -> None:
    run_init(tmp_path / "shop", sample=True)
    assert len(written(tmp_path / "shop")) <= 40
    source = package_data.folder("envs").parent
    same = [path for path in written(tmp_path / "shop") if path.startswith(("containers/", "envs/"))]
    assert [
        path for path in same if (tmp_path / "shop" / path).read_bytes() != (source / path).read_bytes()
    ] == []
    assert {"containers/web/service.py", "containers/.dockerignore"} <= {*same}


def test_the_sample_is_adapted_to_an_account_and_a_region() -> None:
    zones = ("eu-west-1a", "eu-west-1b")
    answers = Answers(
        "store", "210987654321", "eu-west-1", zones, ("web", "orders", "stock"), "none", sample=True
    )
    contents = project_files(answers)
    texts = "".join(
        content.decode()
        for path, content in contents.items()
        if path.startswith("envs/") and path.endswith(".yaml")
    )
    assert [
        word
        for word in ("123456789012", "ap-northeast-1", "application: shop", "shop.example")
        if word in texts
    ] == []
    assert "zones: [eu-west-1a, eu-west-1b]" in texts


def test_the_next_commands_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run_init(Path("my shop"), pipeline="none", account="210987654321")
    _, _, after = capsys.readouterr().out.partition("\nNext:\n")
    assert after == "  cd 'my shop'\n  ./run demo\n  git add . && git commit -m 'Create the project'\n"
    assert not (tmp_path / "my shop/.github").exists()


def test_without_git_the_project_is_created_and_a_note_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(init, "has_git", lambda: False)
    run_init(tmp_path / "shop", pipeline="none", account="210987654321")
    assert "note: git is not installed, so this is not a Git repository" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "shop/.fleetform").iterdir()] == ["wheels"]
    assert not (tmp_path / "shop/.git").exists()


def test_an_empty_repository_becomes_a_project(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".fleetform-init-killed").mkdir()
    inode = tmp_path.stat().st_ino
    run_init(tmp_path, application="shop", pipeline="gitlab")
    assert tmp_path.stat().st_ino == inode
    assert written(tmp_path)[:3] == [".gitattributes", ".gitignore", ".gitlab-ci.yml"]
    assert not (tmp_path / ".fleetform-init-killed").exists()


REGION = "expected a region, such as ap-northeast-1"
NAME = "expected lower-case letters, digits and single hyphens, at most"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"application": "Shop_1"}, f"--application: `application` is `Shop_1`; {NAME} 24"),
        ({"account": "123"}, "--account: `account` is `123`; expected the 12 digits of an AWS account"),
        ({"region": "Europe"}, f"--region: `region` is `Europe`; {REGION}"),
        (
            {"region": "eu-west-1", "zones": ("eu-west-1a", "us-east-1b")},
            "--zones: `us-east-1b` is not a zone of eu-west-1; zone names look like `eu-west-1a`",
        ),
        ({"zones": ("us-east-1a",)}, "--zones: `zones` is a list; expected 2 or more entries"),
        ({"services": ("web", "Web")}, f"--services: `Web` is not a valid key of `services`; {NAME} 40"),
        ({"services": ("web", "web")}, "--services: service `web` is listed twice; list a different service"),
    ],
)
def test_a_value_that_the_catalog_rejects_is_rejected_before_anything_is_written(
    tmp_path: Path, given: Mapping[str, object], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        run_init(tmp_path / "shop", **given)  # type: ignore[arg-type] # its answers are of any type
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_the_sample_has_its_own_services(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--sample has its own services"):
        run_init(tmp_path / "shop", sample=True, services=("web",))


def test_a_folder_without_letters_needs_an_application(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="123 has no letters for an application's name; pass --application"):
        run_init(tmp_path / "123")


def test_without_a_terminal_the_flags_to_pass_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        run_init(tmp_path / "shop", yes=False, account="210987654321", pipeline="none")
    assert str(caught.value) == (
        "cannot ask without a terminal; pass --application, --region, --zones, --services, or --yes for"
        " their defaults"
    )


def make_project(folder: Path) -> Path:
    (folder / "envs").mkdir(parents=True)
    (folder / "envs/catalog.yaml").touch()
    return folder


def make_file(path: Path) -> Path:
    path.touch()
    return path


def make_full(path: Path) -> Path:
    path.mkdir()
    (path / "notes.txt").touch()
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (make_full, "{folder} is not empty: it has notes.txt; choose a new or an empty folder"),
        (make_file, "{folder} is not a folder; choose a different name"),
        (make_project, "{folder} is a project already; `upgrade` updates it, `new-service` adds a service"),
        (
            lambda path: make_project(path) / "apps",
            "{folder} is inside the project {folder.parent}; choose a folder outside of it",
        ),
        (
            lambda path: path / "shop",
            "{folder.parent} does not exist; create it first, or choose a different folder",
        ),
    ],
    ids=["not empty", "a file", "a project", "inside a project", "no parent"],
)
def test_a_folder_that_cannot_be_used_is_rejected(
    tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    folder = make(tmp_path / "place")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        run_init(folder)
    assert str(caught.value) == message.format(folder=folder)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_is_not_writable_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InputError) as caught:
        run_init(tmp_path / "shop")
    assert (
        str(caught.value)
        == f"{tmp_path} is not writable; change its permissions, or choose a different folder"
    )


@pytest.mark.parametrize(
    "error", [ProgramError("failed"), KeyboardInterrupt(), OSError(28, "No space left on device")]
)
def test_a_run_that_does_not_finish_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(files, "render_environment", fail)
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with pytest.raises((ProgramError, KeyboardInterrupt)):
            run_init(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


def test_questions_are_asked_again_until_the_answer_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = io.StringIO("Shop!\nstore\n210987654321\neu-west-1\n\nweb, orders\nsome\nnone\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    given: dict[str, object] = {}
    answers = init.find_answers(tmp_path / "shop", given, sample=False, yes=False)
    zones = ("eu-west-1a", "eu-west-1b")
    assert answers == Answers("store", "210987654321", "eu-west-1", zones, ("web", "orders"), "none")
    printed = capsys.readouterr().out
    assert f"`application` is `Shop!`; {NAME} 24" in printed
    assert "unknown provider; choose one of github, gitlab, atlantis, none" in printed


@pytest.mark.parametrize(
    ("folder", "name"),
    [("shop", "shop"), ("My Shop", "my-shop"), ("2 shops", "shops"), ("1.2", ""), ("a" * 30, "a" * 24)],
)
def test_the_application_is_named_after_the_folder(folder: str, name: str) -> None:
    assert application_name(folder) == name


def test_the_region_is_the_one_of_the_aws_variables() -> None:
    answers = default_answers(Path("shop"), {"AWS_DEFAULT_REGION": "ap-northeast-1"})
    assert answers.zones == ("ap-northeast-1a", "ap-northeast-1c")
