"""Build contexts: which files they have, and the key that stands for them."""

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import pytest

from fleetform.base.errors import InputError
from fleetform.catalog.models import Build
from fleetform.images.context import BuildFiles, content_key, read_build_files

BUILD = Build(context="app")
FILES = {"Dockerfile": "FROM scratch\n", "main.py": "print()\n", "lib/a.py": "a\n", "lib/deep/b.py": "b\n"}


def written(root: Path, files: Mapping[str, str]) -> Path:
    """Writes a build context `app` below a root."""
    for name, text in files.items():
        (root / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "app" / name).write_text(text, encoding="utf-8")
    return root


def names(root: Path, build: Build = BUILD) -> list[str]:
    """The files of a context."""
    return [file.as_posix() for file in read_build_files(root, build).files]


def key(root: Path) -> str:
    return content_key(read_build_files(root, BUILD), ("linux/amd64",), {})


def test_all_files_are_in_it_sorted(tmp_path: Path) -> None:
    assert names(written(tmp_path, FILES)) == ["Dockerfile", "lib/a.py", "lib/deep/b.py", "main.py"]


def test_empty_folders_are_not_in_it(tmp_path: Path) -> None:
    (written(tmp_path, FILES) / "app/empty").mkdir()
    assert names(tmp_path) == ["Dockerfile", "lib/a.py", "lib/deep/b.py", "main.py"]


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ("", ["Dockerfile", "lib/a.py", "lib/deep/b.py", "main.py"]),
        ("lib", ["Dockerfile", "main.py"]),
        ("lib/", ["Dockerfile", "main.py"]),
        ("/lib/a.py", ["Dockerfile", "lib/deep/b.py", "main.py"]),
        ("*.py", ["Dockerfile", "lib/a.py", "lib/deep/b.py"]),
        ("**/*.py", ["Dockerfile"]),
        ("lib/*/b.py", ["Dockerfile", "lib/a.py", "main.py"]),
        ("*\n!lib", ["lib/a.py", "lib/deep/b.py"]),
        ("*\n!lib/deep/b.py", ["lib/deep/b.py"]),
        ("lib\n!lib/a.py", ["Dockerfile", "lib/a.py", "main.py"]),
        ("!lib\nlib", ["Dockerfile", "main.py"]),
        ("# main.py\n\n  main.py  ", ["Dockerfile", "lib/a.py", "lib/deep/b.py"]),
        ("[l-n]*", ["Dockerfile"]),
        ("Dockerfile", ["lib/a.py", "lib/deep/b.py", "main.py"]),
    ],
)
def test_the_ignore_file_is_read_as_docker_reads_it(tmp_path: Path, patterns: str, left: list[str]) -> None:
    assert names(written(tmp_path, {**FILES, ".dockerignore": patterns})) == left


def test_the_dockerfiles_own_ignore_file_goes_before_the_contexts(tmp_path: Path) -> None:
    ignoring = {"web/Dockerfile": "", "web/Dockerfile.dockerignore": "lib", ".dockerignore": "*.py"}
    written(tmp_path, {**FILES, **ignoring})
    build = Build(context="app", dockerfile="web/Dockerfile")
    assert names(tmp_path, build) == ["Dockerfile", "main.py", "web/Dockerfile"]


def test_a_symbolic_link_is_in_it_and_not_followed(tmp_path: Path) -> None:
    written(tmp_path, {"Dockerfile": ""})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").touch()
    (tmp_path / "app/link").symlink_to("../outside")
    assert names(tmp_path) == ["Dockerfile", "link"]


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (Build(context="gone"), "gone: no such folder; create it, or fix `build.context` in the catalog"),
        (
            Build(context="app", dockerfile="X"),
            "app/X: no such file; create it, or fix `build.dockerfile` in the catalog",
        ),
    ],
)
def test_what_is_missing_is_reported(tmp_path: Path, build: Build, said: str) -> None:
    written(tmp_path, FILES)
    with pytest.raises(InputError) as caught:
        read_build_files(tmp_path, build)
    assert str(caught.value) == said


def test_an_ignore_file_that_is_no_text_is_reported(tmp_path: Path) -> None:
    (written(tmp_path, FILES) / "app/.dockerignore").write_bytes(b"\xff")
    with pytest.raises(InputError) as caught:
        read_build_files(tmp_path, BUILD)
    assert str(caught.value) == (
        "app/.dockerignore: cannot be read ('utf-8' codec can't decode byte 0xff in position 0: invalid"
        " start byte);"
        " make it a readable UTF-8 file"
    )


