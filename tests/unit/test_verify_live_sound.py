"""Speech made here is heard in a real codec, silence is not, and what is no recording is named."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from scripts.verify.hop import Failed
from scripts.verify.live import causes, speech
from scripts.verify.live.sound import NotSoundError, Sound
from tests.unit.live_support import encoded, silence

CALL = Path(__file__).parent.parent / "recordings" / "call1.mp4"


def made(seconds: float, heard: int, codec: str = "aac", container: str = "mov,mp4,m4a") -> Sound:
    levels = (-20.0,) * heard + (-90.0,) * (int(seconds) - heard)
    return Sound(container=container, codec=codec, seconds=seconds, levels=levels)


def test_a_recording_of_a_real_egress_is_read() -> None:
    sound = Sound.of(CALL.read_bytes())
    assert (sound.codec, sound.heard) == ("aac", 12)
    assert "mp4" in sound.container
    assert sound.seconds == pytest.approx(11.8, abs=0.05)


def test_speech_is_heard_and_silence_is_not() -> None:
    spoken = Sound.of(encoded(islice(speech.frames(), 150)))
    assert (spoken.heard, round(spoken.seconds)) == (3, 3)
    assert all(-40 < level < -8 for level in spoken.levels[:3])
    assert Sound.of(silence(3)).heard == 0


def test_speech_swells_and_pauses() -> None:
    loudness = [max(abs(int.from_bytes(frame[at : at + 2], "little", signed=True)) for at in range(0, len(frame), 2))
                for frame in islice(speech.frames(), 50)]  # fmt: skip
    assert max(loudness) > 3000
    assert min(loudness) < 200
    assert max(loudness) < 32_767 * 0.9


@pytest.mark.parametrize("content", [b"", b"not a recording", CALL.read_bytes()[:2000]])
def test_what_no_player_opens_is_named(content: bytes) -> None:
    with pytest.raises(NotSoundError):
        Sound.of(content)


def test_a_call_that_was_heard_is_told() -> None:
    assert causes.judged(made(12.4, 12), claimed=12.5, spoken=12, tolerance=1) == "aac, 12.4 s, 12 s with sound"


@pytest.mark.parametrize(
    ("sound", "likely"),
    [
        (made(12.4, 12, codec="opus", container="ogg"), "something else than AAC"),
        (made(12.4, 12, container="ogg"), "something else than AAC"),
        (made(10.9, 10), "cut, or another one"),
        (made(12.4, 9), "did not get through"),
        (made(12.4, 0), "did not get through"),
    ],
)
def test_what_is_wrong_with_the_sound_is_told(sound: Sound, likely: str) -> None:
    with pytest.raises(Failed) as failed:
        causes.judged(sound, claimed=12.5, spoken=12, tolerance=1)
    assert likely in failed.value.cause
