"""Work spread over processes, where there is enough of it."""

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fleetform import collector

T = TypeVar("T")
R = TypeVar("R")

_work: tuple[Callable[[Any], Any], Sequence[Any]] = (lambda item: item, ())
"""What is done, to what. Forked processes have it in their memory, so that neither is sent to them."""


def spread(act: Callable[[T], R], items: Sequence[T], many: int) -> list[R]:
    """The results for some items, in their order.

    Args:
        act: What is done.
        items: To what; what takes longest first.
        many: From how many on a second process is worth its start.
    """
    workers = min(os.cpu_count() or 1, len(items) * 2 // many)
    with collector.paused():
        if workers < 2 or not hasattr(os, "fork"):  # noqa: PLR2004 - alone
            return [act(item) for item in items]
        return _in_processes(act, items, workers)


def _in_processes(act: Callable[[T], R], items: Sequence[T], workers: int) -> list[R]:
    from multiprocessing import get_context  # noqa: PLC0415 - only a cold run needs processes

    global _work  # noqa: PLW0603 - see there
    _work = (act, items)
    with get_context("fork").Pool(workers) as pool:
        return pool.map(_do, range(len(items)), chunksize=max(1, len(items) // (workers * 16)))


def _do(index: int) -> Any:  # noqa: ANN401 - what the work comes to
    act, items = _work
    return act(items[index])
