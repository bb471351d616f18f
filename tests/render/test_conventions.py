"""What a reviewer may expect of every file that is rendered, shown by the sample's and the golden ones."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from fleetform.render.extra_module import offered_variables
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.stacks import stacks
from tests import golden
from tests.catalog.catalogs import HEAD, loaded
from tests.columns import long_lines

_USE = re.compile(r"\bvar\.(\w+)")

CATALOG = (
    f"{HEAD}services: {{ web: {{ image: nginx, port: 80, public: true, exec: true, read_only: false }} }}\n"
)


def rendered(root: Path) -> Iterator[Path]:
    """Every rendered file of the sample and of golden environments."""
    for tree in (root / "envs", *golden.FOLDER.glob("*/expected")):
        yield from (path for path in tree.rglob("*") if path.suffix in {".tf", ".tfvars", ".hcl"})


def test_no_line_is_longer_than_a_reviewer_sees(sample_root: Path) -> None:
    long = {path: long_lines(path.read_text(encoding="utf-8")) for path in rendered(sample_root)}
    assert {path: lines for path, lines in long.items() if lines} == {}


def most_uses(root: Path) -> Mapping[str, Counter[str]]:
    """How often a stack uses each variable at most, by the kind of the stack."""
    of_stacks: defaultdict[Path, Counter[str]] = defaultdict(Counter)
    for path in rendered(root):
        of_stacks[path.parent].update(_USE.findall(path.read_text(encoding="utf-8")))
    most: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for folder, uses in of_stacks.items():
        most["foundation" if folder.name == "foundation" else "group"] |= uses
    return most


def test_a_variable_is_what_several_places_share_or_what_extra_may_have(
    sample_root: Path, tmp_path: Path
) -> None:
    """A value that one place uses is written there. `state` is a variable as it differs for the emulator."""
    environment = loaded(tmp_path, CATALOG)
    foundation, group = (offered_variables(environment, stack).keys() for stack in stacks(environment))
    most = most_uses(sample_root)
    once = {kind: {name for name, count in uses.items() if count == 1} for kind, uses in most.items()}
    assert once["foundation"] - foundation == set()
    assert once["group"] - group == {"state"}


def test_the_emulator_changes_values_and_no_code(root: Path, tmp_path: Path) -> None:
    """`local` proves what the other environments have: only tfvars and `backend.hcl` say where AWS is."""
    templates = Templates(root / "templates")
    texts: list[Mapping[tuple[str, PurePath], str]] = []
    for number, emulator in enumerate(("false", "true")):
        environment = loaded(tmp_path / str(number), f"emulator: {emulator}\n{CATALOG}")
        stacks_ = render(environment, templates, {})
        texts.append(
            {(stack, path): text for stack, files in stacks_.items() for path, text in files.items()}
        )
    aws, emulated = texts
    assert aws.keys() == emulated.keys()
    assert {str(path) for stack, path in aws if aws[stack, path] != emulated[stack, path]} == {
        "backend.hcl",
        "terraform.tfvars",
    }
