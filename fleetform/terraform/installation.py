"""Which Terraform runs, and where it gets its provider from."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from fleetform.errors import ProgramError

PROGRAMS = ("terraform", "tofu")

MINIMUM_VERSION = (1, 10)

_REGISTRY = "registry.terraform.io"
_PROVIDER = "hashicorp/aws"


def find_program() -> str:
    """The path of Terraform or OpenTofu.

    Raises:
        ProgramError: There is none on PATH. (`./run` puts one there.)
    """
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    raise ProgramError(
        "neither terraform nor tofu is on PATH; call `./run`, which brings one, or install Terraform >= 1.10"
    )


def require_version(program: str, answer: str) -> None:
    """Makes sure that a Terraform is new enough: state locks in S3 itself came with 1.10, in OpenTofu too.

    Args:
        program: Its path, for the message.
        answer: What it prints for `version -json`.

    Raises:
        ProgramError: It is older.
    """
    found: str = json.loads(answer)["terraform_version"]
    if release(found) < MINIMUM_VERSION:
        wanted = ".".join(map(str, MINIMUM_VERSION))
        raise ProgramError(
            f"{program} is version {found}; install {wanted} or later, or take it off PATH: `./run` brings one"
        )


def release(version: str) -> tuple[int, ...]:
    """Major and minor version: within one, all read what the others write."""
    return tuple(map(int, version.split(".")[:2]))


def variables(base: Mapping[str, str], folder: Path, machine: Path = Path("/opt")) -> dict[str, str]:
    """The process environment that Terraform runs in.

    A CLI configuration of the user's own is respected. Where there is none, provider mirrors of the usual layout are
    looked for in `machine`, and a configuration that uses them is written to `folder`; without a mirror, Terraform asks
    the registry.

    Args:
        base: The environment to start from.
        folder: Where a CLI configuration may be written.
        machine: Where mirrors named `*/registry.terraform.io` are looked for.
    """
    made = dict(base) | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    configured = made.get("TF_CLI_CONFIG_FILE")
    if configured and Path(configured).is_file():
        return made
    made.pop("TF_CLI_CONFIG_FILE", None)
    if Path(made.get("HOME", "/"), ".terraformrc").is_file():
        return made
    if mirrors := find_mirrors(machine):
        made["TF_CLI_CONFIG_FILE"] = str(_write_configuration(mirrors, folder))
    return made


def find_mirrors(machine: Path) -> list[Path]:
    """The filesystem mirrors below a folder that hold the AWS provider in the version that the stacks pin, sorted."""
    from fleetform.stacks import AWS_PROVIDER_VERSION  # noqa: PLC0415 - who looks for the program alone has no use for it

    registries = sorted(machine.glob(f"*/{_REGISTRY}"))
    return [registry.parent for registry in registries if any((registry / _PROVIDER).glob(f"*{AWS_PROVIDER_VERSION}*"))]


def configuration(mirrors: list[Path]) -> str:
    """The text of a CLI configuration that takes the AWS provider from mirrors and all else from its registry."""
    from fleetform.hcl.literals import literal  # noqa: PLC0415 - the same

    provider = literal([f"{_REGISTRY}/{_PROVIDER}"])
    blocks = [
        f"  filesystem_mirror {{\n    path    = {literal(str(path))}\n    include = {provider}\n  }}\n"
        for path in mirrors
    ]
    return f"provider_installation {{\n{''.join(blocks)}  direct {{\n    exclude = {provider}\n  }}\n}}\n"


def _write_configuration(mirrors: list[Path], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "terraform.rc"
    text = configuration(mirrors)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path
