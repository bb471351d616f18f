"""Where a value comes from, and how one is asked for."""

from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import CatalogError, InputError, Position
from fleetform.workflow.catalog.provenance import Explanation, Fact, OverriddenValue, explain, label, select
from tests.catalog.catalogs import HEAD, project

CATALOG = f"""\
{HEAD}defaults:
  cpu: 256
  environment: {{ LEVEL: INFO, OLD: 1 }}
templates:
  large: {{ cpu: 1024, memory: 2048 }}
tags: {{ example.org/team: shop }}
services:
  web:
    image: nginx:1
    extends: large
    port: 80
    calls: [orders]
    environment: {{ OLD: ~ }}
    memory: 4096
  orders: {{ image: nginx:1, port: 8080, memory: ~ }}
  debug: {{ image: nginx:1, enabled_in: [prod] }}
"""
ENVIRONMENT = "services:\n  web: { cpu: 2048 }\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the environments `dev`, and `prod` without a word of its own."""
    project(tmp_path, CATALOG, ENVIRONMENT)
    (tmp_path / "envs/prod").mkdir()
    (tmp_path / "envs/prod/environment.yaml").touch()
    return tmp_path


def catalog(line: int, column: int) -> Position:
    return Position(PurePath("envs/catalog.yaml"), line, column)


def asked(root: Path, what: str) -> list[Fact]:
    """What is known of a thing in `dev`."""
    return select(explain(root, "dev"), what)[1]


def test_a_value_knows_every_layer_below_it(root: Path) -> None:
    assert asked(root, "web.cpu") == [
        Fact(
            ("services", "web", "cpu"),
            2048,
            "written",
            Position(PurePath("envs/dev/environment.yaml"), 2, 15),
            (OverriddenValue(1024, catalog(9, 17)), OverriddenValue(256, catalog(6, 8))),
        )
    ]


def test_a_default_of_the_model_is_written_nowhere(root: Path) -> None:
    assert asked(root, "network.cidr") == [Fact(("network", "cidr"), "10.0.0.0/16", "default", None)]


def test_a_default_that_null_brought_back_knows_the_null(root: Path) -> None:
    assert asked(root, "orders.memory") == [
        Fact(
            ("services", "orders", "memory"), 512, "default", None, (OverriddenValue(None, catalog(19, 49)),)
        )
    ]


def test_an_entry_that_null_removed_is_null(root: Path) -> None:
    assert asked(root, "web.environment.OLD") == [
        Fact(
            ("services", "web", "environment", "OLD"),
            None,
            "written",
            catalog(17, 25),
            (OverriddenValue(1, catalog(7, 36)),),
        )
    ]


def test_what_follows_from_the_catalog_knows_what_it_follows_from(root: Path) -> None:
    web = ("services", "web")
    derived = [fact for fact in asked(root, "") if fact.origin not in ("written", "default")]
    assert derived == [
        Fact(("name_prefix",), "shop-dev", "application", catalog(1, 14)),
        Fact(("namespace",), "dev.shop.internal", "application", catalog(1, 14)),
        Fact(("state", "bucket"), "shop-dev-tfstate-123456789012", "application", catalog(1, 14)),
        Fact(
            (*web, "environment", "ORDERS_URL"),
            "http://orders.dev.shop.internal:8080",
            "calls",
            catalog(16, 13),
        ),
        Fact((*web, "environment", "PORT"), "80", "port", catalog(15, 11)),
        Fact((*web, "dns_name"), "web.dev.shop.internal", "port", catalog(15, 11)),
        Fact(("services", "orders", "environment", "PORT"), "8080", "port", catalog(19, 35)),
        Fact(("services", "orders", "dns_name"), "orders.dev.shop.internal", "port", catalog(19, 35)),
    ]


def test_names_that_are_given_follow_from_nothing(tmp_path: Path) -> None:
    given = "name_prefix: old\nnamespace: old.internal\nstate: { bucket: old-state }\n"
    project(tmp_path, f"{HEAD}{given}services: {{ web: {{ image: nginx:1 }} }}\n")
    assert {fact.origin for fact in explain(tmp_path, "dev").facts} == {"written", "default"}


