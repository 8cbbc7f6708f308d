"""Ctrl-C and SIGTERM while a command has something to put away first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """The user, or the system, asked the command to stop."""


@contextmanager
def interruptible() -> Generator[None]:
    """Turn both signals into `Interrupted` for the length of the block; does nothing outside the main thread."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(signal.Signals(number).name)

    with _handling(stop):
        yield


@contextmanager
def postponed() -> Generator[Callable[[], bool]]:
    """Let the block end before a signal is heard: then it comes as it would have come without the block.

    What is yielded tells whether one has come, so that a long block can end early.
    """
    heard: list[int] = []
    with _handling(lambda number, _frame: heard.append(number)):
        yield lambda: bool(heard)
    if heard:
        signal.raise_signal(heard[0])


@contextmanager
def uninterruptible() -> Generator[None]:
    """Let the block end whatever signals come; they are forgotten, since the command is stopping anyway."""
    with _handling(lambda _number, _frame: None):
        yield


@contextmanager
def _handling(handler: signal._HANDLER) -> Generator[None]:  # pyright: ignore[reportPrivateUsage]
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
