"""Work in parallel processes, where there is enough of it."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

from fleetform.base import gc
from fleetform.base.errors import ProgramError
from fleetform.base.processes import END_SIGNALS

T = TypeVar("T")
R = TypeVar("R")

_work: tuple[Callable[[Any], Any], Sequence[Any]] = (lambda item: item, ())
"""The function and its items, which forked processes inherit in their memory instead of receiving them."""


def map_in_processes(function: Callable[[T], R], items: Sequence[T], many: int) -> list[R]:
    """Return the results for some items, in order.

    Args:
        function: The function.
        items: The items; those that take longest first.
        many: The number of items that justifies a second process.

    Raises:
        ProgramError: One of the processes was killed.
    """
    workers = min(os.cpu_count() or 1, len(items) * 2 // many)
    with gc.paused():
        if workers < 2 or not hasattr(os, "fork"):  # noqa: PLR2004 - no parallelism
            return [function(item) for item in items]
        return _in_processes(function, items, workers)


def _in_processes(function: Callable[[T], R], items: Sequence[T], workers: int) -> list[R]:
    global _work  # noqa: PLW0603 - see there
    _work = (function, items)
    try:
        with ProcessPoolExecutor(workers, get_context("fork"), _start_worker) as pool:
            with _blocked_signals():
                results = pool.map(
                    _run_item, range(len(items)), chunksize=max(1, len(items) // (workers * 16))
                )
            return list(results)
    except BrokenProcessPool:
        raise ProgramError(
            "a worker process was killed, possibly out of memory; run the command again"
        ) from None


@contextmanager
def _blocked_signals() -> Iterator[None]:
    """Block the signals that end us: a process just forked would handle them half initialized."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker() -> None:
    """Make a forked process end with its parent, which alone handles Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for sign in set(END_SIGNALS) - {signal.SIGINT}:
        signal.signal(sign, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        connection.wait([parent.sentinel])
        os._exit(1)


def _run_item(index: int) -> Any:  # noqa: ANN401 - the result of the work
    function, items = _work
    return function(items[index])
