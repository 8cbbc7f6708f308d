"""Chance that can be had again: one seed for a run, told whenever something does not hold."""

from __future__ import annotations

import os
import secrets
from functools import cache
from random import Random


@cache
def seed() -> int:
    """CALLREC_SEED, else one made up for this process and printed (pytest shows it with a failure)."""
    given = os.environ.get("CALLREC_SEED")
    return int(given) if given else secrets.randbelow(10**9)


def chance(row: str) -> Random:
    """The row's own random numbers, whatever ran before it."""
    print(f"{row}: CALLREC_SEED={seed()}")  # noqa: T201
    return Random(f"{seed()}-{row}")  # noqa: S311
