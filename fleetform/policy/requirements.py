"""Common requirements of rules: a value is one of some, or it is present."""

from collections.abc import Collection, Iterator
from typing import Final

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Known, Unknown
from fleetform.policy.rule import Fault, Undecided

TRUE: Final = (True, "true")
"""The values that HCL accepts for true."""
FALSE: Final = (False, "false")
"""The values that HCL accepts for false."""


def require(
    resource: Resource, allowed: Collection[Known], fault: Fault, default: Known = None
) -> Iterator[Fault | Undecided]:
    """Require that the value at the fault's path is one of some.

    Args:
        resource: The resource.
        allowed: The accepted values.
        fault: The answer for any other value.
        default: The default of AWS, or of the provider, for an absent value.
    """
    value = resource.value(*fault.at, default=default)
    if isinstance(value, Unknown):
        yield Undecided(fault.at)
    elif value not in allowed:
        yield fault


def require_present(resource: Resource, fault: Fault) -> Iterator[Fault | Undecided]:
    """Require that the value at the fault's path is present and not empty."""
    value = resource.value(*fault.at)
    if isinstance(value, Unknown):
        if not value.present:
            yield Undecided(fault.at)
    elif value in (None, "", [], {}):
        yield fault


def number(value: Known) -> float | Unknown | None:
    """Return a number, which HCL and plans may also write as text; None for anything else."""
    if isinstance(value, (Unknown, int, float)):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None
