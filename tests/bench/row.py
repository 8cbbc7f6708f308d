"""One row of the table, and how ratios are judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Target:
    """A bound: at most (`above` False) or at least (`above` True) `bound`."""

    bound: float
    above: bool = False

    def met(self, value: float) -> bool:
        """Whether the value keeps the bound."""
        return value >= self.bound if self.above else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.above else '≤'} {self.bound:g}"


def ratio(figure: float, base: float) -> float:
    """`figure` by `base`; ValueError unless both are positive: a difference lost in the noise is no measurement."""
    if figure <= 0 or base <= 0:
        raise ValueError(f"{figure} and {base} give no ratio: measure again, longer")
    return figure / base


@dataclass(frozen=True, kw_only=True)
class Row:
    """`figure` with its unit in words; `value`: what the target is about, None when there is none.

    `why`: what to tell when the target is missed.
    """

    what: str
    figure: str
    against: str = ""
    value: float | None = None
    target: Target | None = None
    why: str = ""

    @property
    def verdict(self) -> str:
        """`pass`, `miss`, or nothing without a target."""
        if self.value is None or self.target is None:
            return ""
        return "pass" if self.target.met(self.value) else "miss"

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """What the table shows."""
        ratio = "" if self.value is None else f"{self.value:.2f}"
        return self.what, self.figure, self.against, ratio, str(self.target or ""), self.verdict
