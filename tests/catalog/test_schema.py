"""The JSON Schema accepts what the loader accepts, and rejects what one value alone gives away."""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fleetform.base.errors import CatalogError
from fleetform.catalog.nodes import parse_yaml
from fleetform.catalog.schema import SCHEMA, catalog_schema, definitions
from tests import sample

from .catalogs import HEAD, loaded

MODELINE = "# yaml-language-server: $schema="
# What follows a backslash in a regular expression that ECMA 262 reads with the flag `u`.
ESCAPES = re.compile(r"\\([\^$\\.*+?()\[\]{}|/dDsSwWbB]|u[0-9a-f]{4})")
CATALOG = HEAD + (
    "services: { web: { image: 'nginx:1.29', port: 80 }, orders: { image: 'nginx:1.29', port: 8080 } }\n"
)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """Return a validator of the schema."""
    return Draft202012Validator(catalog_schema())


def plain(text: str) -> Any:  # noqa: ANN401 - whatever YAML can hold
    return parse_yaml(text, PurePath("some.yaml"))[0].plain()


def refusals(validator: Draft202012Validator, text: str) -> list[tuple[str, str]]:
    """Return the path of each refusal, and the keyword that refuses it."""
    errors = validator.iter_errors(plain(text))
    return sorted((".".join(map(str, error.absolute_path)), str(error.validator)) for error in errors)


def test_the_schema_is_valid_draft_2020_12() -> None:
    Draft202012Validator.check_schema(catalog_schema())


def test_the_committed_schema_matches_the_models(root: Path) -> None:
    assert json.loads((root / SCHEMA).read_text(encoding="utf-8")) == catalog_schema(), "run: ./run golden"


@pytest.mark.parametrize("file", sample.catalogs(sample.FOLDER))
def test_the_sample_environments_are_accepted(validator: Draft202012Validator, file: str) -> None:
    assert refusals(validator, (sample.FOLDER / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", sample.catalogs(sample.FOLDER))
def test_the_sample_files_point_editors_to_the_schema(file: str) -> None:
    path = sample.FOLDER / file
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(MODELINE)
    assert path.parent.joinpath(first.removeprefix(MODELINE)).resolve() == sample.FOLDER / SCHEMA


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "tags: { Straße: Köln 1 }",
        "tags: null",
        "services: { orders: null }",
        "services: { web: { desired_count: null, environment: { OLD: null } } }",
        "services: { web: { environment: { VERSION: 1.10, DEBUG: true, COUNT: 3 } } }",
        "services: { web: { calls: [orders], command: [sleep, 5] } }",
        "state: null",
        "network: { cidr: 172.16.0.0/20 }",
        "exceptions: [{ rule: FF001, address: '*', reason: An accepted finding. }]",
    ],
)
def test_a_valid_file_is_accepted(tmp_path: Path, validator: Draft202012Validator, text: str) -> None:
    assert refusals(validator, text) == []
    assert loaded(tmp_path, CATALOG, text).name == "dev"


def test_a_key_of_the_other_file_may_be_missing(tmp_path: Path, validator: Draft202012Validator) -> None:
    bounds = "services: {{ web: {{ autoscaling: {{ {} }} }} }}"
    base = CATALOG.replace("port: 80 }", "port: 80, autoscaling: { min: 2 } }")
    assert refusals(validator, base) + refusals(validator, bounds.format("max: 5")) == []
    assert loaded(tmp_path, base, bounds.format("max: 5")).services["web"].autoscaling is not None


@pytest.mark.parametrize(
    ("text", "place", "keyword"),
    [
        ("- application", "", "type"),
        ("regoin: eu-west-1", "", "additionalProperties"),
        ("name: dev", "", "additionalProperties"),
        ("application: Shop", "application", "pattern"),
        ("application: a--b", "application", "pattern"),
        ("account: '12345'", "account", "pattern"),
        ("zones: [eu-west-1a]", "zones", "minItems"),
        ("zones: eu-west-1a", "zones", "type"),
        ("emulator: 'true'", "emulator", "type"),
        ("security: open", "security", "enum"),
        ("log_retention_in_days: 31", "log_retention_in_days", "enum"),
        ("network: { cidr: 10.0.0.0 }", "network.cidr", "pattern"),
        ("tags: { AWS:x: y }", "tags", "pattern"),
        ("tags: { team: 'a;b' }", "tags.team", "pattern"),
        ("exceptions: [{ rule: FF001, reason: An accepted finding. }]", "exceptions.0", "required"),
        ("exceptions: [{ rule: FF001, address: '*', reason: short }]", "exceptions.0.reason", "minLength"),
        (
            "exceptions: [{ rule: FF001, address: null, reason: An accepted finding. }]",
            "exceptions.0.address",
            "type",
        ),
        (
            "exceptions: [{ rule: FF001, address: '*', reason: An accepted finding., until: tomorrow }]",
            "exceptions.0.until",
            "pattern",
        ),
        ("services: { Web: { image: nginx } }", "services", "pattern"),
        ("services: { web: { prot: 80 } }", "services.web", "additionalProperties"),
        ("services: { web: { port: 80000 } }", "services.web.port", "maximum"),
        ("services: { web: { port: '80' } }", "services.web.port", "type"),
        ("services: { web: { cpu: 300 } }", "services.web.cpu", "enum"),
        ("services: { web: { memory: 1000 } }", "services.web.memory", "enum"),
        ("services: { web: { calls: orders } }", "services.web.calls", "type"),
        ("services: { web: { command: [] } }", "services.web.command", "minItems"),
        ("services: { web: { environment: { A-B: x } } }", "services.web.environment", "pattern"),
        ("services: { web: { build: { context: ../elsewhere } } }", "services.web.build.context", "pattern"),
    ],
)
def test_a_single_wrong_value_is_refused_by_schema_and_loader(
    tmp_path: Path, validator: Draft202012Validator, text: str, place: str, keyword: str
) -> None:
    assert list(deepest(validator, text)) == [(place, keyword)]
    with pytest.raises(CatalogError):
        loaded(tmp_path, CATALOG, text)


def deepest(validator: Draft202012Validator, text: str) -> Iterator[tuple[str, str]]:
    """Yield each refusal; for alternatives, the refusal of the one that is not null."""
    for error in validator.iter_errors(plain(text)):
        while error.context:
            error = error.context[0]  # noqa: PLW2901 - down to where it begins
        yield ".".join(map(str, error.absolute_path)), str(error.validator)


def test_every_key_has_a_description() -> None:
    found = definitions()
    unsaid = [
        f"{name}.{key}"
        for name, definition in found.items()
        for key, schema in definition["properties"].items()
        if "description" not in schema and "$ref" not in schema
    ]
    assert unsaid + [name for name, definition in found.items() if "description" not in definition] == []


def patterns(schema: object) -> Iterator[str]:
    """Yield every pattern of a schema."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "pattern" and isinstance(value, str):
                yield value
            yield from patterns(value)
    if isinstance(schema, list):
        for value in schema:
            yield from patterns(value)


def test_editors_can_read_the_patterns() -> None:
    """Editors read regular expressions as ECMA 262 with flag `u`: no inline flags, no needless escapes."""
    all_patterns = sorted(set(patterns(catalog_schema())))
    bare = {pattern: ESCAPES.sub("", pattern) for pattern in all_patterns}
    assert [
        pattern for pattern, rest in bare.items() if "\\" in rest or re.search(r"\(\?(?![:!=]|<[!=])", rest)
    ] == []
