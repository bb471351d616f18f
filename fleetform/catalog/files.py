"""Paths of the catalog's files, relative to the project's root."""

from pathlib import Path, PurePath

CATALOG = PurePath("envs/catalog.yaml")

LOCK_NAME = "images.lock.yaml"

NETWORK_LOCK_NAME = "network.lock.yaml"

EXTRA_NAME = "extra"
"""Folder inside a stack's folder for your custom Terraform: a module that the stack calls."""


def environment_file(name: str) -> PurePath:
    """Return the YAML of an environment."""
    return PurePath("envs", name, "environment.yaml")


def lock_file(env: str) -> PurePath:
    """Return the image lock of an environment."""
    return PurePath("envs", env, LOCK_NAME)


def network_lock_file(env: str) -> PurePath:
    """Return the network lock of an environment."""
    return PurePath("envs", env, NETWORK_LOCK_NAME)


def baseline_file(env: str) -> PurePath:
    """Return the policy baseline of an environment."""
    return PurePath("envs", env, "policy-baseline.json")


def environment_names(root: Path) -> list[str]:
    """Return the environments of a project, sorted."""
    return sorted(path.parent.name for path in (root / "envs").glob("*/environment.yaml"))
