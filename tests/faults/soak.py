"""Runs every row at its full size and writes docs/soak.md: `make soak`, or `python -m tests.faults.soak [ROW…]`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.figures import shown
from tests.faults.held import NotHeldError
from tests.faults.rows import ROWS, check
from tests.faults.seed import seed

REPORT = Path(__file__).parent.parent.parent / "docs" / "soak.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A row that ran: its figures, or why it does not hold. `seconds` by the wall's clock."""

    name: str
    holds: bool
    words: str
    seconds: float

    def line(self) -> str:
        """A line of the table."""
        row = ROWS[self.name]
        verdict = "holds" if self.holds else "**does not hold**"
        size = f"x{row.full.factor:g}"
        return f"| {row.title} | {row.must_hold} | {verdict} | {self.words} | {size} | {self.seconds:.0f} |"


def measured(name: str) -> Result:
    """One row at its full size."""
    print(f"{name}: {ROWS[name].title} …", file=sys.stderr, flush=True)  # noqa: T201
    began = time.monotonic()
    try:
        words, holds = shown(check(name, ROWS[name].full)), True
    except NotHeldError as error:
        words, holds = str(error).replace("|", "/"), False
    return Result(name=name, holds=holds, words=words, seconds=time.monotonic() - began)


def report(results: Sequence[Result]) -> str:
    """docs/soak.md."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )
    head = f"""# Soak: the fault tests at their full size

Made by `make soak` on {datetime.now(UTC):%Y-%m-%d} with seed {seed()} on a machine of {machine};
the same chances again: `CALLREC_SEED={seed()} make soak`. `make test` runs the same rows at a smaller size, and shows
with builds that are broken on purpose that each of them can fail (`tests/faults/test_broken_builds.py`).

Real here: the functions as processes of their own, signatures, HTTP, SIGKILL. Standing in: AWS (queue, bucket, secret);
Airtable with its five requests a second and its lock-out of 30 s; LiveKit's way of sending webhooks, as measured. The
column "clock" says how many times faster than the wall's the one clock of all of them ran.

| what is done | what must hold | verdict | figures | clock | seconds |
|---|---|---|---|---|---|
"""
    return head + "\n".join(result.line() for result in results) + "\n"


def main() -> int:
    """1 when a row does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all of them, and the report, by default"
    )
    wanted: list[str] = parser.parse_args().rows
    if unknown := set(wanted) - set(ROWS):
        parser.error(f"there is no row {sorted(unknown)[0]!r}; there are {', '.join(ROWS)}")
    results = [measured(name) for name in wanted or ROWS]
    text = report(results)
    print(text)  # noqa: T201
    if not wanted:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(text)
    return 0 if all(result.holds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
