"""What a value has to look like, for those who read the catalog and, as JSON Schema, for those who write it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

READ_AS_TEXT: Mapping[str, list[str]] = {"type": ["string", "number", "boolean"]}
"""What an editor, which reads YAML 1.2, may take for something else: the catalog's reader keeps it as written."""

# Python's `\w` has letters of all alphabets, that of JSON Schema (ECMA 262) has those of ASCII.
_WORD = r"A-Za-z0-9_\u0080-\uffff"


@dataclass(frozen=True)
class Matching:
    r"""Annotates text of one form.

    Attributes:
        pattern: The form as a regular expression, of what Python and ECMA 262 have in common; `\w` in brackets only.
        expectation: The form in words.
    """

    pattern: str
    expectation: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuses text that the pattern does not match as a whole."""
        compiled = re.compile(self.pattern)

        def check(value: str) -> str:
            if not compiled.fullmatch(value):
                raise ValueError(self.expectation)
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The pattern, and what an editor says where it does not match."""
        pattern = self.pattern.replace(r"\w", _WORD)
        return {**handler(schema), "pattern": f"^(?:{pattern})$", "patternErrorMessage": self.expectation}
