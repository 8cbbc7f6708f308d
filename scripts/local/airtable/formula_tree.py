"""A filter formula as a tree: recursive descent over its tokens.

From loose to tight: comparison, `&`, `+ -`, `* /`, unary minus; equal ones group from the left.
Source: https://support.airtable.com/docs/formula-field-reference
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .errors import FormulaRefusal
from .formula_tokens import Kind, Token, tokens_of

_DEEPEST = 60
_LEVELS = (frozenset({"=", "!=", "<", "<=", ">", ">="}), frozenset({"&"}), frozenset({"+", "-"}), frozenset({"*", "/"}))


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or number as written."""

    value: str | int | float


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field by name or id."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; the name in capitals."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus."""

    operand: Node


Node: TypeAlias = Literal | FieldRef | Call | Binary | Negation


def parse(formula: str) -> Node:
    """The formula's tree; FormulaRefusal for what is not one whole expression."""
    parser = _Parser(tokens_of(formula))
    tree = parser.expression()
    parser.expect_end()
    return tree


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def expression(self, level: int = 0) -> Node:
        if level == len(_LEVELS):
            return self._operand()
        left = self.expression(level + 1)
        while operator := self._take_operator(*_LEVELS[level]):
            left = Binary(operator, left, self.expression(level + 1))
        return left

    def expect_end(self) -> None:
        if self._tokens[self._at].kind is not Kind.END:
            raise FormulaRefusal(f"Invalid formula. Unexpected {self._tokens[self._at].text!r}.")

    def _operand(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise FormulaRefusal(f"Invalid formula. Nested deeper than {_DEEPEST}.")
        node = Negation(self._operand()) if self._take_operator("-") else self._primary()
        self._depth -= 1
        return node

    def _primary(self) -> Node:
        token = self._tokens[self._at]
        self._at += 1
        match token.kind:
            case Kind.TEXT:
                return Literal(token.text)
            case Kind.NUMBER:
                return Literal(int(token.text) if token.text.isdigit() else float(token.text))
            case Kind.FIELD:
                return FieldRef(token.text)
            case Kind.NAME:
                return Call(token.text.upper(), self._arguments()) if self._take_operator("(") else FieldRef(token.text)
            case _ if token.text == "(":
                inner = self.expression()
                self._expect(")")
                return inner
            case _:
                raise FormulaRefusal(f"Invalid formula. Unexpected {token.text or 'end'!r}.")

    def _arguments(self) -> tuple[Node, ...]:
        if self._take_operator(")"):
            return ()
        arguments = [self.expression()]
        while self._take_operator(","):
            arguments.append(self.expression())
        self._expect(")")
        return tuple(arguments)

    def _take_operator(self, *accepted: str) -> str | None:
        token = self._tokens[self._at]
        if token.kind is not Kind.OPERATOR or token.text not in accepted:
            return None
        self._at += 1
        return token.text

    def _expect(self, operator: str) -> None:
        if self._take_operator(operator) is None:
            raise FormulaRefusal(f"Invalid formula. {operator!r} is missing.")
