from pathlib import PurePath

import pytest

from fleetform.base.errors import Position
from fleetform.catalog.nodes import Node, Plain, parse_yaml
from fleetform.catalog.overlay import overlay, remove_nulls

BASE = PurePath("base.yaml")
OVER = PurePath("over.yaml")


def tree(text: str, file: PurePath) -> Node:
    node, problems = parse_yaml(text, file)
    assert problems == []
    return node


def merged(base: str, over: str) -> Plain:
    return remove_nulls(overlay(tree(base, BASE), tree(over, OVER))).plain()


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        pytest.param("a: 1\nb: 2", "b: 3\nc: 4", {"a": 1, "b": 3, "c": 4}, id="mappings merge by key"),
        pytest.param(
            "a: {b: {c: 1, d: 2}}", "a: {b: {d: 3}}", {"a": {"b": {"c": 1, "d": 3}}}, id="at every depth"
        ),
        pytest.param("a: [1, 2]", "a: [3]", {"a": [3]}, id="a list replaces a list"),
        pytest.param("a: {b: 1}", "a: 2", {"a": 2}, id="a scalar replaces a mapping"),
        pytest.param("a: {b: 1}", "a: [2]", {"a": [2]}, id="a list replaces a mapping"),
        pytest.param("a: 2", "a: {b: 1}", {"a": {"b": 1}}, id="a mapping replaces a scalar"),
        pytest.param("a: {b: 1}", "a: {}", {"a": {"b": 1}}, id="an empty mapping changes nothing"),
        pytest.param("a: [1]", "a: []", {"a": []}, id="an empty list replaces"),
        pytest.param("a: 1\nb: 2", "a: null", {"b": 2}, id="null removes"),
        pytest.param("a: {b: 1, c: 2}", "a: {b: ~}", {"a": {"c": 2}}, id="null removes at every depth"),
        pytest.param("a: {b: 1}", "a:\n", {}, id="nothing is null"),
        pytest.param("b: 2", "a: null", {"b": 2}, id="null under nothing is nothing"),
        pytest.param(
            "a: false\nb: 1", "a: 0\nb: ''", {"a": 0, "b": ""}, id="false, 0 and empty text are not null"
        ),
        pytest.param("", "a: 1", {"a": 1}, id="over an empty catalog"),
        pytest.param("a: 1", "", {"a": 1}, id="nothing over a catalog"),
    ],
)
def test_mappings_merge_and_everything_else_replaces(base: str, over: str, expected: Plain) -> None:
    assert merged(base, over) == expected


def test_values_know_their_file_and_what_they_replaced() -> None:
    node = overlay(tree("a:\n  b: 1\n  c: 2\n", BASE), tree("x: 0\na:\n  c: 3\n", OVER))
    assert node == Node(
        {
            "a": Node(
                {
                    "b": Node(1, Position(BASE, 2, 6), Position(BASE, 2, 3)),
                    "c": Node(
                        3,
                        Position(OVER, 3, 6),
                        Position(OVER, 3, 3),
                        Node(2, Position(BASE, 3, 6), Position(BASE, 3, 3)),
                    ),
                },
                Position(BASE, 2, 3),
                Position(BASE, 1, 1),
            ),
            "x": Node(0, Position(OVER, 1, 4), Position(OVER, 1, 1)),
        },
        Position(BASE, 1, 1),
    )


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param(
            ["a: {b: 1}", "a: null", "a: {c: 2}"], {"a": {"c": 2}}, id="null removes all that is below"
        ),
        pytest.param(["a: {b: 1}", "a: 5", "a: {c: 2}"], {"a": {"c": 2}}, id="so does a scalar"),
        pytest.param(
            ["a: {b: 1}", "a: {c: 2}", "a: {b: ~}"], {"a": {"c": 2}}, id="null removes from two layers below"
        ),
        pytest.param(["a: 1", "a: null", "b: 2"], {"b": 2}, id="null keeps what it removed away"),
        pytest.param(["a: 1", "b: 2", "a: 3"], {"a": 3, "b": 2}, id="the last wins"),
    ],
)
def test_overlaying_is_associative(layers: list[str], expected: Plain) -> None:
    low, middle, high = (tree(text, BASE) for text in layers)
    from_below, from_above = overlay(overlay(low, middle), high), overlay(low, overlay(middle, high))
    assert from_below == from_above
    assert remove_nulls(from_below).plain() == expected


def test_a_value_knows_everything_that_it_replaced() -> None:
    node = overlay(tree("a: 1", BASE), overlay(tree("a: 2", BASE), tree("a: 3", OVER))).at(("a",))
    replaced = []
    while node is not None:
        replaced.append((node.value, node.position.file))
        node = node.replaced
    assert replaced == [(3, OVER), (2, BASE), (1, BASE)]


def test_overlaying_changes_neither_tree() -> None:
    base, over = tree("a: {b: 1}", BASE), tree("a: {b: null, c: 2}", OVER)
    overlay(base, over)
    assert base == tree("a: {b: 1}", BASE)
    assert over == tree("a: {b: null, c: 2}", OVER)


def test_keys_keep_the_catalogs_order_and_new_ones_follow() -> None:
    assert list(merged("b: 1\na: 2\n", "c: 3\na: 4\n")) == ["b", "a", "c"]  # type: ignore[arg-type]


def test_remaining_nulls_are_removed_from_mappings() -> None:
    node = remove_nulls(tree("a: null\nb: {c: ~, d: 1}\ne: [null]\n", BASE))
    assert node.plain() == {"b": {"d": 1}, "e": [None]}
