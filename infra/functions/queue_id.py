"""Ids as a FIFO queue takes them."""

from __future__ import annotations

import hashlib
import re

_ID = re.compile(r"[!-~]{1,128}")


def queue_id(value: str) -> str:
    """`value` where the queue takes it as an id (128 printable ASCII characters), else its hash."""
    if _ID.fullmatch(value):
        return value
    return f"sha256-{hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"
