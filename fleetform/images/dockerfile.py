"""A minimal Dockerfile parser for checks.

Instructions with line numbers, and the stages behind the final image.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)\s*", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")
_TAKING_HEREDOCS = {"ADD", "COPY", "RUN"}
_VARIABLE = re.compile(r"\$(?:(?P<bare>\w+)|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})")


@dataclass(frozen=True)
class Instruction:
    """A Dockerfile instruction.

    Attributes:
        line: The line where it starts, 1-based.
        name: Its name in capitals, such as `FROM`.
        value: Everything after the name as written, joined to one line.
    """

    line: int
    name: str
    value: str


@dataclass(frozen=True)
class Stage:
    """A build stage.

    Attributes:
        line: The line of its `FROM`.
        base: The image or the earlier stage that it starts from; variables with a default are replaced.
        name: Its name in lower case; empty if it has none.
        instructions: The instructions up to the next `FROM`.
    """

    line: int
    base: str
    name: str
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile.

    Attributes:
        text: Its text.
    """

    text: str

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Return the stages, in order."""
        instructions = list(_instructions(self.text))
        starts = [index for index, instruction in enumerate(instructions) if instruction.name == "FROM"]
        defaults = dict(
            instruction.value.split("=", 1)
            for instruction in instructions[: starts[0] if starts else 0]
            if instruction.name == "ARG" and "=" in instruction.value
        )
        return tuple(
            _stage(instructions[start], tuple(instructions[start + 1 : end]), defaults)
            for start, end in zip(starts, [*starts[1:], None], strict=True)
        )

    @cached_property
    def bases(self) -> tuple[Stage, ...]:
        """Return the stages that start from an image instead of an earlier stage."""
        return tuple(stage for index, stage in enumerate(self.stages) if self._base_stage(index) is None)

    def last(self, name: str) -> Instruction | None:
        """Return the last instruction with this name in the stages behind the final image."""
        return next(reversed(self.all(name)), None)

    def all(self, name: str) -> list[Instruction]:
        """Return the instructions with this name in the stages behind the final image, in order."""
        instructions: list[Instruction] = []
        index: int | None = len(self.stages) - 1 if self.stages else None
        while index is not None:
            stage = self.stages[index]
            own = [instruction for instruction in stage.instructions if instruction.name == name]
            instructions = own + instructions
            index = self._base_stage(index)
        return instructions

    def _base_stage(self, index: int) -> int | None:
        """Return the index of the earlier stage that a stage starts from; None if it starts from an image."""
        name = self.stages[index].base.lower()
        return next((number for number in reversed(range(index)) if self.stages[number].name == name), None)


def _stage(start: Instruction, instructions: tuple[Instruction, ...], defaults: Mapping[str, str]) -> Stage:
    words = [word for word in start.value.split() if not word.startswith("--")]
    named = len(words) > 2 and words[1].upper() == "AS"  # noqa: PLR2004 - `base AS name`
    return Stage(
        start.line,
        _substitute(words[0], defaults) if words else "",
        words[2].lower() if named else "",
        instructions,
    )


def _substitute(text: str, defaults: Mapping[str, str]) -> str:
    """Replace the variables of a text; unknown variables stay."""

    def value(match: re.Match[str]) -> str:
        default = defaults.get(match["bare"] or match["name"], match["default"])
        return match[0] if default is None else default.strip("\"'")

    return _VARIABLE.sub(value, text)


def _instructions(text: str) -> Iterator[Instruction]:
    lines = iter(enumerate(text.splitlines(), start=1))
    directive = _ESCAPE.match(text)
    escape = directive[1] if directive else "\\"
    for number, line in lines:
        if not _is_instruction(line):
            continue
        whole = line.rstrip()
        while whole.endswith(escape):
            following = next((more for _, more in lines if _is_instruction(more)), "")
            whole = whole.removesuffix(escape) + following.rstrip()
        name, _, value = whole.strip().partition(" ")
        if name.upper() in _TAKING_HEREDOCS:
            for word in _HEREDOC.findall(value):
                next((None for _, more in lines if more.strip() == word), None)
        yield Instruction(number, name.upper(), value.strip())


def _is_instruction(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")
