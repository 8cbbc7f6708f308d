"""One clock for all processes of a fault test: it runs faster than the wall's, and it can leap.

Everything that waits lives by it: the functions' own delays, pace and patience, the queue's visibility, the stand-in's
lock-out, LiveKit's retries. Nothing of the shipped code is changed for that: `time.time` and `time.sleep` of a process
are. Signatures of AWS requests and time-outs of sockets stay on the wall's clock.
"""

from __future__ import annotations

import mmap
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LAYOUT = struct.Struct("<ddd")
_wall, _nap = time.time, time.sleep


class Clock:
    """Unix seconds, read from a file that all processes map: when it began, how fast it runs, how far it leapt."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _LAYOUT.size)
        self.path = path
        self._begin, self.factor, _ = _LAYOUT.unpack_from(self._shared)

    @classmethod
    def create(cls, path: Path, factor: float) -> Clock:
        """A clock that shows the true time now, and from now on runs `factor` times as fast."""
        path.write_bytes(_LAYOUT.pack(_wall(), factor, 0.0))
        return cls(path)

    def __call__(self) -> float:
        """The time in unix seconds."""
        leapt: float = _LAYOUT.unpack_from(self._shared)[2]
        return self._begin + (_wall() - self._begin) * self.factor + leapt

    def now(self) -> datetime:
        """The time, aware UTC."""
        return datetime.fromtimestamp(self(), UTC)

    def sleep(self, seconds: float) -> None:
        """Sleep until that many seconds have passed on this clock; a leap does not wake the sleeper."""
        _nap(max(seconds, 0.0) / self.factor)

    def leap(self, seconds: float) -> None:
        """Be that much later at once, in every process."""
        begin, factor, leapt = _LAYOUT.unpack_from(self._shared)
        _LAYOUT.pack_into(self._shared, 0, begin, factor, leapt + seconds)


class Switch:
    """Stands in for `time.time` and `time.sleep` of this process; the wall's clock until it is given another."""

    def __init__(self) -> None:
        self.clock: Clock | None = None

    def time(self) -> float:
        """What `time.time` answers."""
        return _wall() if self.clock is None else self.clock()

    def sleep(self, seconds: float) -> None:
        """What `time.sleep` does."""
        if self.clock is None:
            _nap(seconds)
        else:
            self.clock.sleep(seconds)

    def install(self) -> None:
        """From now on, whoever imports `time` gets this switch; comes before any import that keeps `time.time`."""
        module: Any = time
        module.time, module.sleep = self.time, self.sleep


def wait_real(seconds: float) -> None:
    """Sleep by the wall's clock."""
    _nap(seconds)
