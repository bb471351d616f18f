"""`envs/<environment>/network.lock.yaml`: the number of each zone, which its subnets have in their addresses.

A subnet cannot move: another zone or CIDR block would replace it under the tasks in it. So a zone keeps its
number wherever it is in `zones`, and a zone that is removed keeps it too, because its subnet still exists
while the subnet of another zone is created.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from fleetform.base.errors import Problem
from fleetform.base.program_name import command
from fleetform.catalog.environment import Environment
from fleetform.catalog.files import network_lock_file
from fleetform.catalog.nodes import Node, read_yaml
from fleetform.catalog.repository import reject_outside

_HEADER = (
    "# Written by `invoke render`. Committed: each zone keeps the number of its subnets.\n"
    "# Remove a zone only once it is not in `zones` and its subnets are destroyed.\n"
)
_ZONE = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9][a-z]")


def read_numbers(root: Path, env: str) -> tuple[dict[str, int], list[Problem]]:
    """Read an environment's lock.

    Returns:
        The numbers by zone, empty without a lock, and the problems of the lock.

    Raises:
        InputError: The lock is a symbolic link to outside the repository.
    """
    file = network_lock_file(env)
    if not (root / file).exists():
        return {}, []
    reject_outside(root, file)
    tree, problems = read_yaml(root / file, file)
    if not isinstance(tree.value, dict):
        return {}, [*problems, Problem(tree.position, "expected a mapping of zones", _remedy(env))]
    numbers: dict[str, int] = {}
    for zone, node in tree.value.items():
        if problem := _problem(zone, node, numbers, env):
            problems.append(problem)
        else:
            numbers[zone] = int(str(node.value))
    return numbers, problems


def _problem(zone: str, node: Node, numbers: Mapping[str, int], env: str) -> Problem | None:
    """Return what is wrong with an entry, given those before it."""
    number = node.value
    if not _ZONE.fullmatch(zone):
        return Problem(node.key_position or node.position, f"`{zone}` is not a zone", _remedy(env))
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        return Problem(node.position, f"the number of `{zone}` is not 1 or more", _remedy(env))
    if number in numbers.values():
        return Problem(node.position, f"`{zone}` has the number of another zone", _remedy(env))
    return None


def _remedy(env: str) -> str:
    return f"restore this file from Git, and run `{command('render', env=env)}`"


def format_lock(environment: Environment) -> str | None:
    """Format the lock as YAML, by number; None if the subnets are not the environment's own."""
    if environment.network.vpc is not None:
        return None
    numbers = {**environment.locked_zone_numbers, **environment.zone_numbers}
    return _HEADER + "".join(
        f"{zone}: {numbers[zone]}\n" for zone in sorted(numbers, key=numbers.__getitem__)
    )
