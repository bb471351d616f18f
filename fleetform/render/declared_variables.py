"""The variables that the module in a stack's `extra/` declares."""

from typing import NamedTuple

from fleetform.base.errors import Position


class Variable(NamedTuple):
    """A variable of the module.

    Attributes:
        name: Its name.
        required: Whether it has no default.
        place: Where it is declared.
    """

    name: str
    required: bool
    place: Position
