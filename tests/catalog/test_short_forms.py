from typing import Annotated

from pydantic import TypeAdapter

from fleetform.catalog.models import Callee, Port
from fleetform.catalog.types import Short

CALLEE: TypeAdapter[Callee] = TypeAdapter(Annotated[Callee, Short("service")])
PORT: TypeAdapter[Port] = TypeAdapter(Annotated[Port, Short("container_port")])


def test_text_is_the_short_form_of_a_mapping() -> None:
    assert CALLEE.validate_python("orders") == Callee(service="orders")


def test_a_number_is_the_short_form_of_a_mapping() -> None:
    assert PORT.validate_python(8080) == Port(container_port=8080)


def test_the_mapping_itself_stays_as_it_is() -> None:
    assert PORT.validate_python({"container_port": 53, "protocol": "udp"}) == Port(container_port=53, protocol="udp")


def test_a_json_schema_has_both_forms_and_no_null_for_the_short_one() -> None:
    assert CALLEE.json_schema()["anyOf"] == [{"type": ["string", "number", "boolean"]}, {"$ref": "#/$defs/Callee"}]
