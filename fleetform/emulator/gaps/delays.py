"""What AWS does a few seconds after it has answered, such as releasing the network interface of a task."""

import time
from collections.abc import Callable

# AWS takes as long as tasks take to stop, plus up to a minute for their network interfaces. Two seconds are
# enough for a program that does not wait to notice.
DEFAULT_SECONDS = 2.0


class Delays:
    """Acts that are due later; each request first carries out those that have become due.

    Args:
        clock: Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = DEFAULT_SECONDS
        self._clock = clock
        self._pending: list[tuple[float, Callable[[], None]]] = []

    def later(self, act: Callable[[], None]) -> None:
        """Carry out an act after the delay; without a delay, immediately."""
        if self.seconds:
            self._pending.append((self._clock() + self.seconds, act))
        else:
            act()

    def run_due(self) -> None:
        """Carry out the acts that are due, in the order in which they were planned."""
        now = self._clock()
        due = [act for at, act in self._pending if at <= now]
        self._pending = [(at, act) for at, act in self._pending if at > now]
        for act in due:
            act()


DELAYS = Delays()
