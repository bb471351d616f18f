"""A fact of the catalog beside what AWS has."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """An actual value beside the expected one."""

    subject: str
    expected: object
    actual: object
