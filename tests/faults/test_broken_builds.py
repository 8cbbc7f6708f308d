"""Each build that is broken on purpose turns its row red: the row says that it does not hold, nothing else fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from tests.faults.broken import BUILDS
from tests.faults.held import NotHeldError
from tests.faults.rows import ROWS, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Red:
    """The row that must notice, what it says then, and how it may be smaller than it is by itself."""

    row: str
    says: str
    smaller: Mapping[str, int] = field(default_factory=dict[str, int])


RED = {
    "dedup_removed": Red(row="burst", says="enqueued more often"),
    "signature_unchecked": Red(row="burst", says="answered 401"),
    "oldest_wins": Red(row="burst", says="records are not as they must be"),
    "name_only": Red(row="reuse-by-name", says="another call's recording"),
    "client_error_on_fault": Red(row="services", says="answered with a 5xx, not 400"),
    "acknowledged_first": Red(row="kills", says="records are not as they must be", smaller={"kills": 9}),
    "write_failures_ignored": Red(row="airtable", says="records are not as they must be", smaller={"steady": 10}),
    "unpaced": Red(row="airtable", says="at most 5 times in any second"),
    "neighbours_fail_too": Red(row="poison", says="not done with at their first try"),
}


@pytest.mark.parametrize("build", sorted(RED))
def test_a_broken_build_turns_its_row_red(build: str) -> None:
    red = RED[build]
    with pytest.raises(NotHeldError, match=red.says):
        check(red.row, replace(ROWS[red.row].short, **red.smaller), broken=build)


def test_every_broken_build_has_its_row() -> None:
    assert set(RED) == set(BUILDS)
