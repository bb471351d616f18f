"""Numbers as Terraform has them: the decimals that are written, none rounded."""

import re
from decimal import Decimal
from typing import TypeAlias

Number: TypeAlias = int | float

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def number(text: str) -> Number:
    """Reads a number: an integer as such, a fraction as the float that is written the same.

    Raises:
        ValueError: It is no number, or has more digits than a float.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"no number: {text}")
    exact = Decimal(text)
    if exact == exact.to_integral_value():
        return int(exact)
    nearest = float(exact)
    if Decimal(repr(nearest)) != exact:
        raise ValueError(f"more digits than a float has: {text}")
    return nearest


def written(value: Number) -> str:
    """A number as Terraform writes it: without an exponent."""
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")
