"""Who may do what: API keys, tokens, and the grants in them.

Source: livekit-server 1.13.11 pkg/service/auth.go, livekit/protocol auth/verifier.go: HS256 only, one minute of leeway,
`exp` required, the key named by `iss`. A token that lacks a grant is answered with 401, as one that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import jwt

from . import errors

LEEWAY_SECONDS = 60
_BEARER = "Bearer "
_TIMES: Any = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_sub": False,
    "verify_jti": False,
}
_INVALID = "invalid authorization token"


@dataclass(frozen=True, kw_only=True, slots=True)
class Grants:
    """What a token allows; `key` is the API key that signed it, "" without a token."""

    key: str = ""
    video: Mapping[str, Any] = field(default_factory=dict[str, Any])
    sip: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def names(self) -> tuple[str, ...]:
        """The grants that are true, as the journal shows them: no room's name among them."""
        video = [name for name, value in self.video.items() if value is True]
        return (*sorted(video), *sorted(f"sip.{name}" for name, value in self.sip.items() if value is True))

    def require(self, name: str) -> None:
        """401 unless the token has this video grant."""
        if self.video.get(name) is not True:
            raise errors.permissions_denied()

    def require_admin(self, room: str) -> None:
        """401 unless the token administers exactly this room."""
        self.require("roomAdmin")
        if self.video.get("room", "") != room:
            raise errors.permissions_denied()

    def require_sip_admin(self) -> None:
        """401 unless the token may manage SIP."""
        if self.sip.get("admin") is not True:
            raise errors.permissions_denied()


def grants_of(authorization: str, query_token: str, keys: Mapping[str, str], now: float) -> Grants:
    """The grants of `Authorization: Bearer …` or, without that header, of `?access_token=…`; `now` in unix seconds.

    Raises LiveKitRefusal 401 for a token that is not good; no token at all is a token without grants.
    """
    if authorization and not authorization.startswith(_BEARER):
        raise errors.plain(401, f"invalid authorization header. Must start with {_BEARER}")
    token = authorization.removeprefix(_BEARER) or query_token
    if not token:
        return Grants()
    key = _issuer(token)
    secret = keys.get(key)
    if not secret:
        raise errors.plain(401, "invalid API key")
    claims = _claims(token, key, secret)
    _check_times(claims, now)
    return Grants(key=key, video=_grant(claims, "video"), sip=_grant(claims, "sip"))


def _issuer(token: str) -> str:
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise errors.plain(401, _INVALID) from None
    return str(claims.get("iss") or "")


def _claims(token: str, key: str, secret: str) -> dict[str, Any]:
    try:
        return jwt.decode(token, secret, algorithms=["HS256"], issuer=key, options=_TIMES)
    except jwt.InvalidAlgorithmError:
        method = jwt.get_unverified_header(token).get("alg")
        raise errors.plain(401, f"{_INVALID}: token signature is invalid: signing method {method} is invalid") from None
    except jwt.PyJWTError:
        raise errors.plain(401, f"{_INVALID}: token signature is invalid: signature is invalid") from None


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float):
        raise errors.plain(401, f"{_INVALID}: token has invalid claims: token is missing required claim: exp claim")
    if now >= expires + LEEWAY_SECONDS:
        raise errors.plain(401, f"{_INVALID}: token has invalid claims: token is expired")
    if not isinstance(begins, int | float) or now < begins - LEEWAY_SECONDS:
        raise errors.plain(401, f"{_INVALID}: token has invalid claims: token is not valid yet")


def _grant(claims: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One grant of the token; 401 for what LiveKit cannot read, such as text for a truth value."""
    grant: Any = claims.get(name) or {}
    named = ("roomCreate", "roomList", "roomRecord", "roomAdmin", "admin")
    if not isinstance(grant, dict) or any(
        not isinstance(value, bool | None) for key, value in cast("dict[str, Any]", grant).items() if key in named
    ):
        raise errors.plain(401, f"{_INVALID}: token is malformed: could not JSON decode claim")
    return cast("dict[str, Any]", grant)
