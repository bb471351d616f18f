"""What docs/sidecars.md shows can be loaded and rendered, and Terraform finds it valid."""

import re
from pathlib import Path

import pytest

from fleetform.base.processes import run
from fleetform.terraform import commands, installation
from fleetform.workflow.project import Project
from fleetform.workflow.render import files

DOCUMENT = Path(__file__).parents[2] / "docs/sidecars.md"
SNIPPETS = re.findall(r"```yaml\nservices:\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
HEAD = """\
application: shop
account: "123456789012"
region: ap-northeast-1
zones: [ap-northeast-1a, ap-northeast-1c]
kms_key: arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab
services:
"""


@pytest.fixture
def documented(root: Path, tmp_path: Path) -> Project:
    """A project whose environment `dev` has every service that the document shows."""
    for name in ("modules", "templates"):
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "envs/dev").mkdir(parents=True)
    (tmp_path / "envs/catalog.yaml").write_text(HEAD + "".join(SNIPPETS), encoding="utf-8")
    (tmp_path / "envs/dev/environment.yaml").touch()
    return Project(tmp_path)


def test_the_document_shows_so_many_services() -> None:
    names = [re.findall(r"^  ([a-z]+):$", snippet, re.MULTILINE) for snippet in SNIPPETS]
    assert names == [["checkout"], ["billing"], ["archive"], ["accounts"], ["media"], ["console"]]


@pytest.mark.parametrize("stack", ["foundation", "services"])
def test_terraform_finds_what_the_document_shows_valid(
    documented: Project, tmp_path: Path, stack: str, terraform_binary: str
) -> None:
    files.render_environment(documented, "dev")
    variables = installation.variables({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, tmp_path)
    terraform = commands.Terraform(terraform_binary, documented.root / "envs/dev" / stack)
    run(terraform.init(backend=False), variables, tmp_path / "init.log")
    assert run(terraform.validate(), variables, tmp_path / "validate.log").code == 0
