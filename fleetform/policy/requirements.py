"""Common requirements of rules: a value is one of some, or it is present."""

from collections.abc import Collection, Iterator
from typing import Final

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown, Value
from fleetform.policy.rule import Undecided, Violation

TRUE: Final = (True, "true")
"""The values that HCL accepts for true."""
FALSE: Final = (False, "false")
"""The values that HCL accepts for false."""


def require(
    resource: Resource, allowed: Collection[Value], violation: Violation, default: Value = None
) -> Iterator[Violation | Undecided]:
    """Require that the value at the violation's path is one of some.

    Args:
        resource: The resource.
        allowed: The accepted values.
        violation: The answer for any other value.
        default: The default of AWS, or of the provider, for an absent value.
    """
    value = resource.value(*violation.at, default=default)
    if isinstance(value, Unknown):
        yield Undecided(violation.at)
    elif value not in allowed:
        yield violation


def require_present(resource: Resource, violation: Violation) -> Iterator[Violation | Undecided]:
    """Require that the value at the violation's path is present and not empty."""
    value = resource.value(*violation.at)
    if isinstance(value, Unknown):
        if not value.present:
            yield Undecided(violation.at)
    elif value in (None, "", [], {}):
        yield violation


def number(value: Value) -> float | Unknown | None:
    """Return a number, which HCL and plans may also write as text; None for anything else."""
    if isinstance(value, (Unknown, int, float)):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None
