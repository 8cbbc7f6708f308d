"""A filter formula made ready for a table, and asked of each record.

A record stays when the result is none of 0, false, "", blank, NaN and #ERROR!.
Source: https://airtable.com/developers/web/api/list-records (filterByFormula)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from .errors import FormulaRefusal
from .formula_functions import FUNCTIONS, Function
from .formula_tree import Binary, Call, FieldRef, Literal, Negation, Node, parse
from .formula_values import ERROR, Broken, Value, as_number, as_text, compare, truth

_SPECIAL = {"IF": (2, 3), "NOW": (0, 0), "TODAY": (0, 0), "RECORD_ID": (0, 0), "CREATED_TIME": (0, 0)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What a formula may see of one record: a cell by field name or id, and the record's own id and times."""

    cell: Callable[[str], Value]
    record_id: str
    created: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula whose functions and fields are known to exist."""

    tree: Node

    def value(self, row: Row) -> Value:
        """The formula's result for a record; FormulaRefusal for what the stand-in cannot answer truly."""
        return _evaluate(self.tree, row)

    def keeps(self, row: Row) -> bool:
        """Whether a filter with this formula leaves the record in."""
        return truth(self.value(row))


def compiled(text: str, fields: Collection[str]) -> Formula:
    """The formula for a table with these field names and ids; 422 naming unknown functions or fields."""
    tree = parse(text)
    nodes = list(_walk(tree))
    calls = [node for node in nodes if isinstance(node, Call)]
    if strangers := [call.name for call in calls if call.name not in FUNCTIONS and call.name not in _SPECIAL]:
        raise FormulaRefusal(f"Unknown function names: {', '.join(strangers).lower()}")
    if missing := [node.name for node in nodes if isinstance(node, FieldRef) and node.name not in fields]:
        raise FormulaRefusal(f"Unknown field names: {', '.join(missing).lower()}")
    for call in calls:
        _check_count(call)
    return Formula(tree)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Call():
            inner = node.arguments
        case Binary():
            inner = (node.left, node.right)
        case Negation():
            inner = (node.operand,)
        case _:
            inner = ()
    for child in inner:
        yield from _walk(child)


def _check_count(call: Call) -> None:
    known = FUNCTIONS.get(call.name)
    fewest, most = (known.fewest, known.most) if known else _SPECIAL[call.name]
    if not fewest <= len(call.arguments) <= most:
        raise FormulaRefusal(f"Invalid formula. {call.name} does not take {len(call.arguments)} arguments.")


def _evaluate(node: Node, row: Row) -> Value:
    match node:
        case Literal():
            return node.value
        case FieldRef():
            return row.cell(node.name)
        case Negation():
            number = as_number(_evaluate(node.operand, row))
            return number if isinstance(number, Broken) else -number
        case Binary():
            return _operate(node.operator, _evaluate(node.left, row), _evaluate(node.right, row))
        case Call():
            known = FUNCTIONS.get(node.name)
            return _special(node, row) if known is None else _apply(known, node, row)


def _apply(function: Function, call: Call, row: Row) -> Value:
    arguments = [_evaluate(argument, row) for argument in call.arguments]
    return ERROR if ERROR in arguments else function.run(*arguments)


def _special(call: Call, row: Row) -> Value:
    match call.name:
        case "IF":
            return _choose(call.arguments, row)
        case "NOW":
            return row.now
        case "TODAY":
            return row.now.replace(hour=0, minute=0, second=0, microsecond=0)
        case "RECORD_ID":
            return row.record_id
        case _:
            return row.created


def _choose(arguments: tuple[Node, ...], row: Row) -> Value:
    condition = _evaluate(arguments[0], row)
    if condition is ERROR:
        return ERROR
    if truth(condition):
        return _evaluate(arguments[1], row)
    return _evaluate(arguments[2], row) if arguments[2:] else None


def _operate(operator: str, left: Value, right: Value) -> Value:
    if operator == "&":
        first, second = as_text(left), as_text(right)
        return ERROR if isinstance(first, Broken) or isinstance(second, Broken) else first + second
    if operator not in ("+", "-", "*", "/"):
        return compare(operator, left, right)
    one, other = as_number(left), as_number(right)
    return ERROR if isinstance(one, Broken) or isinstance(other, Broken) else _calculate(operator, one, other)


def _calculate(operator: str, left: float, right: float) -> float:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _ if right:
            return left / right
        case _:
            return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left)
