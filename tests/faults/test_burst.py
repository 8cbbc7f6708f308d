"""See row_burst.py."""

from __future__ import annotations

from tests.faults.rows import check


def test_burst() -> None:
    assert check("burst")
