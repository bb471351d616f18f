"""The stacks: Terraform root modules, each with one state. Adding a stack is adding a row here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stack:
    """A Terraform root module of every environment.

    Attributes:
        name: Its folder in `envs/<environment>/` and the key of its state.
        templates: Folders in `templates/` whose templates make its files.
    """

    name: str
    templates: tuple[str, ...]


STACKS = (
    Stack("foundation", ("common", "foundation")),
    Stack("services", ("common", "services")),
)
"""In the order of their apply: each stack reads only outputs of those before it."""

AWS_PROVIDER_VERSION = "5.100.0"
"""The provider version that every stack pins: the same plan on every machine."""
