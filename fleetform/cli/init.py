"""Creates a project: asks for what is not given, and shows what is next."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.prompt import Confirm, Prompt

from fleetform.base.errors import InputError, printable
from fleetform.base.program_name import RUN
from fleetform.cli.flags import names
from fleetform.cli.printing import fit, write, write_line
from fleetform.cli.screen import Screen
from fleetform.workflow import pin
from fleetform.workflow.project import Project
from fleetform.workflow.setup import creation
from fleetform.workflow.setup.answers import (
    NO_PIPELINE,
    PIPELINES,
    SAMPLE,
    Answers,
    default_answers,
    default_zones,
    find_problems,
    problems_of,
)


@dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
        key: The answer's attribute.
        flag: The flag that answers it.
        text: What it asks for.
    """

    key: str
    flag: str
    text: str


QUESTIONS = (
    Question("application", "--application", "Application, with which every name begins"),
    Question("account", "--account", "AWS account"),
    Question("region", "--region", "AWS region"),
    Question("zones", "--zones", "Availability zones, separated by commas"),
    Question("services", "--services", "First services, separated by commas"),
    Question("pipeline", "--ci", f"CI provider: {', '.join(PIPELINES)}"),
)
_LISTS = ("zones", "services")


def init(_project: Project, *, folder: str | None, sample: bool, yes: bool, **given: Any) -> None:  # noqa: ANN401 - one for each question
    """Create a project.

    Args:
        folder: Its folder, relative to the working directory. Default: the working directory.
        sample: Whether it gets the sample application.
        yes: Use the defaults instead of asking.
        given: The flags' values by the answers' names; None or empty where a flag is not given.

    Raises:
        InputError: The folder or an answer is not usable.
    """
    target = Path(os.path.abspath(folder or "."))  # noqa: PTH100 - `resolve` would follow links in messages
    creation.require_usable(target)
    if sample and given["services"]:
        raise InputError("--sample has its own services; omit --services, or --sample")
    answers = find_answers(target, given, sample=sample, yes=yes)
    repository = _wants_repository(target, yes=yes)
    screen = Screen()
    with _interrupted(target):
        _create(screen, target, answers, repository=repository)
    _summarize(target, answers)


def find_answers(target: Path, given: Mapping[str, Any], *, sample: bool, yes: bool) -> Answers:
    """Return valid answers: those given, those that the user types, and defaults.

    Raises:
        InputError: A given answer is not valid, or there is no terminal to ask on.
    """
    known: dict[str, Any] = {key: value for key, value in given.items() if value}
    defaults = SAMPLE if sample else default_answers(target, os.environ)
    if "region" in known:
        defaults = replace(defaults, region=known["region"], zones=default_zones(known["region"]))
    asked = [each for each in QUESTIONS if each.key not in known and not (sample and each.key == "services")]
    answers = replace(defaults, **known)
    for question in QUESTIONS:
        if question.key in known and (problems := problems_of(answers, question.key, SAMPLE)):
            raise InputError("\n".join(f"{question.flag}: {problem}" for problem in problems))
    if not yes and asked:
        if not sys.stdin.isatty():
            flags = ", ".join(question.flag for question in asked)
            raise InputError(f"cannot ask without a terminal; pass {flags}, or --yes for their defaults")
        answers = _ask(answers, asked)
    if problems := find_problems(answers):
        if not answers.application:
            problems = [
                f"{printable(target.name)} has no letters for an application's name; pass --application"
            ]
        raise InputError("\n".join(problems))
    return answers


def _ask(answers: Answers, asked: list[Question]) -> Answers:
    """Ask each question until its answer is valid."""
    write_line("Press Enter for the value in parentheses.")
    for question in asked:
        if question.key == "zones" and not answers.zones[0].startswith(answers.region):
            answers = replace(answers, zones=default_zones(answers.region))
        answers = _ask_one(answers, question)
    return answers


def _ask_one(answers: Answers, question: Question) -> Answers:
    default = getattr(answers, question.key)
    shown = ", ".join(default) if question.key in _LISTS else default
    while True:
        typed = Prompt.ask(question.text, default=shown or None)
        value = names(typed or "") if question.key in _LISTS else (typed or "").strip()
        candidate = replace(answers, **{question.key: value})  # type: ignore[arg-type] # as the question has it
        if question.key == "pipeline":
            problems = (
                [] if value in PIPELINES else [f"unknown provider; choose one of {', '.join(PIPELINES)}"]
            )
        else:
            problems = problems_of(candidate, question.key, SAMPLE)
        if not problems:
            return candidate
        for problem in problems:
            write_line(fit(problem, sys.stdout))


def has_git() -> bool:
    """Return whether Git is installed."""
    return shutil.which("git") is not None


def _wants_repository(target: Path, *, yes: bool) -> bool:
    """Return whether to create a Git repository."""
    if creation.enclosing_repository(target) or not has_git():
        return False
    if yes or not sys.stdin.isatty():
        return True
    return Confirm.ask(f"{printable(target.name)} is not in a Git repository. Create one?", default=True)


@contextmanager
def _interrupted(target: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; {printable(str(target))} is as it was before") from None


def _create(screen: Screen, target: Path, answers: Answers, *, repository: bool) -> None:
    with screen.step("Create the project") as step:
        creation.create(target, answers, step.show, repository=repository)
        step.note = f"{creation.count_files(target)} files, the modules and three rendered environments"


def _summarize(target: Path, answers: Answers) -> None:
    """Print notes and the next commands."""
    for note in _notes(target, answers):
        write(fit(f"note: {note}", sys.stdout) + "\n")
    write("\nNext:\n")
    here = Path.cwd()
    if target != here:
        write(f"  cd {shlex.quote(os.path.relpath(target, here))}\n")
    write(f"  {RUN} demo\n")
    write("  git add . && git commit -m 'Create the project'\n")


def _notes(target: Path, answers: Answers) -> Iterator[str]:
    if answers.account == SAMPLE.account:
        yield f"account {answers.account} is a placeholder; change it in envs/ before you plan dev or prod"
    if not pin.is_published():
        yield (
            f"{pin.REQUIREMENTS} pins a wheel that only this machine has, in .fleetform/wheels/; publish it"
            " to your package index before others and CI install it"
        )
    if not has_git():
        yield "git is not installed, so this is not a Git repository; install it before you commit"
    enclosing = creation.enclosing_repository(target)
    if enclosing and enclosing != target and answers.pipeline != NO_PIPELINE:
        yield (
            f"this is a folder of the Git repository {printable(str(enclosing))}, and CI reads pipelines only"
            " in its root; move the pipeline there"
        )
