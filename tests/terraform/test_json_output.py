"""JSON is found in Terraform's output, also where a wrapper prints lines around it."""

from typing import Any

import pytest

from fleetform.base.errors import ProgramError
from fleetform.terraform.json_output import parse

COMMAND = "[command]/opt/terraform/terraform-bin version -json"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}\n', {"a": 1}),
        (f'{COMMAND}\n{{\n  "a": [1]\n}}\n', {"a": [1]}),
        (f'{COMMAND}\n{{"a": 1}}\n\n::set-output name=stdout::{{"b": 2}}\n', {"a": 1}),
        (f'{COMMAND}\n"a value"\n', "a value"),
        ('3 warnings\n{"a": 1}', {"a": 1}),
        (f"{COMMAND}\nnull", None),
    ],
)
def test_the_json_of_an_output_is_found_between_other_lines(text: str, value: Any) -> None:  # noqa: ANN401 - JSON
    assert parse("terraform", text) == value


@pytest.mark.parametrize("text", ["", "not JSON\n", '[command]/bin/terraform\n{"a": 1'])
def test_an_output_without_json_names_the_wrapper(text: str) -> None:
    with pytest.raises(ProgramError) as caught:
        parse("/bin/terraform", text)
    shown = text.strip().replace("\n", "\\n")
    assert str(caught.value) == (
        f"/bin/terraform printed `{shown}` where JSON was expected; if it is a wrapper around Terraform,"
        " remove it from PATH, or set `terraform_wrapper: false` for hashicorp/setup-terraform"
    )
