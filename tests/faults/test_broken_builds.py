"""Each build that is broken on purpose turns its row red: the row says that it does not hold, nothing else fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.faults.broken import BUILDS
from tests.faults.held import NotHeldError
from tests.faults.rows import ROWS, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Red:
    """A broken build, the row that must notice, what it says then, and how it may be smaller than it is by itself."""

    build: str
    row: str
    says: str
    smaller: Mapping[str, Any] = field(default_factory=dict[str, Any])


RED = (
    Red(build="dedup_removed", row="burst", says="enqueued more often"),
    Red(build="signature_unchecked", row="burst", says="answered 401"),
    Red(build="oldest_wins", row="burst", says="records are not as they must be"),
    Red(build="name_only", row="reuse", says="another call's recording"),
    Red(build="name_only", row="reuse-by-name", says="another call's recording"),
    Red(build="repairs_forgotten", row="outage", says="records are not as they must be", smaller={"outages": (120.0,)}),
    Red(build="client_error_on_fault", row="services", says="answered with a 5xx, not 400"),
    Red(build="acknowledged_first", row="kills", says="records are not as they must be", smaller={"kills": 9}),
    Red(build="write_failures_ignored", row="airtable", says="records are not as they must be", smaller={"steady": 10}),
    Red(build="unpaced", row="airtable", says="at most 5 times in any second"),
    Red(build="neighbours_fail_too", row="poison", says="not done with at their first try"),
)


@pytest.mark.parametrize("red", RED, ids=lambda red: f"{red.build}-{red.row}")
def test_a_broken_build_turns_its_row_red(red: Red) -> None:
    with pytest.raises(NotHeldError, match=red.says):
        check(red.row, replace(ROWS[red.row].short, **red.smaller), broken=red.build)


def test_every_broken_build_has_its_row_and_every_row_its_broken_build() -> None:
    assert {red.build for red in RED} == set(BUILDS)
    assert {red.row for red in RED} == set(ROWS)
