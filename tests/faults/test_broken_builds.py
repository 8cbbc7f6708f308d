"""Each build that is broken on purpose turns its row red: the row says that it does not hold, nothing else fails."""

from __future__ import annotations

import pytest

from tests.faults.broken import BUILDS
from tests.faults.held import NotHeldError
from tests.faults.rows import check

#: Broken build → the row that must notice, and a word of what it says.
NOTICED = {
    "dedup_removed": ("burst", "enqueued more often"),
    "signature_unchecked": ("burst", "answered 401"),
    "oldest_wins": ("burst", "records are not as they must be"),
    "name_only": ("reuse-by-name", "another call's recording"),
    "client_error_on_fault": ("services", "5xx"),
    "acknowledged_first": ("kills", "records are not as they must be"),
    "write_failures_ignored": ("airtable", "everything still waits|records are not as they must be"),
    "unpaced": ("airtable", "in any second"),
    "neighbours_fail_too": ("poison", "."),
}


@pytest.mark.parametrize("build", sorted(NOTICED))
def test_a_broken_build_turns_its_row_red(build: str) -> None:
    row, words = NOTICED[build]
    with pytest.raises(NotHeldError, match=words):
        check(row, broken=build)


def test_every_broken_build_has_its_row() -> None:
    assert set(NOTICED) == set(BUILDS)
