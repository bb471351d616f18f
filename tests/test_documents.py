"""Links, tasks and source files that the documents name exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tasks
from tests.conftest import ROOT

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/adr/*.md", "modules/*/*.md")
    for path in ROOT.glob(pattern)
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)")
SPAN = re.compile(r"`([^`\n]+)`")
SOURCE = re.compile(r"(?<![\w./])((?:fleetform|tests|benchmarks|templates|modules)/[\w/.-]*\w/?)")
ONLY_IN_THE_WHEEL = re.compile(r"fleetform/data/")
TASK = re.compile(r"(?:\./run|\binvoke|(?<![\w/.-])fleetform) (?!import\b)([a-z][a-z.-]*)")


def text(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def named(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def anchors(document: Path) -> set[str]:
    """Return what links into a document may end in: its own marks, and its headings as GitHub names them."""
    prose = BLOCK.sub("", text(document))
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', prose))


def code(document: Path) -> Iterator[str]:
    """Yield what a document shows as code, in blocks and in lines."""
    yield from (found[2] for found in BLOCK.finditer(text(document)))
    yield from SPAN.findall(BLOCK.sub("", text(document)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = [
        (document.parent / path if path else document, place) for path, place in LINK.findall(text(document))
    ]
    assert [str(target) for target, _ in links if not target.exists()] == []
    assert [(str(target), place) for target, place in links if place and place not in anchors(target)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_source_file_that_is_named_exists(document: Path) -> None:
    found = {path for span in SPAN.findall(BLOCK.sub("", text(document))) for path in SOURCE.findall(span)}
    missing = {path for path in found if not (ROOT / path).exists()}
    assert {path for path in missing if not ONLY_IN_THE_WHEEL.match(path)} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_task_that_is_named_is_there(document: Path) -> None:
    found = {name for piece in code(document) for name in TASK.findall(piece)}
    assert found - set(tasks.namespace.task_names) == set()


def test_every_task_is_in_some_document() -> None:
    documented = {name for document in DOCUMENTS for piece in code(document) for name in TASK.findall(piece)}
    assert set(tasks.namespace.task_names) - documented == set()


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs/adr"
    titles = [
        (text(path).partition("\n")[0].removeprefix("# "), path.name) for path in sorted(folder.glob("0*.md"))
    ]
    listed = re.findall(r"^(\d+\. )\[(.*)\]\((.*)\)$", text(folder / "README.md"), re.MULTILINE)
    assert [(number + title, name) for number, title, name in listed] == titles
