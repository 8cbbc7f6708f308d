"""What a handler logs: taken off the standard output, and checked."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Generator

#: Type, ids and reason of the longest line that is allowed.
_LONGEST = 600


@contextlib.contextmanager
def logged() -> Generator[Callable[[], list[str]]]:
    """Collect the lines printed meanwhile; each must be JSON and short, however long the request was."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        yield lambda: printed.getvalue().splitlines()
    for line in printed.getvalue().splitlines():
        assert len(line) <= _LONGEST, "a log line grows with the request"
        assert isinstance(json.loads(line), dict)
