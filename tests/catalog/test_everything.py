"""The file of everything: every key is accepted and has an effect."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import pytest
from jinja2 import UndefinedError

from fleetform.base.errors import InputError
from fleetform.catalog import models
from fleetform.catalog.inheritance import resolve_inheritance
from fleetform.catalog.models import CatalogModel, Container, Environment
from fleetform.catalog.nodes import Node, read_yaml
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.validation.loading import validate

EVERYTHING = Path(__file__).parent / "everything.yaml"

ELSEWHERE = {
    "applied_after": "for `ci`",
    "exceptions": "for `check`",
    "exceptions.0.until": "likewise",
    "services.web.build.args": "for `images`",
    "services.web.build.dockerfile": "for `images`",
    "services.web.discovery": "for environments with `discovery: dns`",
    "services.web.discovery.record_type": "likewise",
    "services.web.discovery.ttl": "likewise",
}
"""Keys that do not appear in any rendered file, and their purpose."""


@pytest.fixture(scope="module")
def everything() -> Node:
    tree, problems = read_yaml(EVERYTHING, PurePath("everything.yaml"))
    assert problems == []
    return tree


def entries(value: object) -> Iterator[CatalogModel]:
    """Yield a model and all models in it."""
    if isinstance(value, CatalogModel):
        yield value
        for name in value.model_fields_set:
            yield from entries(getattr(value, name))
    elif isinstance(value, (Mapping, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from entries(item)


def optional_keys(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of all written keys that are optional."""
    if isinstance(value, CatalogModel):
        for name in sorted(value.model_fields_set):
            if not type(value).model_fields[name].is_required():
                yield (*path, name)
            yield from optional_keys(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from optional_keys(item, (*path, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from optional_keys(item, (*path, index))


def without(value: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any part of an environment
    """Return a copy without the value at a path."""
    if not path:
        return value
    first, *rest = path
    if isinstance(value, CatalogModel):
        default = type(value).model_fields[str(first)].default
        name = str(first)
        return value.model_copy(
            update={name: without(getattr(value, name), tuple(rest)) if rest else default}
        )
    if isinstance(value, tuple):
        return tuple(
            without(item, tuple(rest)) if index == first else item for index, item in enumerate(value)
        )
    return {name: without(item, tuple(rest)) if name == first else item for name, item in value.items()}


def rendered(environment: Environment, templates: Templates) -> object:
    """Return the rendered files, or the error if a required value is missing."""
    try:
        return render(environment, templates, {})
    except (InputError, KeyError, TypeError, ValueError, UndefinedError) as error:
        return error


def test_no_key_is_lost_on_its_way_into_the_rendered_files(everything: Node, root: Path) -> None:
    environment = validate(resolve_inheritance(everything, "prod", ["prod"]))
    templates = Templates(root / "templates")
    whole = rendered(environment, templates)
    lost = {
        ".".join(map(str, path))
        for path in optional_keys(environment)
        if (other := without(environment, path)) != environment and rendered(other, templates) == whole
    }
    assert lost == ELSEWHERE.keys()


def test_the_file_of_everything_has_every_key(everything: Node) -> None:
    plain = everything.plain()
    assert isinstance(plain, dict)
    keys_by_model: dict[type[CatalogModel], set[str]] = defaultdict(set)
    for entry in entries(Environment.model_validate({**plain, "name": "prod"})):
        keys_by_model[type(entry)] |= entry.model_fields_set
    missing = {
        (kind.__name__, key)
        for kind, keys in keys_by_model.items()
        for key in kind.model_fields.keys() - keys
    }
    assert missing == {("Network", "vpc")}  # it cannot be used with `cidr`


def test_the_file_of_everything_has_every_model(everything: Node) -> None:
    plain = everything.plain()
    assert isinstance(plain, dict)
    there = {type(entry) for entry in entries(Environment.model_validate({**plain, "name": "prod"}))}
    kinds = {
        kind for kind in vars(models).values() if isinstance(kind, type) and issubclass(kind, CatalogModel)
    }
    assert kinds - there == {CatalogModel, Container, models.Vpc}


def test_every_default_can_be_written_into_a_json_schema() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = Environment.model_json_schema()
    keys = schema["$defs"]["Service"]["properties"]
    assert keys["environment"]["default"] == {}
    assert keys["capacity_providers"]["default"] == {"FARGATE": {"weight": 1, "base": 0}}
