"""The faults that a stand-in is told to suffer: switched on, used up, switched off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """A fault; `times`: how many requests suffer it, None while it is on."""

    @property
    def times(self) -> int | None:
        """How many requests suffer it."""
        ...


F = TypeVar("F", bound=Timed)


class FaultsOn(Generic[F]):
    """The faults that are on, oldest first; the first that befalls a request is the one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 1
        self._on: dict[int, tuple[F, int | None]] = {}

    def add(self, fault: F) -> int:
        """Switch a fault on; the number switches it off again."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._on[number] = (fault, fault.times)
            return number

    def remove(self, number: int) -> None:
        """Switch one fault off; nothing happens when it is off already."""
        with self._lock:
            self._on.pop(number, None)

    def clear(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._on.clear()

    def take_first(self, befalls: Callable[[F], bool]) -> F | None:
        """The first fault that befalls a request, used up by one."""
        with self._lock:
            for number, (fault, left) in self._on.items():
                if befalls(fault):
                    self._use(number, fault, left)
                    return fault
            return None

    def _use(self, number: int, fault: F, left: int | None) -> None:
        if left is None:
            return
        if left > 1:
            self._on[number] = (fault, left - 1)
        else:
            del self._on[number]

    def __len__(self) -> int:
        return len(self._on)
