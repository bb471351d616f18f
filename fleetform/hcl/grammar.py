"""python-hcl2's grammar of HCL.

Loading it and its parser takes 0.3 s, which only files that are not cached need.
"""

from functools import cache
from pathlib import Path

from hcl2 import parser
from hcl2.postlexer import PostLexer
from lark import Lark
from lark.exceptions import LarkError, UnexpectedInput

__all__ = ["LarkError", "UnexpectedInput", "grammar"]


@cache
def grammar() -> Lark:
    """Return the grammar without positions of nodes, which take half the time; tokens have them."""
    compiled = Path(parser.__file__).with_name(".lark_cache_without_places.bin")
    return Lark.open(
        "hcl2.lark", rel_to=parser.__file__, parser="lalr", postlex=PostLexer(), cache=str(compiled)
    )
