"""Who asked to play what: one line in `play`'s log for every request that brings a token.

`{"event":"play","at":…,"egress":…,"outcome":…,"issued":…,"source":…}`: `issued` tells the links of one recording apart
(unix seconds), `source` is the address it was asked from, as a pseudonym that only the stack's audit key can make: the
same address gives the same one, and no list of all addresses undoes it. Never the token, nor the address.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

from .links import Link
from .log import log, metric
from .networks import Address

PLAYED = "played"
FAILED = "failed"
_SOURCE_HEX = 16


def pseudonym(key: str, source: Address | None) -> str | None:
    """16 hexadecimal digits for an address; None for an unknown one."""
    if source is None:
        return None
    digest = hmac.new(key.encode("utf-8", "surrogatepass"), str(source).encode(), hashlib.sha256)
    return digest.hexdigest()[:_SOURCE_HEX]


def tell(function: str, outcome: str, link: Link | None, source: str | None, now: float) -> None:
    """Write the line, and count what was played or not, by its outcome. `source`: a pseudonym; `now`: unix seconds."""
    log(
        "info",
        "play",
        at=datetime.fromtimestamp(int(now), UTC).isoformat().replace("+00:00", "Z"),
        egress=link and link.egress_id,
        outcome=outcome,
        issued=link and link.issued_at,
        source=source,
    )
    if outcome == PLAYED:
        metric(function, "played")
    else:
        metric(function, "not_played", reason=outcome)
