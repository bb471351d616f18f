"""A default of the catalog and of the module that gets the value are the same: a render leaves defaults out."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import pytest
from pydantic import BaseModel

from fleetform import hcl
from fleetform.catalog.models import (
    Autoscaling,
    Container,
    Deployment,
    EfsVolume,
    HealthCheck,
    Logs,
    Port,
    Schedule,
    Secret,
    Service,
    Sidecar,
    Statement,
)

VARIABLES = PurePath("modules/ecs_service/variables.tf")


@pytest.fixture(scope="module")
def variables(root: Path) -> dict[str, hcl.Block]:
    """The module's variables by name."""
    file = hcl.parse((root / VARIABLES).read_bytes(), VARIABLES)
    return {block.labels[0]: block for block in file.blocks}


def defaults(model: type[BaseModel]) -> dict[str, Any]:
    """The defaults of a model's optional fields, as HCL has them; without those that the module does not get."""
    optional = {name: field for name, field in model.model_fields.items() if not field.is_required()}
    fields = {name: field.default for name, field in optional.items() if not field.exclude}
    return {name: plain(value) for name, value in fields.items()}


def plain(value: object) -> object:
    """A default as HCL has it, what is itself a default left out."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_defaults=True)
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def attributes(variable: hcl.Block) -> dict[str, tuple[str, str]]:
    """The optional attributes of a variable's object type, or of its map of objects: each's type and default as HCL."""
    kind = variable.body["type"]
    assert isinstance(kind, hcl.Expression)
    return attributes_of_type(kind.text)


def attributes_of_type(kind: str) -> dict[str, tuple[str, str]]:
    """The same of a type."""
    inner = kind.removeprefix("map(").removeprefix("object(").rstrip(")")
    fields = hcl.parse(f"type = {inner}\n".encode(), VARIABLES).attributes["type"]
    assert isinstance(fields, dict)
    texts = {name: value.text for name, value in fields.items() if isinstance(value, hcl.Expression)}
    return {name: type_and_default(text) for name, text in texts.items() if text.startswith("optional(")}


def type_and_default(text: str) -> tuple[str, str]:
    """The two arguments of `optional()`; the second is null where it is left out."""
    found = re.fullmatch(r"optional\((.*?)(?:, ([^(){},]+|\{\}|\[\]))?\)", text, re.DOTALL)
    assert found, text
    return found[1], found[2] or "null"


def only_defaults(found: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    return {name: default for name, (_, default) in found.items()}


def test_a_services_defaults_are_the_modules(variables: dict[str, hcl.Block]) -> None:
    catalog = {name: default for name, default in defaults(Service).items() if name in variables and name != "image"}
    assert catalog == {name: variables[name].body["default"] for name in catalog}


def test_the_module_has_a_variable_for_all_but_what_the_catalog_keeps_to_itself(
    variables: dict[str, hcl.Block],
) -> None:
    in_containers = Container.model_fields.keys() | {"ports"}
    in_parts = {"exec", "logs", "sidecars"}
    kept = Service.model_fields.keys() - variables.keys() - in_containers - in_parts
    in_foundation = {"build", "calls", "discovery", "public", "ingress"}
    assert kept - in_foundation == {"adopt", "deployment", "group", "renamed_from", "run_before"}


def test_the_defaults_of_a_container_are_the_modules(variables: dict[str, hcl.Block]) -> None:
    assert {name: hcl.literal(default) for name, default in defaults(Sidecar).items()} == only_defaults(
        attributes(variables["containers"])
    )


def test_the_defaults_of_logs_are_the_modules(variables: dict[str, hcl.Block]) -> None:
    names = {name: variables[f"log_{name}"].body["default"] for name in ("mode", "max_buffer_size_mib", "routing")}
    assert {name: default for name, default in defaults(Logs).items() if name in names} == names


def test_the_defaults_of_a_deployment_are_the_modules(variables: dict[str, hcl.Block]) -> None:
    names = {
        "alarms": "deployment_alarms",
        "circuit_breaker": "deployment_circuit_breaker",
        "maximum_percent": "deployment_maximum_percent",
        "minimum_healthy_percent": "deployment_minimum_healthy_percent",
        "wait_for_steady_state": "wait_for_steady_state",
    }
    modules = {field: variables[name].body["default"] for field, name in names.items()}
    assert {field: default for field, default in defaults(Deployment).items() if field in names} == modules


@pytest.mark.parametrize(("name", "model"), [("autoscaling", Autoscaling), ("schedule", Schedule)])
def test_the_defaults_of_an_entry_are_the_modules(
    variables: dict[str, hcl.Block], name: str, model: type[BaseModel]
) -> None:
    assert {field: hcl.literal(default) for field, default in defaults(model).items()} == only_defaults(
        attributes(variables[name])
    )


@pytest.mark.parametrize(
    ("variable", "attribute", "model"),
    [
        ("containers", "health_check", HealthCheck),
        ("containers", "ports", Port),
        ("containers", "secrets", Secret),
        ("task_role", "statements", Statement),
        ("volumes", "efs", EfsVolume),
    ],
)
def test_the_defaults_of_a_nested_entry_are_the_modules(
    variables: dict[str, hcl.Block], variable: str, attribute: str, model: type[BaseModel]
) -> None:
    kind, _ = attributes(variables[variable])[attribute]
    # Without a command, one is made of the path.
    fields = {field: default for field, default in defaults(model).items() if field != "command"}
    assert {field: hcl.literal(default) for field, default in fields.items()} == only_defaults(
        attributes_of_type(kind.removeprefix("list("))
    )
