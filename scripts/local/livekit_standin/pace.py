"""Waiting, at the pace that the stand-in was told: a test shortens LiveKit's seconds, the stand-in's end ends them."""

from __future__ import annotations

import threading


class Pace:
    """`scale` 1 waits as long as LiveKit does, 0.01 a hundredth of it; `stopping` is set when the stand-in stops."""

    def __init__(self, scale: float) -> None:
        if scale <= 0:
            raise ValueError(f"a time scale is above 0, not {scale}")
        self.scale = scale
        self.stopping = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Wait that many of LiveKit's seconds; False when the stand-in stops meanwhile."""
        return not self.stopping.wait(seconds * self.scale)
