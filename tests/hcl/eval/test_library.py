"""The same content is parsed only once."""

from collections.abc import Callable
from pathlib import Path, PurePath

import pytest

from fleetform.base.cache import Cache
from fleetform.base.errors import Position, ProgramError
from fleetform.hcl.eval import library
from fleetform.hcl.eval.library import Library, Summary
from fleetform.hcl.parsing import parse

STACK, WEB, INNER = PurePath("stack"), PurePath("modules/web"), PurePath("modules/inner")
FILES = {
    "stack/main.tf": """
module "web" {
  source = "../modules/web"
  name   = var.name
  tags   = merge(local.tags, { id = data.aws_vpc.this.id, x = aws_lb.this[each.key].arn })
}

locals {
  tags = { a = 1 }
}

data "aws_caller" "me" {}
resource "aws_x" "y" {
  rule {
    port = module.web.port
  }
}
variable "size" {}
module "far" { source = "terraform-aws-modules/vpc/aws" }
""",
    "stack/terraform.tfvars": 'name = "shop"\n',
    "stack/.hidden.tf": "}",
    "stack/README.md": "}",
    "modules/web/main.tf": 'module "inner" {\n  source = "../inner"\n}\n',
    "modules/inner/main.tf": 'output "x" { value = 1 }\n',
}


class Project:
    """Files on disk, and their cache."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.parsed: list[bytes] = []
        self._parse = parse
        monkeypatch.setattr(library, "parse", self._counted)
        for name, text in FILES.items():
            self.write(name, text)

    def _counted(self, content: bytes, path: PurePath) -> object:
        self.parsed.append(content)
        return self._parse(content, path)

    def write(self, name: str, text: str) -> None:
        """Writes a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def library(self) -> Library:
        """Return the library of a new run."""
        return Library(self.root, Cache(self.root / "cache", 10**7), b"code")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def test_the_files_of_a_folder_are_those_that_terraform_reads(project: Project) -> None:
    assert project.library().paths(STACK) == [STACK / "main.tf", STACK / "terraform.tfvars"]


@pytest.mark.parametrize("folder", ["none", "stack/main.tf"])
def test_a_missing_folder_has_no_files(project: Project, folder: str) -> None:
    assert project.library().paths(PurePath(folder)) == []


def test_a_summary_lists_the_relations_of_a_file_to_others(project: Project) -> None:
    found = project.library()
    assert found.summaries(found.paths(STACK)) == {
        STACK / "main.tf": Summary(
            frozenset(
                {"module.web", "module.far", "local.tags", "data.aws_caller.me", "aws_x.y", "var.size"}
            ),
            frozenset(
                {"var.name", "local.tags", "data.aws_vpc.this", "aws_lb.this", "each.key", "module.web"}
            ),
            frozenset({"../modules/web"}),
        ),
        STACK / "terraform.tfvars": Summary(frozenset({"var.name"}), frozenset(), frozenset()),
    }


def test_a_file_is_as_it_is_parsed(project: Project) -> None:
    path = STACK / "main.tf"
    assert project.library().file(path) == parse(FILES["stack/main.tf"].encode(), path)


def test_nothing_is_parsed_twice(project: Project) -> None:
    project.write("stack/copy.tf", FILES["stack/main.tf"])
    for _ in range(2):
        found = project.library()
        assert found.file(STACK / "copy.tf").blocks == found.file(STACK / "main.tf").blocks
        found(STACK)
    assert sorted(project.parsed) == sorted(
        [FILES["stack/main.tf"].encode(), FILES["stack/terraform.tfvars"].encode()]
    )


def test_a_damaged_entry_is_parsed_again(project: Project) -> None:
    project.library()(STACK)
    (project.root / "cache").write_bytes(b"damaged")
    assert project.library().file(STACK / "main.tf").blocks
    assert project.parsed.count(FILES["stack/main.tf"].encode()) == 2


def test_a_file_that_changes_meanwhile_is_not_cached(project: Project) -> None:
    found = project.library()
    found.digest(STACK / "main.tf")
    project.write("stack/main.tf", "a = 1\n")
    with pytest.raises(
        ProgramError, match=r"^stack/main.tf: changed while it was being read; run the command again$"
    ):
        found.file(STACK / "main.tf")


def test_an_unreadable_file_is_empty_and_reported(project: Project) -> None:
    project.write("stack/bad.tf", "a = 1\nb =\n")
    for _ in range(2):
        found = project.library()
        assert found.file(STACK / "bad.tf") == (STACK / "bad.tf", (), {})
        assert [(error.position, str(error)) for error in found.unreadable([STACK / "bad.tf"])] == [
            (Position(STACK / "bad.tf", 2, 4), "stack/bad.tf:2:4: not valid HCL; fix it, or render again")
        ]


CHANGES: dict[str, tuple[Callable[[Project], None], set[PurePath]]] = {
    "nothing": (lambda _: None, set()),
    "a stack": (lambda project: project.write("stack/main.tf", ""), set()),
    "a module": (lambda project: project.write("modules/web/more.tf", ""), {WEB}),
    "a nested module": (lambda project: project.write("modules/inner/main.tf", "# new\n"), {WEB, INNER}),
    "a new call": (
        lambda project: project.write("modules/inner/main.tf", 'module "a" { source = "../web" }'),
        {WEB, INNER},
    ),
}


@pytest.mark.parametrize(("change", "changed"), CHANGES.values(), ids=CHANGES)
def test_the_digest_of_a_module_is_of_all_its_files_and_modules(
    project: Project, change: Callable[[Project], None], changed: set[PurePath]
) -> None:
    before = {folder: project.library().module(folder) for folder in (WEB, INNER)}
    change(project)
    after = {folder: project.library().module(folder) for folder in (WEB, INNER)}
    assert {folder for folder in before if before[folder] != after[folder]} == changed


def test_the_requested_modules_are_listed(project: Project) -> None:
    found = project.library()
    found.module(WEB)
    assert set(found.modules()) == {WEB, INNER}
