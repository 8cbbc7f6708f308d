"""Sound that a voice codec takes for speech: syllables of voiced vowels with pauses between them (pure)."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator

SAMPLE_RATE = 48_000
FRAME_MS = 20
FRAME_SAMPLES = SAMPLE_RATE * FRAME_MS // 1000

#: Hz of the first two formants of a, e, i, o, u.
_VOWELS = ((730, 1090), (530, 1840), (270, 2290), (570, 840), (300, 870))
_SYLLABLE_SECONDS, _VOICED = 0.25, 0.7
_PITCH_HZ, _MELODY_HZ, _MELODY_SECONDS = 140.0, 25.0, 1.7
_HARMONICS = 20
_BANDWIDTH_HZ = 150.0
_PEAK = 0.35 * 32_767


def frames() -> Iterator[bytes]:
    """Frames of FRAME_MS without end: 16-bit mono samples at SAMPLE_RATE, little-endian on every machine we know."""
    phase, number = 0.0, 0
    while True:
        samples = array("h")
        start = number * FRAME_SAMPLES / SAMPLE_RATE
        pitch = _PITCH_HZ + _MELODY_HZ * math.sin(2 * math.pi * start / _MELODY_SECONDS)
        weights = _weights(_VOWELS[int(start / _SYLLABLE_SECONDS) % len(_VOWELS)], pitch)
        for index in range(FRAME_SAMPLES):
            phase += pitch / SAMPLE_RATE
            samples.append(int(_PEAK * _loudness(start + index / SAMPLE_RATE) * _voice(phase, weights)))
        number += 1
        yield samples.tobytes()


def _loudness(at: float) -> float:
    """0 to 1: a syllable swells and ends, then comes a pause."""
    part = (at / _SYLLABLE_SECONDS) % 1
    return math.sin(math.pi * part / _VOICED) if part < _VOICED else 0.0


def _weights(formants: tuple[int, int], pitch: float) -> list[float]:
    """Strength of each harmonic of the pitch; they sum to 1."""
    raw = [
        sum(1 / (1 + ((number * pitch - formant) / _BANDWIDTH_HZ) ** 2) for formant in formants) / number**0.5
        for number in range(1, _HARMONICS + 1)
    ]
    return [weight / sum(raw) for weight in raw]


def _voice(phase: float, weights: list[float]) -> float:
    return sum(weight * math.sin(2 * math.pi * number * phase) for number, weight in enumerate(weights, 1))
