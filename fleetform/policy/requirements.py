"""What most rules ask of a value: to be one of some, or to be there at all."""

from collections.abc import Collection, Iterator
from typing import Final

from fleetform.policy.rule import Fault, Undecided
from fleetform.policy.values import Known, Unknown
from fleetform.policy.view import Resource

TRUE: Final = (True, "true")
"""On, as HCL may have it."""
FALSE: Final = (False, "false")
"""Off."""


def require(
    resource: Resource, allowed: Collection[Known], fault: Fault, default: Known = None
) -> Iterator[Fault | Undecided]:
    """The value at the fault's place is one of some.

    Args:
        resource: The resource.
        allowed: The values that are right.
        fault: What to say otherwise.
        default: What AWS, or the provider, takes if nothing is given.
    """
    value = resource.value(*fault.at, default=default)
    if isinstance(value, Unknown):
        yield Undecided(fault.at)
    elif value not in allowed:
        yield fault


def require_present(resource: Resource, fault: Fault) -> Iterator[Fault | Undecided]:
    """The value at the fault's place is given, and not empty."""
    value = resource.value(*fault.at)
    if isinstance(value, Unknown):
        if not value.present:
            yield Undecided(fault.at)
    elif value in (None, "", [], {}):
        yield fault


def number(value: Known) -> float | Unknown | None:
    """A number, which HCL and plans also write as text; None for anything else."""
    if isinstance(value, (Unknown, int, float)):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None
