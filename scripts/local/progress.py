"""Shows what takes time: one moving line on a terminal, a line per step elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def step(console: Console, title: str) -> Generator[Callable[[str], None]]:
    """Show `title` for the length of the block; the function it yields shows how far the step is.

    On a terminal the latest word replaces the one before; elsewhere only the title is printed, to keep a log short.
    """
    if not console.is_terminal:
        console.print(f"{title} …", markup=False)
        yield _silent
        return
    with console.status(title) as status:

        def show(detail: str) -> None:
            status.update(f"{title}: {detail.strip()[:100]}")

        yield show


def _silent(_: str) -> None:
    """Drop a detail."""
