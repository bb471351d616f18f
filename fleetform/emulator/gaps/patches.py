"""Patches moto's classes, and fails if they are not what a gap expects."""

import functools
from collections.abc import Callable
from typing import Any

import moto
from moto.core.responses import BaseResponse

Method = Callable[..., Any]


def parameter(response: BaseResponse, name: str) -> Any:  # noqa: ANN401 -- whatever JSON the request holds
    """Return a parameter of the request; None if it is missing."""
    return response._get_param(name)  # noqa: SLF001 -- how every response of moto reads its parameters


def wrap(owner: type, name: str, wrapper: Callable[[Method], Method]) -> None:
    """Wrap one of moto's methods."""
    original = getattr(owner, name, None)
    if original is None:
        raise RuntimeError(
            f"moto {moto.__version__} has no {owner.__name__}.{name}: review {wrapper.__module__}"
        )
    setattr(owner, name, functools.wraps(original)(wrapper(original)))


def add(owner: type, method: Method) -> None:
    """Add a method that moto lacks."""
    if hasattr(owner, method.__name__):
        raise RuntimeError(
            f"moto {moto.__version__} now has {owner.__name__}.{method.__name__}: review {method.__module__}"
        )
    setattr(owner, method.__name__, method)
