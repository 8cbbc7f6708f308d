"""See row_kills.py."""

from __future__ import annotations

from tests.faults.rows import check


def test_kills() -> None:
    assert check("kills")
