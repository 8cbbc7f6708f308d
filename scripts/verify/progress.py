"""What is shown on stderr while hops are tried."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.status import Status
from rich.text import Text

from scripts.verify.hop import Hop, Outcome, Result
from scripts.verify.report import mark


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """A spinner with the hop at work on a terminal, a line a hop elsewhere."""

    console: Console
    status: Status | None

    def start(self, hop: Hop) -> None:
        """A hop begins."""
        if self.status is not None:
            self.status.update(Text(hop.title))

    def result(self, result: Result) -> None:
        """A hop ended; on a terminal only failures stay on the screen, the table comes anyway."""
        if self.status is None or result.outcome is Outcome.FAILED:
            line = Text.assemble(mark(result.outcome, self.console), f" {result.title}: {result.seen}")
            self.console.print(line, soft_wrap=True)


@contextmanager
def shown(console: Console) -> Generator[Progress]:
    """Progress on `console` for the length of the block."""
    if not console.is_terminal:
        yield Progress(console=console, status=None)
        return
    with console.status("") as status:
        yield Progress(console=console, status=status)
