"""The comparison of generated files."""

from pathlib import Path

import pytest

from tests.generated import REMEDY, Generated


def test_a_file_as_it_is_generated_passes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\n")
    Generated().check(tmp_path / "a.txt", "one\n")


@pytest.mark.parametrize(
    ("committed", "difference"),
    [
        ("two\n", "--- committed/a.txt\n+++ a.txt\n@@ -1 +1 @@\n-two\n+one\n"),
        ("one", "--- committed/a.txt\n+++ a.txt\n@@ -1 +1 @@\n-one\n+one\n"),
        (None, "--- /dev/null\n+++ a.txt\n@@ -0,0 +1 @@\n+one\n"),
    ],
)
def test_a_different_file_fails_with_the_difference_and_the_command(
    tmp_path: Path, committed: str | None, difference: str
) -> None:
    if committed is not None:
        (tmp_path / "a.txt").write_text(committed, encoding="utf-8")
    with pytest.raises(pytest.fail.Exception) as failed:
        Generated().check(tmp_path / "a.txt", "one\n")
    assert str(failed.value) == f"{difference}\n{REMEDY}"


def test_a_file_that_is_not_generated_any_more_fails_its_folder(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("old\n", encoding="utf-8")
    with pytest.raises(pytest.fail.Exception) as failed:
        Generated().check_folder(tmp_path, {})
    assert str(failed.value) == f"--- committed/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-old\n\n{REMEDY}"


def test_files_are_written_on_request(tmp_path: Path) -> None:
    folder = tmp_path / "expected"
    folder.mkdir()
    (folder / "old.txt").touch()
    Generated(write=True).check_folder(folder, {"stack/a.txt": "one\n"})
    Generated(write=True).check(tmp_path / "b.txt", "two\n")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*.txt"))] == [
        "b.txt",
        "expected/stack/a.txt",
    ]
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == "two\n"


def test_only_tests_of_generated_files_run_on_request(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "from tests.conftest import generated, pytest_addoption, pytest_collection_modifyitems\n"
    )
    pytester.makepyfile(
        "from pathlib import Path\n"
        "def test_file(generated):\n    generated.check(Path('file'), 'text')\n"
        "def test_other():\n    assert False\n"
    )
    result = pytester.runpytest("--regenerate", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, deselected=1)
    assert (pytester.path / "file").read_text(encoding="utf-8") == "text"
