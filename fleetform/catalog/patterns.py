"""Patterns of text values, checked when the catalog is loaded and written into its JSON Schema."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

SCALAR_TYPES: Mapping[str, list[str]] = {"type": ["string", "number", "boolean"]}
"""Types that an editor may see, because it reads YAML 1.2, for what the catalog's reader keeps as text."""

# Python's `\w` matches letters of all alphabets, that of JSON Schema (ECMA 262) only those of ASCII.
_WORD = r"A-Za-z0-9_\u0080-\uffff"


@dataclass(frozen=True)
class TextPattern:
    r"""Annotates text that must match a pattern.

    Attributes:
        pattern: A regular expression that means the same in Python and ECMA 262; `\w` only inside brackets.
        expectation: The pattern in words, beginning with "expected".
    """

    pattern: str
    expectation: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Reject text that the pattern does not match completely."""
        compiled = re.compile(self.pattern)

        def check(value: str) -> str:
            if not compiled.fullmatch(value):
                raise ValueError(self.expectation)
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the pattern, and the message that an editor shows for a mismatch."""
        pattern = self.pattern.replace(r"\w", _WORD)
        return {**handler(schema), "pattern": f"^(?:{pattern})$", "patternErrorMessage": self.expectation}
