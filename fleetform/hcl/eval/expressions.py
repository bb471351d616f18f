"""Evaluation of HCL expressions whose values follow from the text."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple, Protocol
from unicodedata import normalize

from fleetform.hcl.eval import functions
from fleetform.hcl.eval.conversion import in_order, to_common_type, to_json, to_text
from fleetform.hcl.eval.values import (
    INVALID,
    MAYBE,
    PRESENT,
    UNKNOWN,
    Document,
    Path,
    Set,
    Unknown,
    Value,
    is_known,
    scalar_text,
)
from fleetform.hcl.literals import literal
from fleetform.hcl.syntax import (
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    Index,
    Items,
    Object,
    Reference,
    Splat,
    Template,
    Unary,
)


class NameResolver(Protocol):
    """The meaning of names in a module."""

    def resolve(self, name: str, steps: Path) -> tuple[Value, Path]:
        """Return the value of a name with the first steps after it, and the remaining steps."""


class Scope(NamedTuple):
    """The scope of an expression.

    Attributes:
        names: The names of its module.
        symbols: The local symbols: `each`, `count`, the variables of a `for` or a dynamic block.
    """

    names: NameResolver
    symbols: Mapping[str, Value] = {}

    def extended(self, symbols: Mapping[str, Value]) -> "Scope":
        """Return an inner scope with more symbols."""
        return Scope(self.names, {**self.symbols, **symbols})


def evaluate(node: Expression, scope: Scope) -> Value:
    """Return the value of an expression, with UNKNOWN for each part that is not known."""
    handler = _HANDLERS.get(type(node))
    return handler(node, scope) if handler else _literal(node)


def _literal(node: Expression) -> Value:
    if isinstance(node, str):
        return node if node.isascii() else normalize("NFC", node)
    return node if node is None or isinstance(node, (int, float)) else UNKNOWN


def _reference(node: Reference, scope: Scope) -> Value:
    if node.name in scope.symbols:
        return follow_steps(scope.symbols[node.name], node.steps)
    return follow_steps(*scope.names.resolve(node.name, node.steps))


def follow_steps(value: Value, steps: Iterable[Value]) -> Value:
    """Return the value after some steps; INVALID if it does not exist."""
    for step in steps:
        if isinstance(value, Unknown):
            value = attribute_of(value, step)
        elif isinstance(step, Unknown):
            value = UNKNOWN
        elif isinstance(value, dict):
            key = scalar_text(step)
            value = INVALID if key is None else value.get(key, INVALID)
        else:
            value = _item(value, step)
    return value


def _item(value: Value, step: Value) -> Value:
    index = int(step) if isinstance(step, str) and step.isdecimal() and step.isascii() else step
    if (
        not isinstance(value, list)
        or isinstance(value, Set)
        or not isinstance(index, int)
        or isinstance(index, bool)
    ):
        return INVALID
    return value[index] if -1 < index < len(value) else INVALID


def attribute_of(value: Unknown, step: Value) -> Unknown:
    """Return a part of an unknown value, with its reference as Terraform writes it."""
    if not value.reference or value in (INVALID, MAYBE) or not isinstance(step, (str, int)):
        return UNKNOWN
    if isinstance(step, str) and step.replace("-", "_").isidentifier():
        is_created = step in {"arn", "id"} and "data." not in value.reference
        return Unknown(f"{value.reference}.{step}", is_created)
    return Unknown(f"{value.reference}{index_suffix(step)}")


def index_suffix(key: str | int) -> str:
    """Return the index of an element as it is written: `["web"]` or `[0]`."""
    return f"[{literal(key)}]"


def _index(node: Index, scope: Scope) -> Value:
    return follow_steps(evaluate(node.source, scope), (evaluate(node.key, scope),))


def _splat(node: Splat, scope: Scope) -> Value:
    source = evaluate(node.source, scope)
    if isinstance(source, Unknown) and not source.present:
        return UNKNOWN
    items = _in_order(source) if isinstance(source, list) else [] if source is None else [source]
    if items is None:
        return UNKNOWN
    steps = [evaluate(step, scope) for step in node.steps]
    return [follow_steps(item, steps) for item in items]


def _in_order(items: list[Value]) -> list[Value] | None:
    """Return a list, or a set in its order; None if only Terraform knows the order."""
    try:
        return in_order(items)
    except ValueError:
        return None


def _template(node: Template, scope: Scope) -> Value:
    parts = [template_text(evaluate(part, scope)) for part in node.parts]
    return normalize("NFC", "".join(map(str, parts))) if None not in parts else PRESENT


def template_text(value: Value) -> str | None:
    """Return a value as a template writes it; None if a template cannot, or the value is unknown."""
    return to_text(value) if isinstance(value, Document) and is_known(value) else scalar_text(value)


def _call(node: Call, scope: Scope) -> Value:
    arguments = [evaluate(argument, scope) for argument in node.arguments]
    if node.spread:
        *arguments, last = arguments
        if not isinstance(last, list):
            return UNKNOWN
        arguments += last
    return functions.call(node.function, arguments)


def _items(node: Items, scope: Scope) -> Value:
    return [evaluate(item, scope) for item in node.items]


def _object(node: Object, scope: Scope) -> Value:
    result: dict[str, Value] = {}
    for entry in node.entries:
        key = scalar_text(evaluate(entry.key, scope))
        if key is None:
            return UNKNOWN
        result[key] = evaluate(entry.value, scope)
    return result


def _conditional(node: Conditional, scope: Scope) -> Value:
    condition = evaluate(node.condition, scope)
    if not isinstance(condition, bool):
        return UNKNOWN
    chosen, other = (node.yes, node.no) if condition else (node.no, node.yes)
    value = evaluate(chosen, scope)
    if value is None or isinstance(value, (str, Unknown)):
        return value
    try:
        return to_common_type(value, evaluate(other, scope))
    except ValueError:
        return UNKNOWN


def _unary(node: Unary, scope: Scope) -> Value:
    value = evaluate(node.operand, scope)
    if node.operator == "!" and isinstance(value, bool):
        return not value
    return -value if node.operator == "-" and _is_number(value) else UNKNOWN  # type: ignore[operator]


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_ARITHMETIC: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": lambda left, right: left - right * int(left / right),  # the sign of the left
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _binary(node: Binary, scope: Scope) -> Value:
    left = evaluate(node.left, scope)
    right = evaluate(node.right, scope)
    if node.operator in {"&&", "||"}:
        return _logical(node.operator == "||", left, right)
    if node.operator in {"==", "!="}:
        return _equality(node.operator == "==", left, right)
    if not (_is_number(left) and _is_number(right)):
        return UNKNOWN
    if compare := _COMPARISONS.get(node.operator):
        return compare(left, right)
    return _arithmetic(node.operator, left, right)


def _arithmetic(sign: str, left: Any, right: Any) -> Value:  # noqa: ANN401 - numbers
    """Calculate only with exact binary fractions: for others, Terraform has more digits than Python."""
    if any(Fraction(repr(side)) != side for side in (left, right)):
        return UNKNOWN
    try:
        result = _ARITHMETIC[sign](Fraction(left), Fraction(right))
    except ZeroDivisionError:
        return UNKNOWN
    if result.denominator == 1:
        return int(result)
    return float(result) if Fraction(repr(float(result))) == result else UNKNOWN


def _logical(deciding: bool, *sides: Value) -> Value:  # noqa: FBT001 - the operator
    """Return the result of `&&` or `||`; one decisive side is enough even if the other is unknown."""
    if not all(isinstance(side, (bool, Unknown)) for side in sides):
        return UNKNOWN
    if any(side is deciding for side in sides):
        return deciding
    return not deciding if all(isinstance(side, bool) for side in sides) else UNKNOWN


def _equality(expected: bool, left: Value, right: Value) -> Value:  # noqa: FBT001 - the operator
    if left is None or right is None:
        other = right if left is None else left
        if isinstance(other, Unknown) and not other.present:
            return UNKNOWN
        return (other is None) is expected
    if not (is_known(left) and is_known(right)):
        return UNKNOWN
    if any(isinstance(left, kind) and isinstance(right, kind) for kind in (list, dict)):
        return UNKNOWN  # a list and a tuple with the same elements are not equal
    return (_comparable(left) == _comparable(right)) is expected


def _comparable(value: Value) -> str:
    return to_json(to_text(value) if isinstance(value, Document) else value)


def loop_items(collection: Value) -> list[tuple[Value, Value]] | None:
    """Return keys or indices and values of a loop's collection, in Terraform's order; None if unknown."""
    if isinstance(collection, dict):
        return [(key, collection[key]) for key in sorted(collection)]
    if not isinstance(collection, list) or (items := _in_order(collection)) is None:
        return None
    return [*zip(items, items, strict=True)] if isinstance(collection, Set) else [*enumerate(items)]


class Iteration(NamedTuple):
    """One iteration of a `for`.

    Attributes:
        key: The element's key or index.
        scope: The scope of its expressions.
        sure: Whether its condition is known to be true.
    """

    key: Value
    scope: Scope
    sure: bool = True


def iterate(node: For, scope: Scope) -> Iterator[Iteration] | None:
    """Return the iterations of a `for`, without those that its condition excludes; None if they are unknown.

    For an object, an entry whose condition is unknown is an iteration, too.
    """
    elements = loop_items(evaluate(node.collection, scope))
    if elements is None:
        return None
    iterations = [
        Iteration(key, _iteration_scope(node, scope, key, value), value != MAYBE) for key, value in elements
    ]
    conditions = [evaluate(node.condition, iteration.scope) for iteration in iterations]
    decided = zip(iterations, conditions, strict=True)
    included = [
        iteration._replace(sure=iteration.sure and choice is True)
        for iteration, choice in decided
        if choice is not False
    ]
    return None if node.key is None and not all(iteration.sure for iteration in included) else iter(included)


def _iteration_scope(node: For, scope: Scope, key: Value, value: Value) -> Scope:
    if len(node.names) == 1:
        return scope.extended({node.names[0]: value})
    return scope.extended({node.names[0]: key, node.names[1]: value})


def _for(node: For, scope: Scope) -> Value:
    iterations = iterate(node, scope)
    if iterations is None:
        return UNKNOWN
    if node.key is None:
        return [evaluate(node.value, iteration.scope) for iteration in iterations]
    result: dict[str, Value] = {}
    for iteration in iterations:
        key = scalar_text(evaluate(node.key, iteration.scope))
        if key is None or (node.grouped and not iteration.sure):
            return UNKNOWN
        value = evaluate(node.value, iteration.scope) if iteration.sure else MAYBE
        if node.grouped:
            collected = result.setdefault(key, [])
            collected.append(value)  # type: ignore[union-attr]
        elif key in result:
            return UNKNOWN
        else:
            result[key] = value
    return result


_HANDLERS: Mapping[type, Callable[[Any, Scope], Value]] = {
    Binary: _binary,
    Call: _call,
    Conditional: _conditional,
    For: _for,
    Index: _index,
    Items: _items,
    Object: _object,
    Reference: _reference,
    Splat: _splat,
    Template: _template,
    Unary: _unary,
}
