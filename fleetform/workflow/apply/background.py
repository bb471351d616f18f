"""Runs a function in the background, such as AWS requests.

They take half a second, most of it the import of boto3.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """A function that runs in its own thread, started at once.

    A function whose result is not read ends with the process.

    Args:
        act: The function. It must not print or change shared data.
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
        except BaseException as error:  # noqa: BLE001 - `result` raises it
            self._error = error

    def result(self) -> T:
        """Wait for the function, and return its result or raise its error."""
        self._thread.join()
        if self._error:
            raise self._error
        return self._results[0]
