"""LiveKit's ids: a prefix for the kind and twelve characters of the alphabet that has no look-alikes.

Source: livekit/protocol utils/guid.
"""

from __future__ import annotations

import secrets
import string

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def new_secret() -> str:
    """Forty-four letters and digits, as of a room's TURN password."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(44))


def new_id(prefix: str) -> str:
    """A fresh id: RM_ room, PA_ participant, EG_ egress, SDR_ dispatch rule, EV_ event, API key."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(12))
