"""What the catalog, the stacks and the policy go by: apart from the models, whose import takes a tenth of a second."""

from collections.abc import Mapping

DEFAULT_GROUP = "services"
"""The group of a service that names none."""

FOUNDATION_NAME = "foundation"
"""The stack that no service is in: what services have in common."""

TASKS_NAME = "tasks"
"""The stack of tasks that run before services are updated."""

SHORTEST_REASON = 10
"""Characters of a reason for an exception of the policy, at least."""

_GIB = 1024
FARGATE_MEMORY: Mapping[int, tuple[int, ...]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}
"""Sizes of a task on Fargate, in MiB by CPU units.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

MARK = "<!-- Generated from here on: invoke schema -->"
"""In documents, where what people write ends."""
