"""The only place outside the repository that is written to: a folder of the user's own."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """Per-user cache: $CALLREC_CACHE, else callrec/ in $XDG_CACHE_HOME, else ~/.cache/callrec."""
    chosen = os.environ.get("CALLREC_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").resolve() / "callrec"
