"""Small projects for tests: a catalog and one environment, `dev`."""

from pathlib import Path

from fleetform.catalog.models import Environment
from fleetform.validation.loading import load

HEAD = """\
application: shop
account: "123456789012"
region: eu-west-1
zones: [eu-west-1a, eu-west-1b]
"""
"""The first four lines of a catalog: everything that it needs except services."""


def project(root: Path, catalog: str, environment: str = "") -> Path:
    """Write a project and return its root."""
    folder = root / "envs" / "dev"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "envs" / "catalog.yaml").write_text(catalog, encoding="utf-8")
    (folder / "environment.yaml").write_text(environment, encoding="utf-8")
    return root


def loaded(root: Path, catalog: str, environment: str = "") -> Environment:
    """Return the environment `dev` of a project."""
    return load(project(root, catalog, environment), "dev")


def yaml_string(value: str) -> str:
    """Format a value as a YAML double-quoted scalar, with everything but plain ASCII escaped."""
    return (
        '"'
        + "".join(
            c if c.isascii() and c.isprintable() and c not in '\\"' else f"\\U{ord(c):08x}" for c in value
        )
        + '"'
    )
