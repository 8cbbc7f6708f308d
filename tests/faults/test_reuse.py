"""See row_reuse.py."""

from __future__ import annotations

import pytest

from tests.faults.rows import check


@pytest.mark.parametrize("row", ["reuse", "reuse-by-name"])
def test_reuse(row: str) -> None:
    assert check(row)
