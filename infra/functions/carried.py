"""What a conversation's link plays, as matching wants to know it."""

from __future__ import annotations

from .errors import BadLinkError
from .links import Link, Links
from .matching import Carried


def carried_by(links: Links, url: str) -> Carried | None:
    """What a link in a conversation plays; None when we did not sign it."""
    link = link_of(links, url)
    if link is None:
        return None
    return Carried(
        egress_id=link.egress_id, room_id=link.room_id, duration_s=link.duration_s, ended_at=link.ended_at, url=url
    )


def link_of(links: Links, url: str) -> Link | None:
    """The link itself; None when we did not sign it. The host may be one of an earlier stack."""
    try:
        return links.read(url.rpartition("/r/")[2])
    except BadLinkError:
        return None
