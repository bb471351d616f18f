"""The reference has every key once, with an anchor."""

import re
from collections import Counter

import pytest

from fleetform.catalog.constants import GENERATED_MARK
from fleetform.catalog.reference import anchor, key_paths, render_reference
from fleetform.catalog.schema import definitions

INSIGHTS = "CloudWatch Container Insights of the cluster."


def rows(text: str) -> dict[str, str]:
    """Return the rows of all tables by the anchor of their key."""
    return {
        found[1]: found[2] for found in re.finditer(r'^\| <a id="([^"]+)"></a>(.*) \|$', text, re.MULTILINE)
    }


@pytest.mark.parametrize(
    ("key", "row"),
    [
        (
            "emulator",
            [
                "true` or `false",
                "false",
                "Whether the environment runs against the emulator on this machine, never against AWS.",
            ],
        ),
        ("network", ["[mapping](#network-keys)", "defaults of its keys", "The VPC."]),
        ("services-health_check-interval", ["whole number, 5 to 300", "30", "Seconds between checks."]),
        ("container_insights", ["enhanced`, `enabled`, `disabled", "enabled", INSIGHTS]),
        ("region", ["a region, such as `ap-northeast-1", "required", "AWS region."]),
        (
            "exceptions-reason",
            ["text, 10 or more characters", "required", "Why the finding is accepted, for the reviewer."],
        ),
    ],
)
def test_a_row_has_a_keys_legal_values_default_and_meaning(key: str, row: list[str]) -> None:
    cells = rows(render_reference())[key].split(" | ")
    assert [cell.strip("`") for cell in cells] == [key.rsplit("-", maxsplit=1)[-1], *row]


def test_the_reference_has_every_key_once() -> None:
    keys = Counter(row.split("`")[1] for row in rows(render_reference()).values())
    assert keys == Counter(key for definition in definitions().values() for key in definition["properties"])


def test_every_key_has_a_unique_path_with_stars_for_names_and_items() -> None:
    assert len(set(key_paths().values())) == len(key_paths())
    assert [
        key_paths()[place]
        for place in (("Environment", "region"), ("Port", "protocol"), ("Statement", "sid"))
    ] == [
        "region",
        "services.*.ports.*.protocol",
        "services.*.task_role.statements.*.sid",
    ]


def test_every_link_has_a_target_and_every_anchor_is_unique() -> None:
    text = render_reference()
    places = Counter(re.findall(r'<a id="([^"]+)">', text))
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= places.keys()
    assert set(places.values()) == {1}


def test_the_reference_begins_with_the_mark() -> None:
    assert render_reference().startswith(f"{GENERATED_MARK}\n\n## Environment\n\n")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("account",), "account"),
        (("network", "cidr"), "network-cidr"),
        (("services",), "services"),
        (("services", "web"), "services"),
        (("services", "web", "cpu"), "services-cpu"),
        (("services", "web", "calls", 0), "services-calls"),
        (("services", "web", "environment", "LOG_LEVEL"), "services-environment"),
        (("services", "web", "health_check", "path"), "services-health_check-path"),
        (("services", "web", "prot"), "services"),
        (("exceptions", 0, "rule"), "exceptions-rule"),
        (("acount",), ""),
        ((), ""),
    ],
)
def test_a_value_has_the_anchor_of_its_key(path: tuple[str | int, ...], expected: str) -> None:
    assert anchor(path) == expected
    assert expected in rows(render_reference()) or not expected
