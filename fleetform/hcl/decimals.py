"""Numbers as Terraform has them: decimals, never rounded."""

import re
from decimal import Decimal
from typing import TypeAlias

Number: TypeAlias = int | float

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def number(text: str) -> Number:
    """Return a number: an integer, or a fraction as the float with the same decimal digits.

    Raises:
        ValueError: The text is not a number, or has more digits than a float.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text}")
    exact = Decimal(text)
    if exact == exact.to_integral_value():
        return int(exact)
    nearest = float(exact)
    if Decimal(repr(nearest)) != exact:
        raise ValueError(f"more digits than a float has: {text}")
    return nearest


def format_number(value: Number) -> str:
    """Return a number as Terraform writes it: without an exponent."""
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")
