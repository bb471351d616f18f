"""Trials: disturb a task, and check that the following tasks work as if nothing had happened."""

import random
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from tests.faults.checkout import Begun, Checkout, Done, checkout
from tests.faults.proxy import Faults, between

_MADE_BY = {
    "aws_flow_log": "CreateFlowLogs",
    "aws_internet_gateway": "CreateInternetGateway",
    "aws_route_table": "CreateRouteTable",
    "aws_security_group": "CreateSecurityGroup",
    "aws_service_discovery_private_dns_namespace": "CreatePrivateDnsNamespace",
    "aws_service_discovery_service": "CreateService",
    "aws_subnet": "CreateSubnet",
    "aws_vpc": "CreateVpc",
    "aws_vpc_security_group_egress_rule": "CreateSecurityGroup",
}
"""Actions that can create duplicates, as EC2 and Cloud Map identify resources by ids."""
_RESOURCES = 48  # of the small project
_SECONDS = {"render": 1.5, "plan": 8.0, "apply": 12.0}
"""Approximate seconds that a task takes; for an apply, until it creates the first resource."""
_TASKS = ("render", "plan", "apply", "apply", "apply", "apply")
"""The tasks to interrupt; most are applies, which have the most to lose."""
_A_MOMENT = 3.0  # seconds
_SECOND_CTRL_C = 2.0  # seconds after the first, at most


class Kill(Enum):
    """The way in which a task is interrupted."""

    OURS = "our process is killed"
    ALL = "all processes are killed"
    TERM = "SIGTERM"
    CTRL_C = "Ctrl-C"
    TWICE = "Ctrl-C twice"


@dataclass(frozen=True)
class Trial:
    """The result of a trial.

    Attributes:
        seed: Its random numbers.
        what: What was done.
        code: How the disturbed task ended.
        recovered: Whether the next apply ended well, and a plan has nothing to do then.
        lost: What is in a state and not there.
        orphans: What is there and in no state.
        explained: The orphans among them that we know the cause of, with that.
        left: Files that nothing will use.
        seconds: How long all of it took.
        output: What the tasks printed.
    """

    seed: int
    what: str
    code: int
    recovered: bool
    lost: tuple[str, ...]
    orphans: tuple[str, ...]
    explained: Mapping[str, str]
    left: tuple[str, ...]
    seconds: float
    output: str

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, or left without a cause."""
        return (
            self.recovered
            and not self.lost
            and not self.left
            and not set(self.orphans) - self.explained.keys()
        )


@dataclass(frozen=True)
class Moment:
    """When a task is ended.

    Attributes:
        made: Once it has made so many resources.
        seconds: So long after that.
    """

    made: int
    seconds: float

    def __str__(self) -> str:
        """As it is told."""
        return (
            f"{self.seconds:.1f} s after its start"
            if not self.made
            else f"{self.made} made and {self.seconds:.1f} s"
        )


def moment(chosen: random.Random, task: str) -> Moment:
    """A random moment: of an apply, one in five before anything is made, which is known by time alone."""
    made = max(0, chosen.randint(-_RESOURCES // 4, _RESOURCES)) if task == "apply" else 0
    # Most is made in the same second; between the stacks nothing is for many.
    return Moment(made, _A_MOMENT * chosen.random() ** 3 if made else chosen.uniform(0, _SECONDS[task]))


@dataclass(frozen=True)
class Cut:
    """How a task is cut off.

    Attributes:
        task: Which.
        how: How it is ended.
        when: When.
    """

    task: str
    how: Kill
    when: Moment

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.task}, {self.how.value}: {self.when}"


def cut(chosen: random.Random) -> Cut:
    """A random one."""
    task = chosen.choice(_TASKS)
    return Cut(task, chosen.choice(list(Kill)), moment(chosen, task))


def kill(folder: Path, seed: int, wanted: Cut | None = None) -> Trial:
    """Ends a task at a random moment, does it again, and applies.

    Args:
        folder: Where the project is made.
        seed: Of the random numbers.
        wanted: What is done; None for something random.
    """
    chosen = random.Random(seed)  # noqa: S311 - no secret
    done = wanted or cut(chosen)
    with checkout(folder) as project:
        project.emulator()
        if done.task == "render":
            project.change()
        started = time.monotonic()
        with project.begun(done.task) as begun:
            in_time = _wait(begun, done.when)
            _end(project, begun, done.how, chosen)
            ended = begun.end()
        told = f"{done}" + ("" if in_time else " (had ended)")
        return _after(
            project, _Disturbed(seed, told, started, ended), list(dict.fromkeys((done.task, "apply")))
        )


def _wait(begun: Begun, when: Moment) -> bool:
    """Waits for a moment; False if the task ends before."""
    return begun.until_made(when.made) and not begun.wait(when.seconds)


def _end(project: Checkout, begun: Begun, how: Kill, chosen: random.Random) -> None:
    match how:
        case Kill.OURS:
            begun.signal(signal.SIGKILL)
        case Kill.ALL:
            project.kill_all()
        case Kill.TERM:
            begun.signal(signal.SIGTERM)
        case Kill.CTRL_C:
            begun.signal(signal.SIGINT)
        case Kill.TWICE:
            begun.signal(signal.SIGINT)
            if not begun.wait(chosen.uniform(0, _SECOND_CTRL_C)):
                begun.signal(signal.SIGINT)


def fault(folder: Path, seed: int, rate: float) -> Trial:
    """Applies with faults of the network and of AWS, and then without.

    Args:
        folder: Where the project is made.
        seed: Of the random numbers.
        rate: The part of requests that something happens to.
    """
    faults = Faults(seed, rate)
    with checkout(folder) as project:
        project.emulator()
        started = time.monotonic()
        with between(project.work, faults) if rate else nullcontext():
            done = project.invoke("apply")
        met = ", ".join(
            f"{count} {fault.value}"
            for fault, count in sorted(faults.met.items(), key=lambda met: met[0].value)
        )
        trial = _after(project, _Disturbed(seed, f"{faults.requests} requests: {met}", started, done))
        return replace(trial, explained=_explained(trial.orphans, faults.answers_lost))


@dataclass(frozen=True)
class _Disturbed:
    """A task that was disturbed: see `Trial`."""

    seed: int
    what: str
    started: float
    done: Done


def _after(project: Checkout, disturbed: _Disturbed, again: Sequence[str] = ("apply",)) -> Trial:
    """Does what is to be done again, looks for drift, and compares."""
    after = {task: project.invoke(task) for task in (*again, "drift")}
    found = project.inventory()
    done = disturbed.done
    printed = "\n".join(
        [done.output, *(f"==== {task} ({each.code})\n{each.output}" for task, each in after.items())]
    )
    return Trial(
        seed=disturbed.seed,
        what=disturbed.what,
        code=done.code,
        recovered=not any(each.code for each in after.values()),
        lost=found.missing,
        orphans=found.orphans,
        explained=_explained(found.orphans),
        left=tuple(project.left()),
        seconds=time.monotonic() - disturbed.started,
        output=printed,
    )


def _explained(orphans: Sequence[str], answers_lost: Sequence[str] = ()) -> dict[str, str]:
    """The orphans whose cause is known."""
    causes = {}
    for orphan in orphans:
        kind = orphan.partition(" ")[0]
        if kind == "aws_ecs_task_definition":
            causes[orphan] = "a revision that was registered and not used; AWS keeps them all"
        elif _MADE_BY.get(kind) in answers_lost:
            causes[orphan] = f"the answer of {_MADE_BY[kind]} was lost, and it was sent again"
    return causes
