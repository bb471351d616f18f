"""How xdist hands tests to its workers; loaded where xdist is."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.order import scope


class Scheduler(LoadScopeScheduling):
    """Hands a file to one worker, so that what its tests share is made once.

    Slow files one test at a time.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:  # noqa: ANN401 - xdist's own
    """Choose our scheduler, which keeps the order that tests were collected in."""
    config.option.loadscopereorder = False
    return Scheduler(config, log)
