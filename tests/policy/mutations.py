"""Safe settings of the shipped modules, and which rule says so when one is turned off."""

from pathlib import PurePath
from typing import NamedTuple


class Mutation(NamedTuple):
    """One setting turned off.

    Attributes:
        file: The module's file.
        safe: How it ships; stands there exactly `times` times.
        unsafe: What takes its place.
        rules: The rules that must fire, and no others.
        times: How often it stands there.
    """

    file: PurePath
    safe: str
    unsafe: str
    rules: frozenset[str]
    times: int = 1


def _of(file: str, safe: str, unsafe: str, *rules: str, times: int = 1) -> Mutation:
    return Mutation(PurePath("modules", file), safe, unsafe, frozenset(rules), times)


MUTATIONS = (
    _of("network/vpc.tf", "enable_dns_hostnames = true", "enable_dns_hostnames = false", "FF005"),
    _of("network/vpc.tf", "enable_dns_support   = true", "enable_dns_support   = false", "FF005"),
    _of("registry/repositories.tf", '"IMMUTABLE"', '"MUTABLE"', "FF002"),
)
