"""The keys at a position, found by indentation."""

from pathlib import PurePath

import pytest

from fleetform.base.errors import Position
from fleetform.catalog.keys_by_indentation import KeyPath, find_key_paths
from fleetform.catalog.nodes import Node, parse_yaml

FILE = PurePath("a.yaml")
CATALOG = """\
# A comment: it is not a key.
region: eu-west-1
"quoted key": 'a: b'
services:
  web: # a comment
    image: nginx:1.29
    calls: [orders, { service: stock, port: 80 }]
    environment: { URL: "http://x", NAME: y }
    text: |
      key: within a text
    command:
    - serve
    - --port
    health_check: &check
      command: [check]

  orders:
    health_check:
      retries: 3
exceptions:
  - rule: FF001
    reason: why
  -   rule: FF002
tags:
  aws:owner: me
"""


def at(text: str, line: int, column: int) -> KeyPath:
    position = Position(FILE, line, column)
    return find_key_paths(text.split("\n"), [position])[position]


def walk(node: Node, path: KeyPath) -> dict[Position, KeyPath]:
    """Return every scalar of a tree, by its position; for items, their list."""
    if isinstance(node.value, dict):
        return {
            place: found
            for key, child in node.value.items()
            for place, found in walk(child, (*path, key)).items()
        }
    if isinstance(node.value, list):
        return {place: found for child in node.value for place, found in walk(child, path).items()}
    return {node.position: path}


def test_every_value_of_a_catalog_is_found_under_its_keys() -> None:
    values = walk(parse_yaml(CATALOG, FILE)[0], ())
    found = find_key_paths(CATALOG.split("\n"), list(values))
    assert {
        place: tuple(key for key in path if isinstance(key, str)) for place, path in found.items()
    } == values


@pytest.mark.parametrize(
    ("line", "column", "keys"),
    [
        (2, 1, ()),
        (3, 1, ("quoted key",)),
        (4, 1, ("services",)),
        (5, 3, ("services", "web")),
        (7, 5, ("services", "web", "calls")),
        (7, 23, ("services", "web", "calls", 1, "service")),
        (8, 37, ("services", "web", "environment", "NAME")),
        (14, 19, ("services", "web", "health_check")),
        (16, 1, ()),
        (17, 3, ("services", "orders")),
        (19, 7, ("services", "orders", "health_check", "retries")),
        (21, 5, ("exceptions",)),
        (22, 5, ("exceptions", "reason")),
        (25, 3, ("tags", "aws:owner")),
        (26, 1, ()),
    ],
)
def test_a_position_has_the_keys_that_lead_to_it(line: int, column: int, keys: KeyPath) -> None:
    assert at(CATALOG, line, column) == keys


@pytest.mark.parametrize(
    ("text", "line", "column", "keys"),
    [
        ("a:\n  b: [\n  c: 1\n", 2, 6, ("a", "b")),
        ("a:\n  b: *c\n", 2, 6, ("a", "b")),
        ("a:\n  b: {\n    c: 1 }\n", 3, 8, ("a", "b", "c")),
        ("a:\n\tb: 1\n", 2, 1, ()),
        ("a:\n  b c\n", 2, 3, ("a",)),
    ],
)
def test_a_position_in_invalid_yaml_has_the_keys_above_it(
    text: str, line: int, column: int, keys: KeyPath
) -> None:
    assert at(text, line, column) == keys
