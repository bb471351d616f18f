"""Containers, as task definitions have them: their JSON is a list of objects in the view."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from fleetform.policy.requirements import TRUE
from fleetform.policy.rule import Fault, Undecided
from fleetform.policy.values import Known, Path, Step, Unknown, walk
from fleetform.policy.view import Resource

TASK = "aws_ecs_task_definition"
LIST = "container_definitions"


class Container(NamedTuple):
    """A container of a task.

    Attributes:
        place: Which of the task's.
        values: What is known of it, as in AWS' API: `portMappings`...
    """

    place: int
    values: dict[str, Known]

    def at(self, *path: Step) -> Path:
        """A value of it, from the top of the task's values."""
        return (LIST, self.place, *path)

    def value(self, *path: Step, default: Known = None) -> Known:
        """What a path leads to; see `Resource.value`."""
        return walk(self.values, path, default)

    def items(self, *path: Step) -> list[Known]:
        """The list that a path leads to; empty if there is none, or nobody knows."""
        found = self.value(*path)
        return found if isinstance(found, list) else []

    def has(self, *path: Step) -> bool:
        """Whether something is on; False if nobody knows."""
        return self.value(*path) in TRUE

    @property
    def name(self) -> str:
        """How messages call it."""
        name = self.value("name")
        return name if isinstance(name, str) else f"number {self.place + 1}"


Check: TypeAlias = Callable[[Container], Iterable[Fault | Undecided]]


def containers(task: Resource) -> list[Container]:
    """The containers of which something is known."""
    given = task.value(LIST)
    items = given if isinstance(given, list) else []
    return [Container(index, item) for index, item in enumerate(items) if isinstance(item, dict)]


def unknown_containers(task: Resource) -> Iterator[Undecided]:
    """The containers of which nothing is known."""
    given = task.value(LIST)
    if isinstance(given, Unknown):
        yield Undecided((LIST,))
    for index, item in enumerate(given if isinstance(given, list) else []):
        if isinstance(item, Unknown):
            yield Undecided((LIST, index))


def each_container(task: Resource, check: Check) -> Iterator[Fault | Undecided]:
    """What a check says of all of them."""
    yield from unknown_containers(task)
    for container in containers(task):
        yield from check(container)


def on_fargate(task: Resource) -> bool:
    """Whether Fargate runs the task; False if nobody knows."""
    wanted = task.value("requires_compatibilities")
    return isinstance(wanted, list) and "FARGATE" in wanted


def on_windows(task: Resource) -> bool:
    """Whether the task is for Windows; False if nobody knows."""
    return str(task.value("runtime_platform", 0, "operating_system_family")).startswith("WINDOWS")


def example(*containers: str, fargate: bool = False, more: str = "") -> str:
    """HCL of a task definition.

    Args:
        containers: The containers, as the lines of objects.
        fargate: Whether Fargate runs it.
        more: Further arguments.
    """
    body = "".join(f"    {{\n{_indented(container, 6)}    }},\n" for container in containers)
    where = '  requires_compatibilities = ["FARGATE"]\n' if fargate else ""
    text = f'resource "{TASK}" "web" {{\n  family = "shop-prod-web"\n{where}{more}'
    return f"{text}\n  container_definitions = jsonencode([\n{body}  ])\n}}\n"


def _indented(text: str, width: int) -> str:
    return "".join(f"{' ' * width}{line}\n" for line in text.splitlines())
