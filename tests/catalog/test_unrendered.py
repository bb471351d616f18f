import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

import pytest

from fleetform.catalog import models
from fleetform.catalog.inheritance import inherit
from fleetform.catalog.loading import validate
from fleetform.catalog.models import Container, Entry, Environment
from fleetform.catalog.nodes import Node, read
from fleetform.errors import CatalogError

EVERYTHING = Path(__file__).parent / "everything.yaml"

NOT_RENDERED = [
    "4:1: `role`",
    "12:3: `network.subnets`",
    "13:3: `network.nat`",
    "14:3: `network.endpoints`",
    "15:1: `ingress`",
    "23:1: `kms_key`",
    "24:1: `protection`",
    "40:5: `services.web.ports`",
    "45:5: `services.web.ingress`",
    "53:28: `services.web.calls[1].port`",
    "54:30: `services.web.calls[2].namespace`",
    "54:61: `services.web.calls[2].port`",
    "54:73: `services.web.calls[2].variable`",
    "55:11: `services.web.calls[3].host`",
    "55:34: `services.web.calls[3].port`",
    "56:11: `services.web.calls[4].cidr`",
    "56:31: `services.web.calls[4].port`",
    "56:42: `services.web.calls[4].protocol`",
    "58:5: `services.web.secrets`",
    "65:5: `services.web.depends_on`",
    "75:7: `services.web.autoscaling.requests_per_target`",
    "85:5: `services.web.volumes`",
    "95:5: `services.web.sidecars`",
    "116:7: `services.web.logs.mode`",
    "117:7: `services.web.logs.max_buffer_size_mib`",
    "118:7: `services.web.logs.routing`",
    "119:5: `services.web.task_role`",
    "127:5: `services.web.exec`",
    "129:24: `services.web.service_connect.port`",
    "130:5: `services.web.tags`",
    "131:5: `services.web.group`",
    "132:5: `services.web.renamed_from`",
    "136:5: `services.orders.ports`",
    "143:5: `services.migration.run_before`",
]


@pytest.fixture(scope="module")
def everything() -> Node:
    tree, problems = read(EVERYTHING, PurePath("everything.yaml"))
    assert problems == []
    return tree


def entries(value: object) -> Iterator[Entry]:
    """A model and all models in it."""
    if isinstance(value, Entry):
        yield value
        for name in value.model_fields_set:
            yield from entries(getattr(value, name))
    elif isinstance(value, (Mapping, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from entries(item)


def test_all_that_is_not_rendered_is_refused_by_name_and_nothing_else(everything: Node) -> None:
    with pytest.raises(CatalogError) as refused:
        validate(inherit(everything, "prod", ["prod"]))
    found = [
        str(problem).removeprefix("everything.yaml:").removesuffix(" is not rendered yet; leave it out until it is")
        for problem in refused.value.problems
    ]
    assert found == NOT_RENDERED


def test_every_key_is_in_the_file_of_everything(everything: Node) -> None:
    plain = everything.plain()
    assert isinstance(plain, dict)
    given: dict[type[Entry], set[str]] = defaultdict(set)
    for entry in entries(Environment.model_validate({**plain, "name": "prod"})):
        given[type(entry)] |= entry.model_fields_set
    missing = {(kind.__name__, key) for kind, keys in given.items() for key in kind.model_fields.keys() - keys}
    assert missing == {("Network", "vpc")}  # it excludes `cidr`


def test_every_model_is_in_the_file_of_everything(everything: Node) -> None:
    plain = everything.plain()
    assert isinstance(plain, dict)
    there = {type(entry) for entry in entries(Environment.model_validate({**plain, "name": "prod"}))}
    kinds = {kind for kind in vars(models).values() if isinstance(kind, type) and issubclass(kind, Entry)}
    assert kinds - there == {Entry, Container, models.Vpc}


def test_every_default_can_be_written_into_a_json_schema() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = Environment.model_json_schema()
    keys = schema["$defs"]["Service"]["properties"]
    assert (keys["environment"]["default"], keys["capacity_providers"]["default"]) == (
        {},
        {"FARGATE": {"weight": 1, "base": 0}},
    )
