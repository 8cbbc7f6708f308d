"""Shows what takes time: one moving line on a terminal, a line per step elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

# How often a log hears of a long step.
LOG_SECONDS = 20.0


@contextmanager
def step(console: Console, title: str) -> Generator[Callable[[str], None]]:
    """Show `title` for the length of the block; the function it yields shows how far the step is.

    On a terminal the latest word replaces the one before; elsewhere a word is a line, and of words that differ in
    numbers only one is printed every LOG_SECONDS, to keep a log short.
    """
    if not console.is_terminal:
        console.print(f"{title} …", markup=False)
        yield _Log(console).say
        return
    with console.status(Text(title)) as status:

        def show(detail: str) -> None:
            status.update(Text(f"{title}: {detail.strip()[:100]}"))

        yield show


class _Log:
    """Prints the words of a step, without flooding."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._kinds: dict[str, float] = {}

    def say(self, detail: str) -> None:
        """Print a word of a new kind at once, of a known kind now and then."""
        kind = re.sub(r"\d+", "0", detail.strip())
        now = time.monotonic()
        if kind and now - self._kinds.get(kind, -LOG_SECONDS) >= LOG_SECONDS:
            self._kinds[kind] = now
            self._console.print(f"  {detail.strip()}", markup=False, soft_wrap=True)
