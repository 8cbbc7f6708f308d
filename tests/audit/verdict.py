"""What a check is worth: what it says of our stack beside what it says of the bad twin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tests.audit.finding import Finding
from tests.audit.muted import Muted, unmuted
from tests.audit.prowler import Result


class Worth(StrEnum):
    """What follows from one check."""

    PROVES = "proves"  # ours passes, the twin fails: this is right because we made it right
    MUTED = "muted"  # ours fails for a reason that is written down
    NOTHING = "proves nothing"  # the twin passes too, or there was nothing to look at
    OPEN = "open"  # ours fails, and nobody said why that may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One check: how often ours and the twin passed and failed, and what follows; `open` are findings to settle."""

    check: str
    worth: Worth
    ours: tuple[int, int]
    twin: tuple[int, int]
    muted: int
    open: tuple[Finding, ...]


def rows(ours: Iterable[Result], twin: Iterable[Result], muted: Iterable[Muted]) -> list[Row]:
    """One row for each check that either account was asked about."""
    here, there, entries = list(ours), list(twin), list(muted)
    checks = sorted({result.check for result in (*here, *there)})
    return [
        _row(check, [r for r in here if r.check == check], [r for r in there if r.check == check], entries)
        for check in checks
    ]


def findings(results: Iterable[Result]) -> list[Finding]:
    """The failed ones."""
    return [
        Finding(tool="prowler", check=result.check, where=result.resource, detail=result.detail)
        for result in results
        if result.status == "FAIL"
    ]


def missing(judged: Iterable[Row], counting: Iterable[str]) -> list[str]:
    """The checks that must prove something and do not."""
    proving = {row.check for row in judged if row.worth is Worth.PROVES}
    return [check for check in counting if check not in proving]


def _row(check: str, ours: list[Result], twin: list[Result], muted: list[Muted]) -> Row:
    failed = findings(ours)
    left = unmuted(failed, muted)
    here, there = _counted(ours), _counted(twin)
    return Row(
        check=check,
        worth=_worth(here, there, left=len(left)),
        ours=here,
        twin=there,
        muted=len(failed) - len(left),
        open=tuple(left),
    )


def _worth(ours: tuple[int, int], twin: tuple[int, int], *, left: int) -> Worth:
    passed, failed = ours
    if left:
        return Worth.OPEN
    if passed and twin[1]:
        return Worth.PROVES
    return Worth.MUTED if failed else Worth.NOTHING


def _counted(results: list[Result]) -> tuple[int, int]:
    statuses = [result.status for result in results]
    return statuses.count("PASS"), statuses.count("FAIL")
