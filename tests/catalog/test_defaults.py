"""Defaults of the catalog equal those of the modules, because a render omits defaults."""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import pytest
from pydantic import BaseModel

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
from fleetform.hcl.eval.values import Value
from fleetform.hcl.parsing import parse
from fleetform.hcl.syntax import Block, Call, Expression, Object
from tests.hcl.values import value_of

VARIABLES = PurePath("modules/ecs_service/variables.tf")


@pytest.fixture(scope="module")
def variables(root: Path) -> dict[str, Block]:
    """Return the module's variables by name."""
    file = parse((root / VARIABLES).read_bytes(), VARIABLES)
    return {block.labels[0]: block for block in file.blocks}


def defaults(model: type[BaseModel]) -> dict[str, Any]:
    """Return the defaults of a model's optional fields, in HCL, except those that the module lacks."""
    optional = {name: field for name, field in model.model_fields.items() if not field.is_required()}
    fields = {name: field.default for name, field in optional.items() if not field.exclude}
    return {name: plain(value) for name, value in fields.items()}


def plain(value: object) -> object:
    """Return a default in HCL, without nested defaults."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_defaults=True)
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def default(variable: Block) -> Value:
    """Return a variable's default."""
    return value_of(variable.value("default"))


def attributes(kind: Expression) -> dict[str, Call]:
    """Return the optional attributes of an object type, or of the objects in a list or map."""
    match kind:
        case Call("object", (Object(fields),)):
            optional = ((field.key, field.value) for field in fields)
            return {
                str(name): call
                for name, call in optional
                if isinstance(call, Call) and call.function == "optional"
            }
        case Call(_, (inner, *_)):
            return attributes(inner)
        case _:
            raise AssertionError(kind)


def only_defaults(kind: Expression) -> dict[str, Value]:
    """Return the defaults of its optional attributes."""
    arguments = {name: call.arguments[1:] for name, call in attributes(kind).items()}
    return {name: value_of(default[0]) if default else None for name, default in arguments.items()}


def test_a_services_defaults_equal_the_modules(variables: dict[str, Block]) -> None:
    catalog = {
        name: value for name, value in defaults(Service).items() if name in variables and name != "image"
    }
    assert catalog == {name: default(variables[name]) for name in catalog}


def test_the_module_has_a_variable_for_every_key_that_is_rendered(
    variables: dict[str, Block],
) -> None:
    in_containers = Container.model_fields.keys() | {"ports"}
    in_parts = {"exec", "logs", "sidecars"}
    unrendered = Service.model_fields.keys() - variables.keys() - in_containers - in_parts
    in_foundation = {"build", "calls", "discovery", "public", "ingress"}
    assert unrendered - in_foundation == {"adopt", "deployment", "group", "renamed_from", "run_before"}


def test_the_defaults_of_a_container_equal_the_modules(variables: dict[str, Block]) -> None:
    assert defaults(Sidecar) == only_defaults(variables["containers"].value("type"))


def test_the_defaults_of_logs_equal_the_modules(variables: dict[str, Block]) -> None:
    names = {name: default(variables[f"log_{name}"]) for name in ("mode", "max_buffer_size_mib", "routing")}
    assert {name: value for name, value in defaults(Logs).items() if name in names} == names


def test_the_defaults_of_a_deployment_equal_the_modules(variables: dict[str, Block]) -> None:
    names = {
        "alarms": "deployment_alarms",
        "circuit_breaker": "deployment_circuit_breaker",
        "maximum_percent": "deployment_maximum_percent",
        "minimum_healthy_percent": "deployment_minimum_healthy_percent",
        "wait_for_steady_state": "wait_for_steady_state",
    }
    modules = {field: default(variables[name]) for field, name in names.items()}
    assert {field: value for field, value in defaults(Deployment).items() if field in names} == modules


@pytest.mark.parametrize(("name", "model"), [("autoscaling", Autoscaling), ("schedule", Schedule)])
def test_the_defaults_of_an_entry_equal_the_modules(
    variables: dict[str, Block], name: str, model: type[BaseModel]
) -> None:
    assert defaults(model) == only_defaults(variables[name].value("type"))


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
def test_the_defaults_of_a_nested_entry_equal_the_modules(
    variables: dict[str, Block], variable: str, attribute: str, model: type[BaseModel]
) -> None:
    kind = attributes(variables[variable].value("type"))[attribute].arguments[0]
    # Without a command, one is built from the path, which the module does not get.
    fields = {field: value for field, value in defaults(model).items() if field not in {"command", "path"}}
    assert fields == only_defaults(kind)
