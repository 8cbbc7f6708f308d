"""A caller made of software: joins a room as a person's client does, and speaks until it is told to hang up."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle, islice
from typing import TYPE_CHECKING

from livekit import api

from scripts.verify.hop import Failed
from scripts.verify.live import speech
from scripts.verify.probe import MARK

if TYPE_CHECKING:
    from livekit import rtc

#: The SDK tells of each try to connect, with the address.
logging.getLogger("livekit").addHandler(logging.NullHandler())
logging.getLogger("livekit").propagate = False

JOIN_SECONDS = 30.0
HANG_UP_SECONDS = 10.0
TOKEN_LIFE = timedelta(minutes=10)
#: How many seconds of speech are made; they are repeated.
_LOOP_SECONDS = 5


def token(key: str, secret: str, room: str) -> str:
    """A participant's token: may join this one room and publish; it holds no egress, which its owner could read."""
    grants = api.VideoGrants(room_join=True, room=room, can_publish=True, can_subscribe=False)
    made = api.AccessToken(key, secret).with_identity(f"{MARK}-caller").with_grants(grants).with_ttl(TOKEN_LIFE)
    return made.to_jwt()


@dataclass(kw_only=True)
class Caller:
    """In the room from `join` to `hang_up`, on a thread of its own; harmless to hang up twice."""

    url: str
    token: str = field(repr=False)
    _hung_up: threading.Event = field(default_factory=threading.Event, repr=False)
    _speaking: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)
    _error: str = ""

    def join(self) -> str:
        """Join, publish a microphone and begin to speak. Raises Failed."""
        # Made before joining: the pure Python takes about as long as the sound itself.
        sound = list(islice(speech.frames(), _LOOP_SECONDS * 1000 // speech.FRAME_MS))
        self._thread = threading.Thread(target=self._run, args=(sound,), daemon=True)
        began = time.monotonic()
        self._thread.start()
        while not self._speaking.wait(0.05):
            if not self._thread.is_alive() or time.monotonic() - began > JOIN_SECONDS:
                self._hung_up.set()
                raise Failed(
                    f"could not join: {self._error or f'nothing within {JOIN_SECONDS:.0f} s'}",
                    cause="WebRTC (UDP 50000-60000 or TCP 7881) does not pass between this machine and LiveKit, or the "
                    "key may not join rooms",
                    mend="https://livekit.io/connection-test",
                )
        return f"joined after {time.monotonic() - began:.1f} s and speaks"

    def hang_up(self) -> None:
        """Leave the room."""
        self._hung_up.set()
        if self._thread is not None:
            self._thread.join(HANG_UP_SECONDS)

    def _run(self, sound: list[bytes]) -> None:
        try:
            asyncio.run(self._call(sound))
        except Exception as error:  # noqa: BLE001 -- told by `join`; its text may quote the address with the token
            self._error = type(error).__name__

    async def _call(self, sound: list[bytes]) -> None:
        from livekit import rtc  # noqa: PLC0415 -- loads a native library that only a live call needs

        room = rtc.Room()
        source = rtc.AudioSource(speech.SAMPLE_RATE, 1)
        try:
            await room.connect(self.url, self.token, rtc.RoomOptions(auto_subscribe=False))
            track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            await room.local_participant.publish_track(track, options)
            self._speaking.set()
            await self._speak(source, sound)
        finally:
            await room.disconnect()
            await source.aclose()

    async def _speak(self, source: rtc.AudioSource, sound: list[bytes]) -> None:
        from livekit import rtc  # noqa: PLC0415 -- as above

        for data in cycle(sound):
            if self._hung_up.is_set():
                return
            await source.capture_frame(rtc.AudioFrame(data, speech.SAMPLE_RATE, 1, speech.FRAME_SAMPLES))
