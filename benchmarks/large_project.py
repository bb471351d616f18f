"""A project of many services in the shape of the sample's `prod`, to measure on."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tests import sample

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = "prod"
REGISTRY = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"
HEAD = {
    "application": "shop",
    "account": "123456789012",
    "region": "ap-northeast-1",
    "zones": ["ap-northeast-1a", "ap-northeast-1c"],
}
_CODE = ("fleetform", "modules", "templates")

# Of so many services, one is such: of the load balancer's rules, for one, AWS allows a hundred unless asked
# for more.
_PUBLIC = 20
_SIDECAR = 5
_SCHEDULED = 25
_SECRETS = 2
# Which services one calls, counted from itself.
_CALLS = (1, 2, 7)

Tree: TypeAlias = dict[str, Any]
"""What YAML has."""


@dataclass(frozen=True)
class Shape:
    """What is made.

    Attributes:
        services: How many services.
        stack_size: How many of them share a stack; 0 has all in one.
    """

    services: int
    stack_size: int = 100


@dataclass(frozen=True)
class Project:
    """A project of many services.

    Attributes:
        root: Its folder.
        shape: What it is like.
    """

    root: Path
    shape: Shape

    def write(self) -> None:
        """Writes it, with our code, modules and templates; it is to be rendered yet."""
        for folder in _CODE:
            ignored = shutil.ignore_patterns(".terraform*", "__pycache__")
            shutil.copytree(ROOT / folder, self.root / folder, ignore=ignored)
        shutil.copy(ROOT / "tasks.py", self.root)
        folder = f"envs/{ENVIRONMENT}"
        (self.root / folder).mkdir(parents=True)
        laid_over = yaml.safe_load((sample.FOLDER / folder / "environment.yaml").read_text(encoding="utf-8"))
        del laid_over["services"]
        (self.root / folder / "environment.yaml").write_text(yaml.safe_dump(laid_over), encoding="utf-8")
        self._write_catalog(catalog(self.shape))

    def change(self, number: int) -> None:
        """Gives the last service a variable with another value."""
        made = catalog(self.shape)
        made["services"][name(self.shape.services - 1)]["environment"]["CHANGE"] = str(number)
        self._write_catalog(made)

    def stacks(self) -> list[Path]:
        """The folders of what is rendered."""
        return sorted(path.parent for path in (self.root / "envs" / ENVIRONMENT).glob("*/versions.tf"))

    def _write_catalog(self, made: Tree) -> None:
        (self.root / "envs/catalog.yaml").write_text(yaml.safe_dump(made, sort_keys=False), encoding="utf-8")


def catalog(shape: Shape) -> Tree:
    """The catalog, as YAML has it."""
    return {**HEAD, "services": {name(number): service(number, shape) for number in range(shape.services)}}


def name(number: int) -> str:
    """A service's name."""
    return f"service-{number:04}"


def service(number: int, shape: Shape) -> Tree:
    """A service: all have a size, calls and variables.

    Some have secrets, autoscaling, a sidecar and a role.
    """
    own = name(number)
    made: Tree = {"image": f"{REGISTRY}/{own}:1.{number}", "cpu": 512, "memory": 1024}
    made["environment"] = {"LOG_LEVEL": "info", "SHARD": str(number)}
    if _is_scheduled(number):
        made["schedule"] = {"expression": "cron(0 3 * * ? *)", "time_zone": "Asia/Tokyo"}
    else:
        made |= {"port": 8080, "health_check": {"command": ["healthcheck"], "path": "/healthz"}}
        made |= {"autoscaling": {"min": 2, "max": 10, "cpu": 60}} if number % 2 else {"desired_count": 3}
    if number % _SECRETS == 0:
        password: Tree = {"secret": f"shop/{own}", "json_key": "password"}
        made["secrets"] = {"API_KEY": f"/shop/{own}/api-key", "DB_PASSWORD": password}
    if number % _SIDECAR == 0:
        made["sidecars"] = {"agent": {"image": f"{REGISTRY}/agent:1.31", "cpu": 64, "memory": 128}}
        made["task_role"] = {
            "statements": [{"actions": ["s3:GetObject"], "resources": [f"arn:aws:s3:::shop-{own}/*"]}]
        }
    if number % _PUBLIC == 0:
        made |= {"public": True, "ingress": {"paths": [f"/{own}/*"], "priority": number + 1}}
    if shape.stack_size:
        made["group"] = f"team-{number // shape.stack_size:02}"
    if callees := _callees(number, shape.services):
        made["calls"] = callees
    return made


def _callees(number: int, services: int) -> list[str]:
    """Services after it, so that none waits for itself; scheduled tasks cannot be called."""
    after = (number + step for step in _CALLS)
    return [name(callee) for callee in after if callee < services and not _is_scheduled(callee)]


def _is_scheduled(number: int) -> bool:
    return number % _SCHEDULED == _SCHEDULED - 1
