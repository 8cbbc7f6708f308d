"""What is shown on stderr while the function runs, which may take minutes and says nothing meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

# How often a log hears that the function is still at work.
LOG_SECONDS = 30.0


@contextmanager
def shown(console: Console, title: str) -> Generator[Callable[[str], None]]:
    """A function that shows what is waited for: a spinner and the time on a terminal, lines now and then elsewhere."""
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(title)
            yield lambda words: progress.update(task, description=f"{title}: {words}")
        return
    log = _Log(console, title)
    with log.ticking():
        yield log.say


class _Log:
    def __init__(self, console: Console, title: str) -> None:
        self._console, self._words, self._began = console, title, time.monotonic()
        self._over = threading.Event()

    def say(self, words: str) -> None:
        self._console.print(f"{words} …", markup=False, soft_wrap=True)
        self._words = words

    @contextmanager
    def ticking(self) -> Generator[None]:
        """Say now and then, from another thread, that it still goes on."""
        self.say(self._words)
        thread = threading.Thread(target=self._tick, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _tick(self) -> None:
        while not self._over.wait(LOG_SECONDS):
            passed = time.monotonic() - self._began
            self._console.print(f"  {self._words}: {passed:.0f} s", markup=False, soft_wrap=True)
