"""Golden Compose documents: for each case an environment, and the file that it must become."""

from collections.abc import Callable, Mapping
from pathlib import Path

from fleetform.aws.live_state import AppliedEnvironment
from fleetform.local_runtime.document import document
from fleetform.local_runtime.networks import choose_cidr_block, networks
from tests.local_runtime import applied

FOLDER = Path(__file__).parent / "golden"
PREFIX = "shop-local"
SECRETS = {"API_DB_PASSWORD": "a$b", "API_API_KEY": "key"}

CASES: Mapping[str, Callable[[], AppliedEnvironment]] = {
    "edges": lambda: applied.sample(shared=False),
    "shared": lambda: applied.sample(shared=True),
    "everything": applied.everything,
}
PUBLISHED = {"edges": {"web": 8080}, "shared": {"web": 8080}, "everything": {"api": 8081}}


def made(case: str) -> str:
    """What a case becomes."""
    environment = CASES[case]()
    images = {service.name: f"localhost/{PREFIX}-{service.name}:0a7c9e4d" for service in environment.services}
    found = networks(environment, PREFIX, choose_cidr_block(PREFIX, {}))
    return document(environment, PREFIX, images, found, PUBLISHED[case])


def path(case: str) -> Path:
    """The file that holds what a case must become."""
    return FOLDER / f"{case}.yaml"
