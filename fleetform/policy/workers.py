"""Work spread over processes, where there is enough of it."""

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from fleetform import collector

T = TypeVar("T")
R = TypeVar("R")


def spread(act: Callable[[T], R], items: Sequence[T], many: int) -> list[R]:
    """The results for some items, in their order.

    Args:
        act: What is done, a function at the top of a module.
        items: To what.
        many: From how many on processes are worth their start.
    """
    workers = min(os.cpu_count() or 1, len(items) * 2 // many)
    with collector.paused():
        if workers < 2 or not hasattr(os, "fork"):  # noqa: PLR2004 - alone
            return [act(item) for item in items]
        return _in_processes(act, items, workers)


def _in_processes(act: Callable[[T], R], items: Sequence[T], workers: int) -> list[R]:
    from multiprocessing import get_context  # noqa: PLC0415 - only a cold run needs processes

    # Forked, they have all that is in memory here, and garbage is not collected in them either.
    with get_context("fork").Pool(workers) as pool:
        return pool.map(act, items, chunksize=max(1, len(items) // (workers * 8)))
