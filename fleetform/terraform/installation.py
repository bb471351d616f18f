"""Which Terraform runs, and where it gets its provider from."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from fleetform.base.errors import ProgramError, printable
from fleetform.catalog.constants import AWS_PROVIDER_VERSION
from fleetform.hcl.literals import literal

PROGRAMS = ("terraform", "tofu")

MINIMUM_VERSION = (1, 10)

# How much garbage Go leaves, in hundredths of what is in use (https://pkg.go.dev/runtime); its default is 100. A plan
# of 36 resources takes 4.2 s of processor time and 320 MiB at 100, 3.3 s and 360 MiB at 200, 3.0 s and 480 MiB at 400.
_GARBAGE = "200"

CHOICE = "FLEETFORM_TERRAFORM"
"""The variable that names the program, or its path, where it is not the first of these on PATH."""

# Terraform's and OpenTofu's: each takes `hashicorp/aws` to be in its own.
_REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
_PROVIDER = "hashicorp/aws"
_CONFIGURATIONS = (".terraformrc", ".tofurc")


class Mirror(NamedTuple):
    """A filesystem mirror that holds the AWS provider of a registry."""

    path: Path
    registry: str

    @property
    def provider(self) -> str:
        """The provider's whole name."""
        return f"{self.registry}/{_PROVIDER}"


def find_program() -> str:
    """The path of Terraform or OpenTofu.

    Raises:
        ProgramError: There is none on PATH (`./run` puts one there), or not the one that the user has chosen.
    """
    if chosen := os.environ.get(CHOICE):
        if path := shutil.which(chosen):
            return path
        raise ProgramError(f"{CHOICE} is `{printable(chosen)}`, and there is no such program; mend it, or unset it")
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
        machine: Where mirrors named `*/registry.terraform.io`, or OpenTofu's, are looked for.
    """
    made = {"GOGC": _GARBAGE} | dict(base) | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    configured = made.get("TF_CLI_CONFIG_FILE")
    if configured and Path(configured).is_file():
        return made
    made.pop("TF_CLI_CONFIG_FILE", None)
    if any(Path(made.get("HOME", "/"), name).is_file() for name in _CONFIGURATIONS):
        return made
    if mirrors := find_mirrors(machine):
        made["TF_CLI_CONFIG_FILE"] = str(_write_configuration(mirrors, folder))
    return made


def find_mirrors(machine: Path) -> list[Mirror]:
    """The filesystem mirrors below a folder that hold the AWS provider in the version that the stacks pin, sorted."""
    found = (Mirror(path.parent, registry) for registry in _REGISTRIES for path in machine.glob(f"*/{registry}"))
    wanted = f"{_PROVIDER}/*{AWS_PROVIDER_VERSION}*"
    return sorted(mirror for mirror in found if any((mirror.path / mirror.registry).glob(wanted)))


def configuration(mirrors: list[Mirror]) -> str:
    """The text of a CLI configuration that takes the AWS provider from mirrors and all else from its registry."""
    blocks = [
        f"  filesystem_mirror {{\n    path    = {literal(str(mirror.path))}\n"
        f"    include = {literal([mirror.provider])}\n  }}\n"
        for mirror in mirrors
    ]
    mirrored = literal([*sorted({mirror.provider for mirror in mirrors})])
    return f"provider_installation {{\n{''.join(blocks)}  direct {{\n    exclude = {mirrored}\n  }}\n}}\n"


def _write_configuration(mirrors: list[Mirror], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "terraform.rc"
    text = configuration(mirrors)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path