def test_two_clones_have_one_key(tmp_path: Path) -> None:
    """Times, and the modes that Git does not keep, differ."""
    one, other = written(tmp_path / "one", FILES), written(tmp_path / "other", FILES)
    (other / "app/main.py").chmod(0o600)
    os.utime(other / "app/main.py", (1, 1))
    assert key(one) == key(other)


def test_the_key_is_the_one_that_it_was(tmp_path: Path) -> None:
    """A change of how keys are computed rebuilds every image, so it has to be intended."""
    assert key(written(tmp_path, FILES)) == "34175e419aa63c6d1b417199f0f9131902e7e5670c8e2c335d1a4ce711f88332"


@pytest.mark.parametrize(
    "change",
    [
        lambda app: (app / "main.py").write_text("print(1)\n"),
        lambda app: (app / "main.py").rename(app / "main2.py"),
        lambda app: (app / "main.py").chmod(0o755),
        lambda app: (app / "main.py").unlink(),
        lambda app: (app / "new").touch(),
        lambda app: (app / "link").symlink_to("main.py"),
        lambda app: (app / "Dockerfile").write_text("FROM scratch\nUSER 1\n"),
    ],
)
def test_each_change_of_a_file_makes_another_key(tmp_path: Path, change: Callable[[Path], object]) -> None:
    before = key(written(tmp_path, FILES))
    change(tmp_path / "app")
    assert key(tmp_path) != before


def test_a_change_of_the_dockerfile_counts_even_if_it_is_ignored(tmp_path: Path) -> None:
    before = key(written(tmp_path, {**FILES, ".dockerignore": "Dockerfile"}))
    (tmp_path / "app/Dockerfile").write_text("FROM scratch\nUSER 1\n")
    assert key(tmp_path) != before


def test_a_change_of_what_is_ignored_leaves_the_key(tmp_path: Path) -> None:
    before = key(written(tmp_path, {**FILES, ".dockerignore": "lib\n"}))
    (tmp_path / "app/lib/a.py").write_text("changed")
    (tmp_path / "app/.dockerignore").write_text("lib\n# said otherwise\n")
    assert key(tmp_path) == before


def test_platforms_and_arguments_are_part_of_the_key(tmp_path: Path) -> None:
    context = read_build_files(written(tmp_path, FILES), BUILD)
    variants: list[tuple[tuple[str, ...], dict[str, str]]] = [
        (("linux/amd64",), {}),
        (("linux/arm64",), {}),
        (("linux/amd64",), {"A": "1"}),
        (("linux/amd64",), {"A": "2"}),
    ]
    assert len({content_key(context, *variant) for variant in variants}) == len(variants)


def test_arguments_count_in_any_order(tmp_path: Path) -> None:
    context = read_build_files(written(tmp_path, FILES), BUILD)
    assert content_key(context, (), {"A": "1", "B": "2"}) == content_key(context, (), {"B": "2", "A": "1"})


def test_a_staged_context_holds_just_its_files_with_the_epochs_times(tmp_path: Path) -> None:
    written(tmp_path, {**FILES, ".dockerignore": "Dockerfile\nlib/a.py\n"})
    (tmp_path / "app/main.py").chmod(0o700)
    (tmp_path / "app/link").symlink_to("main.py")
    context = read_build_files(tmp_path, BUILD)
    staged = context.stage(tmp_path / "staged")

    found = {path.relative_to(staged.folder).as_posix(): path.lstat() for path in staged.folder.rglob("*")}
    assert {name: (stat.filemode(status.st_mode), status.st_mtime) for name, status in found.items()} == {
        "lib": ("drwxr-xr-x", 0),
        "lib/deep": ("drwxr-xr-x", 0),
        "lib/deep/b.py": ("-rw-r--r--", 0),
        "link": ("lrwxrwxrwx", 0),
        "main.py": ("-rwxr-xr-x", 0),
    }
    assert (tmp_path / "staged/Dockerfile").read_text() == "FROM scratch\n"
    assert content_key(staged, (), {}) == content_key(context, (), {})


def test_a_context_is_its_folder_its_files_and_its_dockerfile(tmp_path: Path) -> None:
    written(tmp_path, {"Dockerfile": ""})
    assert read_build_files(tmp_path, BUILD) == BuildFiles(
        tmp_path / "app", (PurePosixPath("Dockerfile"),), tmp_path / "app/Dockerfile"
    )
