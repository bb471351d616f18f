"""The order of tests, and which of them one worker runs."""

from collections.abc import Iterable

# One worker runs all of these: their tests share what takes long to make. The longest come first.
TOGETHER = (
    "engines/test_running.py",
    "engines/test_deployment.py",
    "engines/test_demo.py",
    "end_to_end/test_wheel.py",
    "end_to_end/test_upgrade.py",
    "end_to_end/",
    "environments/production/",
    "modules/",
    "environments/",
    "engines/test_images.py",
    "engines/test_compose.py",
    "engines/",
)

# Each test of these takes seconds and shares little: it goes to whichever worker is free.
APART = ("faults/", "checkov/", "cli/", "workflow/", "images/", "emulator/", "test_")


def _first(nodeid: str, prefixes: Iterable[str]) -> str | None:
    return next((prefix for prefix in prefixes if nodeid.startswith(f"tests/{prefix}")), None)


def place(nodeid: str) -> int:
    """Return where a test is in the order.

    Long groups, slow tests, and at the end whole files of quick ones.
    """
    group = _first(nodeid, TOGETHER)
    if group:
        return TOGETHER.index(group)
    return len(TOGETHER) + (0 if _first(nodeid, APART) else 1)


def scope(nodeid: str) -> str:
    """Return the name that tests share if one worker runs them."""
    if group := _first(nodeid, TOGETHER):
        return group
    return nodeid if _first(nodeid, APART) else nodeid.partition("::")[0]
