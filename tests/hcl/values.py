"""Values of expressions without names."""

from pathlib import PurePath

from fleetform.hcl.eval.expressions import Scope, evaluate
from fleetform.hcl.eval.modules import Declarations, Module
from fleetform.hcl.eval.values import Value
from fleetform.hcl.syntax import Expression

_NOTHING = Declarations()
_SCOPE = Scope(Module(lambda _: _NOTHING, PurePath("stack"), _NOTHING))


def value_of(node: Expression) -> Value:
    """Return the value; unknown if it contains names."""
    return evaluate(node, _SCOPE)
