"""How long an invocation still has."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from .errors import WaitError

MayGoOn: TypeAlias = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Deadline:
    """`left`: seconds until Lambda kills the function."""

    left: Callable[[], float]

    @classmethod
    def of(cls, context: Any, otherwise: float) -> Deadline:
        """As Lambda's context says; without one `otherwise` seconds from now.

        https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
        """
        remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
        if remaining is not None:
            return cls(lambda: remaining() / 1000)
        until = time.monotonic() + otherwise
        return cls(lambda: until - time.monotonic())

    def allows(self, seconds: float) -> bool:
        """Whether something that may take so long can still be begun."""
        return self.left() > seconds


def out_of_time() -> WaitError:
    """The verdict on what an invocation cannot finish."""
    return WaitError("out_of_time", "the function's time is over; the rest of the batch comes again")
