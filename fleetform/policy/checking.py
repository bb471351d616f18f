"""The policy of an environment: from the files on disk to what the rules say."""

from collections.abc import Iterable
from pathlib import Path, PurePath

from fleetform import collector, topology
from fleetform.catalog.models import Environment
from fleetform.hcl.parsing import parse
from fleetform.hcl.syntax import File
from fleetform.policy.judging import Judgement, judge_environment, judge_resources
from fleetform.policy.modules import Module, declarations
from fleetform.policy.rule import Facts
from fleetform.policy.rules import shipped
from fleetform.policy.view import Resource, View, resources
from fleetform.stacks import stacks

_ENDINGS = frozenset({".tf", ".tfvars", ".hcl"})


def facts_of(environment: Environment) -> Facts:
    """What rules for single resources know of an environment."""
    return Facts(
        environment.name,
        topology.public_ports(environment),
        protected=environment.protection,
        zones=len(environment.zones),
    )


class Folders:
    """Parsed folders of Terraform files, each parsed once.

    Args:
        root: The project's root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parsed: dict[PurePath, list[File]] = {}

    def __call__(self, folder: PurePath) -> Iterable[File]:
        """The files of a folder, by name: `.tf`, `.tfvars` and backend files.

        Raises:
            CheckFailedError: One is not valid HCL.
        """
        if folder not in self._parsed:
            place = self._root / folder
            found = place.iterdir() if place.is_dir() else ()
            names = sorted(path.name for path in found if path.suffix in _ENDINGS and not path.name.startswith("."))
            self._parsed[folder] = [parse((self._root / folder / name).read_bytes(), folder / name) for name in names]
        return self._parsed[folder]


def check(environment: Environment, root: Path) -> Judgement:
    """What the rules say of an environment's stacks as they stand on disk.

    Raises:
        CheckFailedError: A file is not valid HCL.
    """
    with collector.paused():
        view = View(tuple(_resources(environment, Folders(root))))
        rules = shipped()
        judgement = judge_resources(view.resources, rules, facts_of(environment))
        judgement.add(judge_environment(view, rules, environment))
    return judgement


def _resources(environment: Environment, folders: Folders) -> Iterable[Resource]:
    for stack in stacks(environment):
        folder = PurePath("envs", environment.name, stack.name)
        files = list(folders(folder))
        yield from resources(Module(folders, folder, declarations(files)), stack.name, [file.path for file in files])
