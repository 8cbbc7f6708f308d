"""A filter formula cut into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from .errors import FormulaRefusal

_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?|\.\d+")
_NAME = re.compile(r"[^\W\d]\w*")
_OPERATOR = re.compile(r"!=|<=|>=|[=<>&+\-*/(),]")
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t"}


class Kind(Enum):
    """What a token is."""

    TEXT = auto()
    NUMBER = auto()
    FIELD = auto()
    NAME = auto()
    OPERATOR = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token: for TEXT and FIELD the unescaped content, else the characters as written."""

    kind: Kind
    text: str


def tokens_of(formula: str) -> list[Token]:
    """All tokens, the last of kind END; FormulaRefusal for characters that begin none."""
    found: list[Token] = []
    at = _skip_space(formula, 0)
    while at < len(formula):
        token, at = _next_token(formula, at)
        found.append(token)
        at = _skip_space(formula, at)
    return [*found, Token(Kind.END, "")]


def _skip_space(formula: str, at: int) -> int:
    match = _SPACE.match(formula, at)
    return at if match is None else match.end()


def _next_token(formula: str, at: int) -> tuple[Token, int]:
    if formula[at] in "'\"":
        return _text(formula, at)
    if formula[at] == "{":
        return _field(formula, at)
    for kind, pattern in ((Kind.NUMBER, _NUMBER), (Kind.NAME, _NAME), (Kind.OPERATOR, _OPERATOR)):
        if match := pattern.match(formula, at):
            return Token(kind, match.group()), match.end()
    raise FormulaRefusal(f"Invalid formula. Character {formula[at]!r} begins nothing.")


def _text(formula: str, start: int) -> tuple[Token, int]:
    """A quoted text: the backslash escapes quotes, itself and n, r, t; anything else escaped is refused."""
    quote, at, content = formula[start], start + 1, list[str]()
    while at < len(formula):
        character = formula[at]
        if character == quote:
            return Token(Kind.TEXT, "".join(content)), at + 1
        if character == "\\":
            at += 1
            escaped = formula[at : at + 1]
            if escaped not in _ESCAPES:
                raise FormulaRefusal(f"Invalid formula. Unknown escape {character + escaped!r}.")
            character = _ESCAPES[escaped]
        content.append(character)
        at += 1
    raise FormulaRefusal("Invalid formula. A text has no closing quote.")


def _field(formula: str, start: int) -> tuple[Token, int]:
    r"""A field reference in braces; only `\}` is an escape there (pyairtable.formulas.field_name)."""
    at, content = start + 1, list[str]()
    while at < len(formula):
        if formula.startswith("\\}", at):
            content.append("}")
            at += 2
        elif formula[at] == "}":
            return Token(Kind.FIELD, "".join(content)), at + 1
        else:
            content.append(formula[at])
            at += 1
    raise FormulaRefusal("Invalid formula. A field reference has no closing brace.")
