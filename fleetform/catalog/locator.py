"""Positions of values in the YAML, written or not."""

from collections.abc import Callable
from typing import TypeAlias

from fleetform.base.errors import Position
from fleetform.catalog.nodes import Node

Locator: TypeAlias = Callable[..., Position]


def locator(tree: Node, *base: str) -> Locator:
    """Return a function that finds the position of a value under `base`, or of the nearest key above it.

    With `key=True`, it finds the position of the key instead.
    """

    def at(*path: str | int, key: bool = False) -> Position:
        steps: tuple[str | int, ...] = (*base, *path)
        while (node := tree.at(steps)) is None:
            steps = steps[:-1]
        is_key = key or len(steps) < len(base) + len(path) or not path
        return node.key_position if is_key and node.key_position else node.position

    return at


def locator_below(at: Locator, *base: str | int) -> Locator:
    """Return a locator for the values below a path."""

    def at_below(*path: str | int, key: bool = False) -> Position:
        return at(*base, *path, key=key)

    return at_below
