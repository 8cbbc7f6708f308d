"""What `callrec verify` says: a table for people, JSON and JUnit for programs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.verify.hop import Outcome, Result

MARKS = {
    Outcome.OK: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.SKIPPED: ("–", "yellow"),  # noqa: RUF001 -- meant
    Outcome.WARNING: ("!", "yellow"),
}
PLAIN_MARKS = {Outcome.OK: "ok", Outcome.FAILED: "FAIL", Outcome.SKIPPED: "-", Outcome.WARNING: "warn"}
# Where the output is a file or a pipe there is no width to keep to; this keeps a row on a line or two.
PIPE_WIDTH = 160
# What XML cannot hold at all: https://www.w3.org/TR/xml/#charsets
NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def mark(outcome: Outcome, console: Console) -> Text:
    """The sign of an outcome, in words where the terminal has no such letters."""
    sign, style = MARKS[outcome]
    return Text(sign if console.encoding.startswith("utf") else PLAIN_MARKS[outcome], style=style)


def counts(results: Sequence[Result]) -> dict[str, int]:
    """How many of each outcome."""
    found = Counter(result.outcome for result in results)
    return {outcome.value: found[outcome] for outcome in Outcome}


def table(results: Sequence[Result], console: Console) -> Table:
    """A row a hop; under a failed one its likely cause and the next command."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("")
    made.add_column("hop")
    made.add_column("seen", overflow="fold")
    made.add_column("ms", justify="right")
    for result in results:
        seen = Text(result.seen)
        if result.outcome is Outcome.FAILED:
            seen.append(f"\nlikely: {result.cause}\nnext:   {result.mend}", style="bold")
        made.add_row(mark(result.outcome, console), Text(result.title), seen, str(result.ms))
    return made


def summary(results: Sequence[Result]) -> str:
    """One closing line."""
    found, seconds = counts(results), sum(result.ms for result in results) / 1000
    warned = f", {found[Outcome.WARNING]} warn" if found[Outcome.WARNING] else ""
    return (
        f"{found[Outcome.OK]} hold, {found[Outcome.FAILED]} fail{warned}, {found[Outcome.SKIPPED]} not tried; "
        f"{seconds:.1f} s"
    )


def document(stack: str, results: Sequence[Result]) -> dict[str, Any]:
    """The JSON document: `ok`, `counts` by outcome, and `results` in the order of the way; times in ms."""
    rows = [
        {
            "id": result.id,
            "title": result.title,
            "outcome": result.outcome.value,
            "seen": result.seen,
            "ms": result.ms,
            "cause": result.cause or None,
            "next": result.mend or None,
        }
        for result in results
    ]
    return {"stack": stack, "ok": not counts(results)[Outcome.FAILED], "counts": counts(results), "results": rows}


def junit(stack: str, results: Sequence[Result]) -> bytes:
    """JUnit XML, a test case a hop; times in seconds.

    https://github.com/testmoapp/junitxml
    """
    found = counts(results)
    suite = ET.Element(
        "testsuite",
        name=f"callrec verify {stack}",
        tests=str(len(results)),
        failures=str(found[Outcome.FAILED]),
        errors="0",
        skipped=str(found[Outcome.SKIPPED]),
        time=_seconds(sum(result.ms for result in results)),
    )
    for result in results:
        group, _, name = result.id.partition(".")
        case = ET.SubElement(
            suite,
            "testcase",
            classname=f"callrec.{group}",
            name=f"{name}: {_clean(result.title)}",
            time=_seconds(result.ms),
        )
        if result.outcome is Outcome.FAILED:
            failure = ET.SubElement(case, "failure", message=_clean(result.seen))
            failure.text = _clean(f"likely: {result.cause}\nnext: {result.mend}")
        elif result.outcome is Outcome.SKIPPED:
            ET.SubElement(case, "skipped", message=_clean(result.seen))
        else:
            ET.SubElement(case, "system-out").text = _clean(result.seen)
    return ET.tostring(suite, encoding="utf-8", xml_declaration=True)


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.3f}"


def _clean(text: str) -> str:
    return NOT_XML.sub("?", text)
