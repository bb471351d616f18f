"""Values of expressions without names."""

from pathlib import PurePath

from fleetform.hcl.syntax import Expression
from fleetform.policy.evaluation import Scope, evaluate
from fleetform.policy.modules import Declarations, Module
from fleetform.policy.values import Known

_NOTHING = Declarations()
_SCOPE = Scope(Module(lambda _: _NOTHING, PurePath("stack"), _NOTHING))


def value_of(node: Expression) -> Known:
    """Return the value; unknown if it contains names."""
    return evaluate(node, _SCOPE)
