from typing import Annotated

from pydantic import TypeAdapter

from fleetform.catalog.models import CallTarget, Port
from fleetform.catalog.types import ShortForm

CALL_TARGET: TypeAdapter[CallTarget] = TypeAdapter(Annotated[CallTarget, ShortForm("service")])
PORT: TypeAdapter[Port] = TypeAdapter(Annotated[Port, ShortForm("container_port")])


def test_text_is_the_short_form_of_a_mapping() -> None:
    assert CALL_TARGET.validate_python("orders") == CallTarget(service="orders")


def test_a_number_is_the_short_form_of_a_mapping() -> None:
    assert PORT.validate_python(8080) == Port(container_port=8080)


def test_the_mapping_itself_stays_as_it_is() -> None:
    assert PORT.validate_python({"container_port": 53, "protocol": "udp"}) == Port(
        container_port=53, protocol="udp"
    )


def test_a_json_schema_has_both_forms_and_no_null_for_the_short_one() -> None:
    assert CALL_TARGET.json_schema()["anyOf"] == [
        {"type": ["string", "number", "boolean"]},
        {"$ref": "#/$defs/CallTarget"},
    ]
