"""What the tests of live calls share: a caller without a network, and recordings made here."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import av

from scripts.local.livekit_server import LiveKitServer
from scripts.verify.live import speech
from scripts.verify.live.caller import Caller


@dataclass(kw_only=True)
class HereCaller(Caller):
    """Joins the stand-in, which has rooms and participants but no sound."""

    server: LiveKitServer
    room: str
    publish: bool = True
    joined: bool = False

    def join(self) -> str:
        self.server.join(self.room, "callrec-verify-caller", publish=self.publish)
        self.joined = True
        return "joined"

    def hang_up(self) -> None:
        if self.joined:
            self.joined = False
            self.server.leave(self.room, "callrec-verify-caller")


def encoded(frames: Iterable[bytes], container: str = "mp4", codec: str = "aac") -> bytes:
    """A file of these frames of `speech`."""
    library: Any = av
    target = io.BytesIO()
    with library.open(target, "w", format=container) as output:
        stream = output.add_stream(codec, rate=speech.SAMPLE_RATE)
        stream.layout = "mono"
        for number, data in enumerate(frames):
            frame = library.AudioFrame(format="s16", layout="mono", samples=speech.FRAME_SAMPLES)
            frame.sample_rate = speech.SAMPLE_RATE
            frame.pts = number * speech.FRAME_SAMPLES
            frame.planes[0].update(data)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target.getvalue()


def silence(seconds: int) -> bytes:
    """An AAC file in which nobody is heard."""
    return encoded([bytes(2 * speech.FRAME_SAMPLES)] * (seconds * 1000 // speech.FRAME_MS))
