"""How an environment is laid over the catalog. One rule: mappings merge by key, all else replaces, null removes."""

from fleetform.catalog.nodes import Node


def overlay(base: Node, over: Node) -> Node:
    """Lays one tree over another.

    Returns:
        The merged tree: every value keeps the position that it came from, a merged mapping that of the base.
    """
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        if node.value is None:
            merged.pop(key, None)
        elif key in merged:
            merged[key] = overlay(merged[key], node)
        else:
            merged[key] = node
    return Node(merged, base.position, base.key_position)


def without_nulls(node: Node) -> Node:
    """Removes null entries of mappings, which mean "not given" where there is nothing under them to remove."""
    if isinstance(node.value, dict):
        kept = {key: without_nulls(child) for key, child in node.value.items() if child.value is not None}
        return Node(kept, node.position, node.key_position)
    return node
