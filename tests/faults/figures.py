"""What a row measured, for the table: words to numbers, in the order to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Figures: TypeAlias = Mapping[str, int | float | str]


def shown(figures: Figures) -> str:
    """On one line."""
    return ", ".join(
        f"{value:.3g} {words}" if isinstance(value, float) else f"{value} {words}" for words, value in figures.items()
    )
