"""How one tree is laid over another. One rule: mappings merge by key, all else replaces, null removes."""

from fleetform.catalog.nodes import Node


def overlay(base: Node, over: Node) -> Node:
    """Lays one tree over another.

    Returns:
        The merged tree: every value keeps the position that it came from and knows what it replaced, a merged mapping
        keeps the position of the base. Nulls stay, so that they remove what more is laid under them, until
        `without_nulls`.
    """
    if not isinstance(base.value, dict) or not isinstance(over.value, dict) or over.replaced is not None:
        return _replacing(base, over)
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = overlay(merged[key], node) if key in merged else node
    return Node(merged, base.position, base.key_position, base.replaced)


def _replacing(base: Node, over: Node) -> Node:
    """The node `over`, with the base below all that it has replaced already."""
    layers = [over]
    while (below := layers[-1].replaced) is not None:
        layers.append(below)
    node = base
    for layer in reversed(layers):
        node = Node(layer.value, layer.position, layer.key_position, node)
    return node


def without_nulls(node: Node) -> Node:
    """Removes null entries of mappings: they have removed what was under them, or mean "not given"."""
    if isinstance(node.value, dict):
        kept = {key: without_nulls(child) for key, child in node.value.items() if child.value is not None}
        return Node(kept, node.position, node.key_position, node.replaced)
    return node
