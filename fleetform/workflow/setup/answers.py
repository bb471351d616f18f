"""What a new project is asked for, its defaults, and its validation by the catalog's own rules."""

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fleetform.base.errors import CatalogError
from fleetform.catalog.files import CATALOG, environment_file
from fleetform.ci.pipelines import PROVIDERS
from fleetform.validation.loading import load

NO_PIPELINE = "none"
PIPELINES = (*PROVIDERS, NO_PIPELINE)

PORT = 8080
"""The port of each service that `init` writes."""

SAMPLE_PORT = 80
"""The port of the first service of the sample; the others have `PORT`."""

_LOCAL = "local"
_LONGEST_NAME = 24
_REGION = "us-east-1"
# New accounts do not have zone b: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html
_ZONES: Mapping[str, str] = {"ap-northeast-1": "ac"}


@dataclass(frozen=True)
class Answers:
    """The answers.

    Attributes:
        application: The application's name.
        account: The AWS account, 12 digits.
        region: The AWS region.
        zones: Its availability zones.
        services: The first services. The first is public and calls the others.
        pipeline: The CI provider's name, or `none`.
        sample: Whether the sample application is written instead of `services`.
    """

    application: str
    account: str
    region: str
    zones: tuple[str, ...]
    services: tuple[str, ...]
    pipeline: str
    sample: bool = False


SAMPLE = Answers(
    "shop",
    "123456789012",
    "ap-northeast-1",
    ("ap-northeast-1a", "ap-northeast-1c"),
    ("web", "orders", "stock"),
    "github",
    sample=True,
)
"""The sample's own values, in `envs/` of the package."""


def default_answers(folder: Path, variables: Mapping[str, str]) -> Answers:
    """Return the answers that are used if none are given.

    Args:
        folder: The project's folder, whose name names the application.
        variables: The process environment; AWS's variables name the region.
    """
    region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or _REGION
    return Answers(
        application_name(folder.name), SAMPLE.account, region, default_zones(region), ("web",), "github"
    )


def application_name(text: str) -> str:
    """Return a valid name like a text; empty if nothing of it is allowed."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words).lstrip("0123456789-")[:_LONGEST_NAME].rstrip("-")


def default_zones(region: str) -> tuple[str, ...]:
    """Return two zones of a region."""
    return tuple(f"{region}{letter}" for letter in _ZONES.get(region, "ab"))


def find_problems(answers: Answers) -> list[str]:
    """Return what the catalog rejects in answers, each with its remedy; empty if all are valid."""
    if repeated := [name for name in answers.services if answers.services.count(name) > 1]:
        return [f"service `{repeated[0]}` is listed twice; list a different service"]
    if not answers.services:
        return ["no service is listed; list at least one"]
    catalog = {
        "application": answers.application,
        "account": answers.account,
        "region": answers.region,
        "zones": answers.zones,
        "services": {
            name: {"image": "app", "port": PORT, "calls": answers.services[1:] if number == 0 else ()}
            for number, name in enumerate(answers.services)
        },
    }
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        for file, content in ((CATALOG, catalog), (environment_file(_LOCAL), {"emulator": True})):
            path = Path(folder, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content), encoding="utf-8")
        try:
            load(Path(folder), _LOCAL)
        except CatalogError as error:
            return list(dict.fromkeys(f"{each.message}; {each.remedy}" for each in error.problems))
    return []


def problems_of(answers: Answers, key: str, defaults: Answers) -> list[str]:
    """Return what is wrong with one answer, whatever the other ones are.

    Args:
        answers: The answers.
        key: The attribute's name.
        defaults: Valid answers.
    """
    checked = replace(defaults, **{key: getattr(answers, key)})
    if key == "region":
        checked = replace(checked, zones=default_zones(answers.region))
    elif key == "zones":
        checked = replace(checked, region=answers.region)
    return find_problems(checked)
