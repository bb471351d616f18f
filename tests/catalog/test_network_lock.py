"""The network lock: a zone keeps its subnets, wherever it is in the list of zones."""

from pathlib import Path

import pytest

from fleetform.base.errors import CatalogError, CheckFailedError
from fleetform.catalog.network_lock import format_lock
from fleetform.cli import render
from fleetform.topology import private_subnets, public_subnets
from fleetform.validation.loading import load
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from tests import small_project

LOCK = "envs/tiny/network.lock.yaml"
ZONES = "zones: [eu-central-1a, eu-central-1b]"
HEADER = (
    "# Written by `invoke render`. Committed: each zone keeps the number of its subnets.\n"
    "# Remove a zone only once it is not in `zones` and its subnets are destroyed.\n"
)


def with_zones(project: Project, zones: str, *, network: str = "") -> dict[str, tuple[str, str]]:
    """Change the zones, render, and return the public subnets."""
    catalog = (project.root / "envs/catalog.yaml").read_text("utf-8")
    before = next(line for line in catalog.splitlines() if line.startswith("zones:"))
    listed = ", ".join(f"eu-central-1{zone}" for zone in zones)
    small_project.edit(project, "envs/catalog.yaml", before, f"zones: [{listed}]")
    if network:
        small_project.write(project, "envs/tiny/environment.yaml", f"{network}\n{small_project.SOUND}")
    files.render_environment(project, "tiny")
    return public_subnets(load(project.root, "tiny"))


def lock_of(project: Project) -> str:
    return (project.root / LOCK).read_text("utf-8")


def test_a_render_writes_the_number_of_each_zone(tiny_project: Project) -> None:
    assert lock_of(tiny_project) == f"{HEADER}eu-central-1a: 1\neu-central-1b: 2\n"


def test_another_order_of_zones_moves_no_subnet(tiny_project: Project) -> None:
    before = public_subnets(load(tiny_project.root, "tiny"))
    assert with_zones(tiny_project, "ba") == before
    assert lock_of(tiny_project) == f"{HEADER}eu-central-1a: 1\neu-central-1b: 2\n"


def test_a_zone_in_place_of_another_gets_a_subnet_of_its_own(tiny_project: Project) -> None:
    assert with_zones(tiny_project, "ac") == {
        "public_1": ("10.0.1.0/24", "eu-central-1a"),
        "public_3": ("10.0.3.0/24", "eu-central-1c"),
    }
    assert lock_of(tiny_project) == f"{HEADER}eu-central-1a: 1\neu-central-1b: 2\neu-central-1c: 3\n"


def test_a_zone_that_comes_back_has_its_subnet_again(tiny_project: Project) -> None:
    before = public_subnets(load(tiny_project.root, "tiny"))
    with_zones(tiny_project, "ac")
    assert with_zones(tiny_project, "ab") == before


def test_the_single_nat_gateway_stays_in_the_zone_of_the_lowest_number(tiny_project: Project) -> None:
    network = "network: { subnets: private, nat: single }\ningress: { type: alb }"
    with_zones(tiny_project, "ba", network=network)
    nat = {subnet.nat_subnet for subnet in private_subnets(load(tiny_project.root, "tiny")).values()}
    assert nat == {"public_1"}


def test_a_zone_without_a_line_gets_the_next_free_number(tiny_project: Project) -> None:
    small_project.write(tiny_project, LOCK, "eu-central-1b: 1\n")
    assert load(tiny_project.root, "tiny").zone_numbers == {"eu-central-1a": 2, "eu-central-1b": 1}


def test_without_a_lock_zones_are_numbered_as_they_are_listed(tiny_project: Project) -> None:
    (tiny_project.root / LOCK).unlink()
    assert load(tiny_project.root, "tiny").zone_numbers == {"eu-central-1a": 1, "eu-central-1b": 2}


def test_a_missing_lock_is_stale_and_written_by_a_render(tiny_project: Project) -> None:
    (tiny_project.root / LOCK).unlink()
    with pytest.raises(CheckFailedError, match=r"^envs/tiny does not match the catalog; run `invoke render"):
        render.render(tiny_project, "tiny", check=True, as_json=False)
    (change,) = files.render_environment(tiny_project, "tiny")
    assert (change.path.as_posix(), change.kind) == (LOCK, "added")
    assert files.render_environment(tiny_project, "tiny") == []


def test_a_cached_environment_has_the_numbers_of_its_lock(tiny_project: Project) -> None:
    small_project.write(tiny_project, LOCK, "eu-central-1a: 4\neu-central-1b: 2\n")
    numbers = {"eu-central-1a": 4, "eu-central-1b": 2}
    assert [tiny_project.environment("tiny").zone_numbers for _ in range(2)] == [numbers, numbers]


def test_an_existing_network_has_no_lock(tiny_project: Project) -> None:
    vpc = "{ id: vpc-0123456789abcdef0, public_subnet_tags: { tier: public } }"
    small_project.write(
        tiny_project, "envs/tiny/environment.yaml", f"network: {{ vpc: {vpc} }}\n{small_project.SOUND}"
    )
    assert format_lock(load(tiny_project.root, "tiny")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", "expected a mapping of zones"),
        ("tokyo: 1\n", "`tokyo` is not a zone"),
        ("eu-central-1a: one\n", "the number of `eu-central-1a` is not 1 or more"),
        ("eu-central-1a: 0\n", "the number of `eu-central-1a` is not 1 or more"),
        ("eu-central-1a: 1\neu-central-1b: 1\n", "`eu-central-1b` has the number of another zone"),
    ],
)
def test_a_damaged_lock_is_refused(tiny_project: Project, text: str, message: str) -> None:
    small_project.write(tiny_project, LOCK, text)
    with pytest.raises(CatalogError) as caught:
        load(tiny_project.root, "tiny")
    (problem,) = caught.value.problems
    assert (problem.position.file, problem.message, problem.remedy) == (
        Path(LOCK),
        message,
        "restore this file from Git, and run `invoke render --env tiny`",
    )


def test_a_network_whose_numbers_are_reserved_is_refused(tiny_project: Project) -> None:
    small_project.write(tiny_project, LOCK, "eu-central-1c: 7\neu-central-1d: 6\neu-central-1a: 8\n")
    small_project.write(
        tiny_project, "envs/tiny/environment.yaml", f"network: {{ cidr: 10.0.0.0/21 }}\n{small_project.SOUND}"
    )
    with pytest.raises(CatalogError) as caught:
        load(tiny_project.root, "tiny")
    (problem,) = caught.value.problems
    assert (problem.message, problem.remedy) == (
        (
            "10.0.0.0/21 has room for only 7 subnets, and network.lock.yaml reserves some for eu-central-1c,"
            " eu-central-1d"
        ),
        "remove these zones from envs/tiny/network.lock.yaml once their subnets are gone",
    )
