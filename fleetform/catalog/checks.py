"""Checks that look at more than one value: names against names, numbers against AWS's tables and quotas.

Each check is a generator of problems. They run on the services that are sound in themselves, so that a mistake in one
service does not hide a mistake in another.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

from fleetform.catalog.models import SUBNET_PREFIX, Environment, Service, url_variable
from fleetform.catalog.nodes import Node
from fleetform.errors import Position, Problem

_GIB = 1024
# Task size, in MiB by CPU units: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
FARGATE_MEMORY: Mapping[int, tuple[int, ...]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}

# IAM role names have 64 characters at most (IAM quotas); the longest that is made of a service's name ends in this.
_ROLE_NAME_LIMIT = 64
_ROLE_SUFFIX = "-execution"

# Of a longer list of known words, so many are named.
_SHOWN = 20
# Words are alike that have so many percent of their letters in common; one of so many letters was never a slip.
_ALIKE = 60
_LONGEST = 100

Services: TypeAlias = Mapping[str, Service]


def closest(word: str, known: Collection[str]) -> str | None:
    """The known word most like this one, if any is; quick among thousands, where `difflib` takes seconds."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only mistakes need it

    found = process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=_ALIKE) if len(word) <= _LONGEST else None
    return found[0] if found else None


def suggestion(word: str, known: list[str]) -> str:
    """``did you mean `x`?`` with the known word most like this one, else the list of known words."""
    close = closest(word, known)
    if close is not None:
        return f"did you mean `{close}`?"
    more = [f"and {len(known) - _SHOWN} more"] if len(known) > _SHOWN else []
    return f"known: {', '.join([*known[:_SHOWN], *more])}" if known else "none is known here"


def check_calls(tree: Node) -> Iterator[Problem]:
    """Each call leads to another service, once; read from the tree, as it needs no sound service."""
    services = tree.at(("services",))
    if services is None or not isinstance(services.value, dict):
        return
    for caller, service in services.value.items():
        calls = service.at(("calls",))
        seen: set[object] = set()
        for call in calls.value if calls is not None and isinstance(calls.value, list) else []:
            if isinstance(call.value, str):
                yield from _check_call(caller, call.value, call.position, services.value)
            if isinstance(call.value, str) and call.value in seen:
                yield Problem(call.position, f"`{caller}` calls `{call.value}` twice", "name it once")
            seen.add(str(call.value))


def _check_call(caller: str, callee: str, position: Position, known: Collection[str]) -> Iterator[Problem]:
    if callee == caller:
        yield Problem(position, f"`{caller}` calls itself", "remove it: a service reaches itself without a call")
    elif callee not in known:
        others = [name for name in known if name != caller]
        yield Problem(position, f"`{caller}` calls `{callee}`, which is no service", suggestion(callee, others))


def check_services(services: Services, tree: Node) -> Iterator[Problem]:
    """All that can be said of sound services, whatever the rest is like."""
    for name, service in services.items():
        at = _locator(tree, "services", name)
        yield from _check_image(name, service, at)
        yield from _check_size(service, at)
        yield from _check_count(service, at)
        yield from _check_port(name, service, services, at)
        yield from _check_environment(service, at)


Locator: TypeAlias = Callable[..., Position]


def _locator(tree: Node, *base: str) -> Locator:
    """A function that finds the position of a key under `base`, or of the nearest one above it."""

    def at(*path: str | int) -> Position:
        whole: tuple[str | int, ...] = (*base, *path)
        while (node := tree.at(whole)) is None:
            whole = whole[:-1]
        is_key = len(whole) < len(base) + len(path) or not path
        return node.key_position if is_key and node.key_position else node.position

    return at


