"""See row_outage.py."""

from __future__ import annotations

from tests.faults.rows import check


def test_outage() -> None:
    assert check("outage")
