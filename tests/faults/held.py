"""What a row says when it does not hold: told apart from a harness that broke."""

from __future__ import annotations

from collections.abc import Collection

from tests.faults.seed import seed


class NotHeldError(AssertionError):
    """The pipeline did what the row forbids, or did not what it asks."""


def hold(condition: object, what: str) -> None:
    """NotHeldError with the seed unless the condition is true."""
    if not condition:
        raise NotHeldError(f"{what} (CALLREC_SEED={seed()})")


def none_of(wrong: Collection[object], what: str) -> None:
    """NotHeldError that counts and shows the first of them unless there are none."""
    hold(not wrong, f"{len(wrong)} {what}, such as {sorted(map(str, wrong))[:3]}")
