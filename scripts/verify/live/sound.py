"""What is in a recording: its codec, its length, and whether anybody can be heard."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

#: A second that is quieter holds noise at most; speech lies between -35 and -10. dB below full scale.
SILENCE_DB = -55.0
_FULL_SCALE = 32_768.0
_RATE = 16_000


class NotSoundError(Exception):
    """The bytes are no recording that a player knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """A decoded recording; `levels`: loudness of each second, in dB below full scale."""

    container: str
    codec: str
    seconds: float
    levels: tuple[float, ...]

    @property
    def heard(self) -> int:
        """Seconds in which something can be heard."""
        return sum(level > SILENCE_DB for level in self.levels)

    @classmethod
    def of(cls, content: bytes) -> Sound:
        """Decode all of it. Raises NotSoundError."""
        import av  # noqa: PLC0415 -- loads FFmpeg, which only a live call needs

        library: Any = av
        try:
            with library.open(io.BytesIO(content)) as container:
                stream = container.streams.audio[0]
                samples = _mono(library, container, stream)
                return cls(
                    container=container.format.name,
                    codec=stream.codec_context.name,
                    seconds=len(samples) / _RATE,
                    levels=tuple(_level(samples[start : start + _RATE]) for start in range(0, len(samples), _RATE)),
                )
        except (library.FFmpegError, IndexError, ValueError) as error:
            raise NotSoundError(type(error).__name__) from None


def _mono(library: Any, container: Any, stream: Any) -> memoryview:
    resampler = library.AudioResampler(format="s16", layout="mono", rate=_RATE)
    raw = bytearray()
    for frame in [*container.decode(stream), None]:  # None flushes what the resampler holds back
        for part in resampler.resample(frame):
            raw += bytes(part.planes[0])[: part.samples * 2]
    return memoryview(bytes(raw)).cast("h")


def _level(samples: memoryview) -> float:
    power = sum(sample * sample for sample in samples) / max(len(samples), 1)
    return 10 * math.log10(power / _FULL_SCALE**2) if power else -math.inf
