"""What is shown on stderr while letters are read, sent and watched."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

# How often a log hears of a long run.
LOG_SECONDS = 5.0


@contextmanager
def shown(console: Console, title: str) -> Generator[Callable[[str], None]]:
    """A function that shows how far it is: on a terminal the latest word, elsewhere a line now and then."""
    if not console.is_terminal:
        console.print(f"{title} …", markup=False, soft_wrap=True)
        yield _Log(console).say
        return
    with console.status(Text(f"{title} …")) as status:
        yield lambda words: status.update(Text(f"{title}: {words}"))


class _Log:
    def __init__(self, console: Console) -> None:
        self._console, self._last = console, time.monotonic()

    def say(self, words: str) -> None:
        now = time.monotonic()
        if now - self._last >= LOG_SECONDS:
            self._last = now
            self._console.print(f"  {words}", markup=False, soft_wrap=True)
