"""Who may do what: personal access tokens with scopes and bases.

Source: https://airtable.com/developers/web/api/scopes
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from enum import StrEnum

from . import errors
from .ids import new_id


class Scope(StrEnum):
    """The scopes that callrec's token needs; the names are Airtable's."""

    READ = "data.records:read"
    WRITE = "data.records:write"
    SCHEMA = "schema.bases:read"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token with its scopes and the ids of the bases it may touch; its value never shows in a repr."""

    value: str = field(repr=False)
    scopes: frozenset[Scope] = ALL_SCOPES
    bases: frozenset[str]
    user_id: str = field(default_factory=lambda: new_id("usr"))

    def require(self, scope: Scope, base_id: str | None = None) -> None:
        """403 unless the token has the scope, and the base when one is named."""
        if scope not in self.scopes or (base_id is not None and base_id not in self.bases):
            raise errors.no_permission_or_model()


class Tokens:
    """The tokens that are valid now."""

    def __init__(self) -> None:
        self._tokens: list[Token] = []

    def add(self, token: Token) -> None:
        """Make a token valid."""
        self._tokens.append(token)

    def revoke(self, value: str) -> None:
        """Make a token invalid; nothing happens for one that is not there."""
        self._tokens = [token for token in self._tokens if token.value != value]

    def of_header(self, authorization: str) -> Token:
        """The token of an `Authorization: Bearer …` header; 401 for anything else."""
        scheme, _, given = authorization.partition(" ")
        for token in self._tokens:
            if scheme.lower() == "bearer" and hmac.compare_digest(token.value.encode(), given.strip().encode()):
                return token
        raise errors.authentication_required()
