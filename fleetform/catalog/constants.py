"""Constants that need no models, whose import takes a tenth of a second."""

from collections.abc import Mapping

DEFAULT_GROUP = "services"
"""The default group of a service."""

FOUNDATION_NAME = "foundation"
"""The stack of shared resources, which contains no service."""

TASKS_NAME = "tasks"
"""The stack of `run_before` tasks, which run before services are updated."""

AWS_PROVIDER_VERSION = "5.100.0"
"""The provider version that every stack pins: the same plan on every machine."""

MIN_REASON_LENGTH = 10
"""Minimum length of the reason for a policy exception, in characters."""

DOCKERFILE = "Dockerfile"
"""The default Dockerfile of a build context."""

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
"""Memory sizes of a Fargate task in MiB, by CPU units.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

GENERATED_MARK = "<!-- Generated from here on: ./run schema -->"
"""Separates the handwritten part of a document from the generated part below it."""
