"""Fixtures of the sample application's tests."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import ModuleType

import pytest

from .processes import CONTAINERS, Canned, Service, Stub, refusing_url, running, stubbed


@dataclass(frozen=True)
class Chain:
    """All three services, each calling the next."""

    web: Service
    orders: Service
    stock: Service


@pytest.fixture(scope="session")
def chain() -> Iterator[Chain]:
    """One chain for all tests that leave it as it is."""
    with (
        running("stock") as stock,
        running("orders", STOCK_URL=f"http://localhost:{stock.port}") as orders,
        running("web", ORDERS_URL=f"http://localhost:{orders.port}/") as web,
    ):
        yield Chain(web, orders, stock)


@pytest.fixture
def start() -> Iterator[Callable[..., Service]]:
    """Starts a service: its name, and variables as keywords."""
    with ExitStack() as stack:
        yield lambda service, **environment: stack.enter_context(running(service, **environment))


@pytest.fixture
def held_stub() -> Iterator[Callable[..., Stub]]:
    """Starts a stub with its answers; it gives none until it is released."""
    with ExitStack() as stack:
        yield lambda *answers: stack.enter_context(stubbed(answers))


@pytest.fixture
def stub(held_stub: Callable[..., Stub]) -> Callable[..., Stub]:
    """Starts a stub with its answers."""

    def released(*answers: Canned) -> Stub:
        started = held_stub(*answers)
        started.release.set()
        return started

    return released


@pytest.fixture
def dead_url() -> Iterator[str]:
    """The URL of a callee that is not there."""
    with refusing_url() as url:
        yield url


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module of the images, for what is cheaper to test without a process."""
    monkeypatch.syspath_prepend(str(CONTAINERS))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield importlib.import_module
    for name in [
        name for name in sys.modules if name.partition(".")[0] in {"common", "web", "orders", "stock"}
    ]:
        del sys.modules[name]
