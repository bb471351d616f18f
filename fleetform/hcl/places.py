"""Names at a position in a file."""

from collections.abc import Iterator

from fleetform.hcl.syntax import Block, Expression, File, Items, Object

Names = tuple[str, ...]


def names_at(file: File, line: int, column: int) -> Names:
    """Return the names of what begins at a position: `("module", "web", "containers", "web", "user")`.

    Args:
        file: The file.
        line: 1-based.
        column: 1-based.

    Returns:
        Kind and labels of the block, then arguments and keys; empty if nothing with a name begins there.
    """
    return next((names for place, names in _places(file) if place == (line, column)), ())


def _places(file: File) -> Iterator[tuple[tuple[int, int], Names]]:
    for name, argument in file.arguments.items():
        yield (argument.line, argument.column), (name,)
        yield from _within(argument.value, (name,))
    for block in file.blocks:
        yield from _of_block(block, ())


def _of_block(block: Block, above: Names) -> Iterator[tuple[tuple[int, int], Names]]:
    names = (*above, block.kind, *block.labels)
    yield (block.line, block.column), names
    for name, argument in block.arguments.items():
        yield (argument.line, argument.column), (*names, name)
        yield from _within(argument.value, (*names, name))
    for inner in block.blocks:
        yield from _of_block(inner, names)


def _within(node: Expression, names: Names) -> Iterator[tuple[tuple[int, int], Names]]:
    if isinstance(node, Object):
        for entry in node.entries:
            if isinstance(entry.key, str):
                yield (entry.line, entry.column), (*names, entry.key)
                yield from _within(entry.value, (*names, entry.key))
    elif isinstance(node, Items):
        for item, place in zip(node.items, node.places, strict=True):
            yield place, names
            yield from _within(item, names)