@pytest.mark.parametrize(
    ("what", "under", "labels"),
    [
        pytest.param(
            "orders.environment",
            "services.orders.environment",
            [f"services.orders.environment.{name}" for name in ("LEVEL", "OLD", "PORT")],
            id="a mapping of a service",
        ),
        pytest.param(
            "services.orders.port",
            "services.orders.port",
            ["services.orders.port"],
            id="a service by its whole path",
        ),
        pytest.param("zones", "zones", ["zones"], id="a list"),
        pytest.param("tags", "tags", ["tags.example.org/team"], id="a mapping of the environment"),
        pytest.param(
            "tags.example.org/team", "tags.example.org/team", ["tags.example.org/team"], id="a key with a dot"
        ),
    ],
)
def test_a_thing_is_asked_for_by_its_path(root: Path, what: str, under: str, labels: list[str]) -> None:
    found, facts = select(explain(root, "dev"), what)
    assert found == under
    assert [fact.label for fact in facts] == labels


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("wbe", "`dev` has no service or key `wbe`; did you mean `web`?"),
        ("wbe.cpu", "`dev` has no service or key `wbe`; did you mean `web`?"),
        ("services.wbe.cpu", "`dev` has no service or key `wbe`; did you mean `web`?"),
        ("netwrok.cidr", "`dev` has no service or key `netwrok`; did you mean `network`?"),
        ("web.cpuu", "`services.web` has no `cpuu` in `dev`; did you mean `cpu`?"),
        ("services.web.cpuu", "`services.web` has no `cpuu` in `dev`; did you mean `cpu`?"),
        ("web.cpu.units", "`services.web.cpu` has no `units` in `dev`; none is defined here"),
        ("network.cdir", "`network` has no `cdir` in `dev`; did you mean `cidr`?"),
        (
            "web.environment.LEVLE.x",
            "`services.web.environment` has no `LEVLE.x` in `dev`; did you mean `LEVEL`?",
        ),
        ("debug.image", "`debug` is not in `dev`; its `enabled_in` is at envs/catalog.yaml:20:40"),
    ],
)
def test_what_is_unknown_is_refused_with_a_suggestion(root: Path, what: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        asked(root, what)
    assert str(refused.value) == said


def broken(root: Path, environment: str) -> Explanation:
    (root / "envs/dev/environment.yaml").write_text(environment, encoding="utf-8")
    return explain(root, "dev")


def test_a_catalog_with_a_mistake_is_explained_without_what_follows_from_it(root: Path) -> None:
    explanation = broken(
        root, "services: { web: { cpu: much, prot: 1, health_check: [x], environment: { A: [1] } } }\n"
    )
    assert str(explanation.error).count("\n") == 3
    here = PurePath("envs/dev/environment.yaml")
    web = [fact for fact in select(explanation, "web")[1] if fact.position and fact.position.file == here]
    assert [(fact.label, fact.value) for fact in web] == [
        ("services.web.environment.A", [1]),
        ("services.web.health_check", ["x"]),
        ("services.web.cpu", "much"),
        ("services.web.prot", 1),
    ]
    assert {fact.origin for fact in explanation.facts} == {"written", "default"}


def test_invalid_yaml_is_reported_by_its_mistakes(root: Path) -> None:
    with pytest.raises(CatalogError):
        broken(root, "services: [\n")


@pytest.mark.parametrize(
    "services", ["[]", "[{ image: x }]", "1", "{ web: [] }", "{ web: 1 }", "{ web: { build: 1 } }"]
)
def test_no_shape_of_services_stops_an_explanation(tmp_path: Path, services: str) -> None:
    project(tmp_path, f"{HEAD}services: {services}\n")
    explanation = explain(tmp_path, "dev")
    assert explanation.error is not None
    assert explanation.facts[0] == Fact(("application",), "shop", "written", catalog(1, 14))


def test_a_list_of_mappings_is_explained_entry_by_entry(tmp_path: Path) -> None:
    exceptions = "exceptions: [{ rule: FF001, address: '*', reason: it is a test }]\n"
    project(tmp_path, f"{HEAD}{exceptions}services: {{ web: {{ image: nginx:1 }} }}\n")
    assert [fact.label for fact in asked(tmp_path, "exceptions")] == [
        "exceptions[0].rule",
        "exceptions[0].address",
        "exceptions[0].reason",
        "exceptions[0].until",
    ]


def test_a_path_is_written_as_people_write_it() -> None:
    assert label(("services", "web", "calls", 0)) == "services.web.calls[0]"
