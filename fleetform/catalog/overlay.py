"""Lay one tree over another: mappings merge by key, everything else replaces, null removes."""

from fleetform.catalog.nodes import Node


def overlay(base: Node, over: Node) -> Node:
    """Lay one tree over another.

    Returns:
        The merged tree. Every value keeps its position and knows what it replaced; a merged mapping keeps the
        position of the base. Nulls stay until `remove_nulls`, so that they also remove what is later laid
        under them.
    """
    if not isinstance(base.value, dict) or not isinstance(over.value, dict) or over.replaced is not None:
        return _replace(base, over)
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = overlay(merged[key], node) if key in merged else node
    return Node(merged, base.position, base.key_position, base.replaced)


def _replace(base: Node, over: Node) -> Node:
    """Return the node `over`, with the base below everything that it has already replaced."""
    layers = [over]
    while (below := layers[-1].replaced) is not None:
        layers.append(below)
    node = base
    for layer in reversed(layers):
        node = Node(layer.value, layer.position, layer.key_position, node)
    return node


def remove_nulls(node: Node) -> Node:
    """Remove null entries of mappings: they have removed what was under them, or mean "not set"."""
    if isinstance(node.value, dict):
        entries = {key: remove_nulls(child) for key, child in node.value.items() if child.value is not None}
        return Node(entries, node.position, node.key_position, node.replaced)
    return node
