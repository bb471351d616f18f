"""What is found out while a program runs: AWS is asked in half a second, most of it the import of boto3."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """A function that runs in a thread of its own, begun at once.

    Nobody waits for one whose result is not asked for: it ends with the process.

    Args:
        act: The function; it neither prints nor changes what others read.
    """

    def __init__(self, act: Callable[[], T]) -> None:
        self._act = act
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._act())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is wanted
            self._error = error

    def result(self) -> T:
        """Waits for it: what it returned, or what it raised is raised here."""
        self._thread.join()
        if self._error:
            raise self._error
        return self._results[0]
