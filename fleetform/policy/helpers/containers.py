"""Containers of ECS task definitions; the view holds their JSON as a list of objects."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Path, Step, Unknown, Value, value_at
from fleetform.policy.requirements import TRUE
from fleetform.policy.rule import Undecided, Violation

TASK = "aws_ecs_task_definition"
LIST = "container_definitions"


class Container(NamedTuple):
    """A container of a task definition.

    Attributes:
        place: Its index in the list.
        values: Its known values, by the keys of the AWS API: `portMappings`...
    """

    place: int
    values: dict[str, Value]

    def at(self, *path: Step) -> Path:
        """Return the path of a value of it, from the top of the task definition's values."""
        return (LIST, self.place, *path)

    def value(self, *path: Step, default: Value = None) -> Value:
        """Return the value at a path; see `Resource.value`."""
        return value_at(self.values, path, default)

    def items(self, *path: Step) -> list[Value]:
        """Return the list at a path; empty if it is absent or unknown."""
        value = self.value(*path)
        return value if isinstance(value, list) else []

    def has(self, *path: Step) -> bool:
        """Return whether the value at a path is true; False if it is unknown."""
        return self.value(*path) in TRUE

    @property
    def name(self) -> str:
        """The name used in messages."""
        name = self.value("name")
        return name if isinstance(name, str) else f"number {self.place + 1}"


Check: TypeAlias = Callable[[Container], Iterable[Violation | Undecided]]


def containers(task: Resource) -> list[Container]:
    """Return the containers that are at least partly known."""
    definitions = task.value(LIST)
    items = definitions if isinstance(definitions, list) else []
    return [Container(index, item) for index, item in enumerate(items) if isinstance(item, dict)]


def unknown_containers(task: Resource) -> Iterator[Undecided]:
    """Yield the containers that are completely unknown."""
    definitions = task.value(LIST)
    if isinstance(definitions, Unknown):
        yield Undecided((LIST,))
    for index, item in enumerate(definitions if isinstance(definitions, list) else []):
        if isinstance(item, Unknown):
            yield Undecided((LIST, index))


def each_container(task: Resource, check: Check) -> Iterator[Violation | Undecided]:
    """Apply a check to all containers."""
    yield from unknown_containers(task)
    for container in containers(task):
        yield from check(container)


def on_fargate(task: Resource) -> bool:
    """Return whether the task runs on Fargate; False if that is unknown."""
    compatibilities = task.value("requires_compatibilities")
    return isinstance(compatibilities, list) and "FARGATE" in compatibilities


def on_windows(task: Resource) -> bool:
    """Return whether the task runs on Windows; False if that is unknown."""
    return str(task.value("runtime_platform", 0, "operating_system_family")).startswith("WINDOWS")


def example(*containers: str, fargate: bool = False, more: str = "") -> str:
    """Return the HCL of a task definition.

    Args:
        containers: The containers, each as the lines of an object.
        fargate: Whether it runs on Fargate.
        more: Further arguments.
    """
    body = "".join(f"    {{\n{_indented(container, 6)}    }},\n" for container in containers)
    compatibility = '  requires_compatibilities = ["FARGATE"]\n' if fargate else ""
    text = f'resource "{TASK}" "web" {{\n  family = "shop-prod-web"\n{compatibility}{more}'
    return f"{text}\n  container_definitions = jsonencode([\n{body}  ])\n}}\n"


def _indented(text: str, width: int) -> str:
    return "".join(f"{' ' * width}{line}\n" for line in text.splitlines())
