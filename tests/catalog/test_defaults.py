"""A default of the catalog and of the module that gets the value are the same: a render leaves defaults out."""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import pytest
from pydantic import BaseModel

from fleetform import hcl
from fleetform.catalog import unrendered
from fleetform.catalog.models import Autoscaling, Deployment, HealthCheck, Service

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


def module_attributes(variable: hcl.Block) -> dict[str, str]:
    """The optional attributes of a variable's object type, with their defaults as HCL."""
    kind = variable.body["type"]
    assert isinstance(kind, hcl.Expression)
    fields = hcl.parse(kind.text.removeprefix("object(").removesuffix(")").join(("type = ", "\n")).encode(), VARIABLES)
    attributes = fields.attributes["type"]
    assert isinstance(attributes, dict)
    texts = {name: value.text for name, value in attributes.items() if isinstance(value, hcl.Expression)}
    return {name: text.split(", ")[1].removesuffix(")") for name, text in texts.items() if text.startswith("optional(")}


def test_a_services_defaults_are_the_modules(variables: dict[str, hcl.Block]) -> None:
    catalog = {name: default for name, default in defaults(Service).items() if name in variables and name != "image"}
    assert catalog == {name: variables[name].body["default"] for name in catalog}


def test_the_module_has_a_variable_for_all_but_what_the_catalog_keeps_to_itself(
    variables: dict[str, hcl.Block],
) -> None:
    not_yet = {key.partition(".")[0] for key in unrendered.SERVICE}
    assert Service.model_fields.keys() - variables.keys() - not_yet == {
        "adopt",
        "build",
        "group",
        "public",
        "renamed_from",
    }


def test_the_defaults_of_a_deployment_are_the_modules(variables: dict[str, hcl.Block]) -> None:
    names = {
        "maximum_percent": "deployment_maximum_percent",
        "minimum_healthy_percent": "deployment_minimum_healthy_percent",
        "wait_for_steady_state": "wait_for_steady_state",
    }
    modules = {field: variables[name].body["default"] for field, name in names.items()}
    assert {field: default for field, default in defaults(Deployment).items() if field in names} == modules


@pytest.mark.parametrize(("name", "model"), [("health_check", HealthCheck), ("autoscaling", Autoscaling)])
def test_the_defaults_of_a_nested_entry_are_the_modules(
    variables: dict[str, hcl.Block], name: str, model: type[BaseModel]
) -> None:
    not_yet = {key.partition(".")[2] for key in unrendered.SERVICE}
    # Without a command, one is made of the path.
    fields = {field: default for field, default in defaults(model).items() if field not in {"command", *not_yet}}
    catalog = {field: hcl.literal(default) for field, default in fields.items()}
    assert catalog == module_attributes(variables[name])
