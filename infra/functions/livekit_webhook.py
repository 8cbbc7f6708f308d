"""LiveKit's webhook signature and event, without I/O.

Source: https://docs.livekit.io/home/server/webhooks/ ; measured behaviour: a bare JWT (HS256) in Authorization whose
claim `sha256` is the standard padded base64 of the SHA-256 of the raw body. Where this verdict differs from that of
livekit-api's WebhookReceiver, tests/unit/test_functions_livekit_webhook_oracle.py lists it and says why.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import jwt

from . import protojson
from .errors import BadEventError, NotLiveKitError
from .secret import MIN_SECRET_BYTES

LEEWAY_SECONDS = 60
#: A real token has 300 characters; the bound keeps hostile ones cheap.
MAX_TOKEN_CHARS = 8192

_SCHEME = "bearer "
#: Times are checked by _check_times, with the clock that was given.
_OPTIONS: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One webhook event. `created_at` in unix seconds; `payload` holds personal data: never print it.

    `key`: the API key that signed it, None for one that was only read.
    """

    event: str
    id: str
    room_id: str | None
    egress_id: str | None
    created_at: int | float | None
    payload: protojson.Object = field(repr=False)
    key: str | None = None


def verify(body: bytes, authorization: str | None, keys: Mapping[str, str], now: float) -> Event:
    """Return the event when a holder of one of `keys` (API key → secret) signed exactly this body, at this time.

    `now` in unix seconds. NotLiveKitError (401) for every doubt about the sender, BadEventError (400) for a body that
    LiveKit signed but that is no event.
    """
    token = _token(authorization)
    issuer = _issuer(token)
    secret = keys.get(issuer)
    if secret is None:
        raise NotLiveKitError("unknown_key", maybe_rotated=True)
    claims = _claims(token, issuer, secret)
    _check_times(claims, now)
    _check_hash(claims.get("sha256"), body)
    return replace(parse_event(body), key=issuer)


def parse_event(body: bytes) -> Event:
    """Read an event from a body already known to be LiveKit's; BadEventError when it is none."""
    try:
        payload = protojson.parse(body.decode("utf-8"))
    except ValueError:  # UnicodeDecodeError is one
        raise BadEventError("not_json") from None
    name = protojson.text(payload, "event")
    if name is None:
        raise BadEventError("no_event_name")
    egress = protojson.child(payload, "egressInfo")
    room_id = protojson.text(protojson.child(payload, "room"), "sid") or protojson.text(egress, "roomId")
    return Event(
        event=name,
        id=protojson.text(payload, "id") or f"sha256-{hashlib.sha256(body).hexdigest()}",
        room_id=room_id,
        egress_id=protojson.text(egress, "egressId"),
        created_at=protojson.number(payload, "createdAt"),
        payload=payload,
    )


def _token(authorization: str | None) -> str:
    token = (authorization or "").strip(" \t")
    if token[: len(_SCHEME)].lower() == _SCHEME:
        token = token[len(_SCHEME) :].lstrip(" ")
    if not token:
        raise NotLiveKitError("no_token")
    if len(token) > MAX_TOKEN_CHARS or not token.isascii():
        raise NotLiveKitError("malformed_token")
    return token


def _issuer(token: str) -> str:
    """The claimed API key: it only picks the secret, PyJWT then checks the signature and the claim itself."""
    try:
        segment = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
        issuer = claims["iss"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError, binascii.Error):
        raise NotLiveKitError("malformed_token") from None
    if not isinstance(issuer, str):
        raise NotLiveKitError("malformed_token")
    return issuer


def _claims(token: str, issuer: str, secret: str) -> dict[str, Any]:
    try:
        key = secret.encode()
        if len(key) < MIN_SECRET_BYTES:
            raise NotLiveKitError("weak_secret", maybe_rotated=True)
        return jwt.decode(token, key, algorithms=["HS256"], issuer=issuer, options=_OPTIONS)
    except jwt.InvalidSignatureError:
        raise NotLiveKitError("bad_signature", maybe_rotated=True) from None
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise NotLiveKitError("bad_token") from None


def _check_times(claims: Mapping[str, object], now: float) -> None:
    """PyJWT's own rules for exp, nbf and iat, with our clock; and numbers only, as LiveKit sends."""
    expires = _seconds(claims, "exp")
    if expires is None or expires <= now - LEEWAY_SECONDS:
        raise NotLiveKitError("expired")
    for name in ("nbf", "iat"):
        since = _seconds(claims, name)
        if since is not None and since > now + LEEWAY_SECONDS:
            raise NotLiveKitError("not_yet_valid")


def _seconds(claims: Mapping[str, object], name: str) -> int | None:
    if name not in claims:
        return None
    value = claims[name]
    if not protojson.is_number(value):
        raise NotLiveKitError("bad_time")
    return int(value)


def _check_hash(claim: object, body: bytes) -> None:
    if not isinstance(claim, str):
        raise NotLiveKitError("no_body_hash")
    expected = base64.b64encode(hashlib.sha256(body).digest())
    if not hmac.compare_digest(claim.encode("utf-8", "surrogatepass"), expected):
        raise NotLiveKitError("wrong_body_hash")
