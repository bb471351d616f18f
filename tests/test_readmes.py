"""README.md shows what is rendered and printed, and README.ja.md keeps in step with it."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.catalog.catalogs import loaded
from tests.conftest import ROOT
from tests.generated import Generated
from tests.validation import bad

ENGLISH = ROOT / "README.md"
JAPANESE = ROOT / "README.ja.md"

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"\s+#.*$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
RULE = re.compile(r'^    "web->orders:8080" = \{\n.*?^    \}\n', re.MULTILINE | re.DOTALL)


def text(file: Path) -> str:
    """Return a file's text."""
    return file.read_text(encoding="utf-8")


def blocks(readme: Path) -> list[tuple[str, str]]:
    """Return a README's code blocks, each with its language."""
    return BLOCK.findall(text(readme))


def with_blocks(readme: Path, replace: Callable[[int, str, str], str]) -> str:
    """Return a README with other code blocks.

    Args:
        readme: The README.
        replace: Returns a block's new text. Takes its number from 0, its language and its text.
    """
    numbers = iter(range(len(blocks(readme))))
    return BLOCK.sub(
        lambda match: f"```{match[1]}\n{replace(next(numbers), match[1], match[2])}```", text(readme)
    )


def catalog() -> str:
    """Return the catalog that README.md shows."""
    return next(block for language, block in blocks(ENGLISH) if language == "yaml")


def rendered_service(prod: Path) -> str:
    """Return the rendered file of the sample's `orders` in `prod`, without its header."""
    return text(prod / "services/service_orders.tf").partition("\n\n")[2]


def rendered_rule(prod: Path) -> str:
    """Return `prod`'s security group rule that lets `web` call `orders`: the first, which is `orders`'s."""
    found = RULE.search(text(prod / "foundation/security.tf"))
    return found[0] if found else ""


def catalog_errors() -> str:
    """Return what is printed about README.md's catalog with two misspelled words."""
    return bad.report(
        catalog().replace("calls: [orders]", "calls: [ordres]").replace("port: 8080", "prot: 8080", 1)
    )


def test_the_readme_shows_what_is_rendered_and_printed(sample_root: Path, generated: Generated) -> None:
    prod = sample_root / "envs/prod"
    sources: Mapping[str, Callable[[], str]] = {
        'module "orders"': partial(rendered_service, prod),
        '    "web->orders:8080"': partial(rendered_rule, prod),
        "envs/catalog.yaml:": catalog_errors,
    }
    used = []

    def replace(_: int, __: str, block: str) -> str:
        for start, source in sources.items():
            if block.startswith(start):
                used.append(start)
                return source()
        return block

    generated.check(ENGLISH, with_blocks(ENGLISH, replace))
    assert sorted(used) == sorted(sources)


def test_the_catalog_that_the_readme_shows_is_valid(tmp_path: Path) -> None:
    assert loaded(tmp_path, catalog()).services.keys() == {"orders", "stock", "web"}


def test_both_readmes_show_the_same_code(generated: Generated) -> None:
    """Shell commands may have translated comments."""
    english = blocks(ENGLISH)
    assert [language for language, _ in blocks(JAPANESE)] == [language for language, _ in english]
    generated.check(
        JAPANESE,
        with_blocks(
            JAPANESE, lambda number, language, block: block if language == "sh" else english[number][1]
        ),
    )


def test_both_readmes_show_the_same_commands() -> None:
    english, japanese = (
        [COMMENT.sub("", block) for language, block in blocks(readme) if language == "sh"]
        for readme in (ENGLISH, JAPANESE)
    )
    assert japanese == english


def test_both_readmes_have_the_same_links() -> None:
    english, japanese = (sorted(LINK.findall(text(readme))) for readme in (ENGLISH, JAPANESE))
    english.remove(JAPANESE.name)
    japanese.remove(ENGLISH.name)
    assert japanese == english