def _check_image(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    if service.build is None and service.image is None:
        yield Problem(at(), f"`{name}` has neither `build` nor `image`", "give one of them")
    if service.build is not None and service.image is not None:
        yield Problem(at("image"), f"`{name}` has both `build` and `image`", "keep one of them")


def _check_size(service: Service, at: Locator) -> Iterator[Problem]:
    if service.cpu not in FARGATE_MEMORY:
        legal = ", ".join(map(str, FARGATE_MEMORY))
        yield Problem(at("cpu"), f"Fargate has no tasks of {service.cpu} CPU units", f"it has {legal}")
    elif service.memory not in FARGATE_MEMORY[service.cpu]:
        legal = ", ".join(map(str, FARGATE_MEMORY[service.cpu]))
        message = f"Fargate has no tasks of {service.cpu} CPU units with {service.memory} MiB"
        yield Problem(at("memory"), message, f"with {service.cpu} CPU units it has {legal} MiB")


def _check_count(service: Service, at: Locator) -> Iterator[Problem]:
    if service.autoscaling is None:
        return
    if "desired_count" in service.model_fields_set:
        yield Problem(at("desired_count"), "`desired_count` and `autoscaling` exclude each other", "keep one of them")
    if service.autoscaling.min > service.autoscaling.max:
        yield Problem(at("autoscaling", "min"), "`min` is greater than `max`", "swap them")


def _check_port(name: str, service: Service, services: Services, at: Locator) -> Iterator[Problem]:
    if service.public and service.port is None:
        yield Problem(at("public"), f"`{name}` is public but has no `port`", "give it one")
    if service.health_check is not None and service.health_check.path is not None and service.port is None:
        yield Problem(at("health_check", "path"), f"`{name}` has a path to ask but no `port`", "give it one")
    for index, callee in enumerate(service.calls):
        if callee != name and callee in services and services[callee].port is None:
            yield Problem(
                at("calls", index), f"`{name}` calls `{callee}`, which has no `port`", f"give `{callee}` a port"
            )


def _check_environment(service: Service, at: Locator) -> Iterator[Problem]:
    made = {url_variable(callee): f"`calls: [{callee}]`" for callee in service.calls}
    if service.port is not None:
        made["PORT"] = "`port`"
    for variable in sorted(service.environment.keys() & made.keys()):
        remedy = f"remove it: {made[variable]} sets it"
        yield Problem(at("environment", variable), f"`{variable}` is set by Fleetform", remedy)


def check_environment(environment: Environment, tree: Node) -> Iterator[Problem]:
    """What can be said of an environment once all of it is sound."""
    at = _locator(tree)
    yield from _check_zones(environment, at)
    yield from _check_subnets(environment, at)
    longest = _ROLE_NAME_LIMIT - len(_ROLE_SUFFIX) - len(environment.prefix) - 1
    for name in environment.services:
        if len(name) > longest:
            role = f"{environment.prefix}-{name}{_ROLE_SUFFIX}"
            message = f"`{role}` is longer than the {_ROLE_NAME_LIMIT} characters of an IAM role's name"
            remedy = f"with this prefix a service's name has {longest} at most"
            yield Problem(_locator(tree, "services", name)(), message, remedy)


def _check_zones(environment: Environment, at: Locator) -> Iterator[Problem]:
    for index, zone in enumerate(environment.zones):
        if not re.fullmatch(f"{environment.region}[a-z]", zone):
            yield Problem(
                at("zones", index),
                f"`{zone}` is no zone of {environment.region}",
                f"zones are named {environment.region}a",
            )
        if zone in environment.zones[:index]:
            yield Problem(at("zones", index), f"zone `{zone}` is given twice", "name another zone")


def _check_subnets(environment: Environment, at: Locator) -> Iterator[Problem]:
    network = ipaddress.IPv4Network(environment.network.cidr)
    room = 2 ** (SUBNET_PREFIX - network.prefixlen) - 1
    if len(environment.zones) > room:
        message = f"{environment.network.cidr} has room for {room} subnets"
        yield Problem(at("network", "cidr"), message, f"{len(environment.zones)} zones need a larger network")
