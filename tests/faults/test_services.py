"""See row_services.py."""

from __future__ import annotations

from tests.faults.rows import check


def test_services() -> None:
    assert check("services")
