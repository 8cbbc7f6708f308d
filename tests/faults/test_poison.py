"""See row_poison.py."""

from __future__ import annotations

from tests.faults.rows import check


def test_poison() -> None:
    assert check("poison")
