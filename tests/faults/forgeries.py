"""Events that LiveKit did not sign like that: each would do harm if it were believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import jwt

from tests.unit.functions_support import KEY, claims, sign

_OTHER_SECRET = "not-the-secret-not-the-secret-not-the-secret"
#: What is wrong → the Authorization, made of the body that is sent, the genuine one, and the time.
KINDS: dict[str, Callable[[bytes, bytes, float], str | None]] = {
    "wrong key": lambda body, _, now: sign(body, secret=_OTHER_SECRET, now=now),
    "unknown key": lambda body, _, now: sign(body, secret=_OTHER_SECRET, now=now, iss="APIstranger"),
    "altered body": lambda _, genuine, now: sign(genuine, now=now),
    "expired": lambda body, _, now: sign(body, now=now - 3600),
    "wrong hash": lambda body, genuine, now: sign(body, now=now, sha256=claims(genuine)["sha256"]),
    "no hash": lambda body, _, now: sign(body, now=now, sha256=None),
    "unsigned": lambda body, _, now: jwt.encode(claims(body, now, iss=KEY), "", algorithm="none"),
    "no token": lambda *_: None,
}


def forge(rng: Random, genuine: bytes, number: int, now: float) -> tuple[bytes, str | None]:
    """A body with an event id of its own that moves a recording elsewhere, and the Authorization it comes with."""
    body = _altered(genuine, number)
    return body, rng.choice(list(KINDS.values()))(body, genuine, now)


def _altered(genuine: bytes, number: int) -> bytes:
    payload = json.loads(genuine)
    payload["id"] = f"EV_forged-{number}"
    payload["event"] = "egress_ended"
    info = payload.setdefault("egressInfo", {"status": "EGRESS_COMPLETE"})
    info |= {"endedAt": "1999999999000000000", "status": "EGRESS_COMPLETE"}
    return json.dumps(payload).encode()
