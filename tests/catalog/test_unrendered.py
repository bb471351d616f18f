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
    "12:3: `network.subnets`",
    "13:3: `network.nat`",
    "14:3: `network.endpoints`",
    "15:1: `ingress`",
    "21:1: `discovery`",
    "23:1: `kms_key`",
    "45:5: `services.web.ports`",
    "50:5: `services.web.ingress`",
    "58:28: `services.web.calls[1].port`",
    "59:30: `services.web.calls[2].namespace`",
    "59:61: `services.web.calls[2].port`",
    "59:73: `services.web.calls[2].variable`",
    "60:11: `services.web.calls[3].host`",
    "60:34: `services.web.calls[3].port`",
    "61:11: `services.web.calls[4].cidr`",
    "61:31: `services.web.calls[4].port`",
    "61:42: `services.web.calls[4].protocol`",
    "63:5: `services.web.secrets`",
    "70:5: `services.web.depends_on`",
    "79:7: `services.web.autoscaling.memory`",
    "80:7: `services.web.autoscaling.requests_per_target`",
    "81:7: `services.web.autoscaling.schedule`",
    "87:7: `services.web.deployment.circuit_breaker`",
    "88:7: `services.web.deployment.alarms`",
    "90:5: `services.web.volumes`",
    "100:5: `services.web.sidecars`",
    "121:7: `services.web.logs.mode`",
    "122:7: `services.web.logs.max_buffer_size_mib`",
    "123:7: `services.web.logs.routing`",
    "124:5: `services.web.task_role`",
    "132:5: `services.web.exec`",
    "133:18: `services.web.discovery.record_type`",
    "134:5: `services.web.service_connect`",
    "135:5: `services.web.tags`",
    "148:5: `services.orders.ports`",
    "152:5: `services.report.schedule`",
    "155:5: `services.migration.run_before`",
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
