"""Work spread over processes, where there is enough of it."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

from fleetform import collector
from fleetform.errors import ProgramError
from fleetform.programs import ENDING

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

    Raises:
        ProgramError: One of the processes was killed.
    """
    workers = min(os.cpu_count() or 1, len(items) * 2 // many)
    with collector.paused():
        if workers < 2 or not hasattr(os, "fork"):  # noqa: PLR2004 - alone
            return [act(item) for item in items]
        return _in_processes(act, items, workers)


def _in_processes(act: Callable[[T], R], items: Sequence[T], workers: int) -> list[R]:
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - only a cold run needs processes
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415
    from multiprocessing import get_context  # noqa: PLC0415

    global _work  # noqa: PLW0603 - see there
    _work = (act, items)
    try:
        with ProcessPoolExecutor(workers, get_context("fork"), _begin) as pool:
            with _held_signals():
                results = pool.map(_do, range(len(items)), chunksize=max(1, len(items) // (workers * 16)))
            return list(results)
    except BrokenProcessPool:
        raise ProgramError("a worker process was killed, possibly out of memory; run the command again") from None


@contextmanager
def _held_signals() -> Iterator[None]:
    """Holds back what ends us: a process that was forked just now would take it for its own, half made as it is."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Has a process that has been forked end with the one that it works for, which alone heeds Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for sign in set(ENDING) - {signal.SIGINT}:
        signal.signal(sign, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import connection, parent_process  # noqa: PLC0415 - only a cold run needs processes

    parent = parent_process()
    if parent:
        connection.wait([parent.sentinel])
        os._exit(1)


def _do(index: int) -> Any:  # noqa: ANN401 - what the work comes to
    act, items = _work
    return act(items[index])
