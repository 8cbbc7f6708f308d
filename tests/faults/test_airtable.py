"""See row_airtable.py."""

from __future__ import annotations

from tests.faults.rows import check


def test_airtable() -> None:
    assert check("airtable")
