"""The table of muted findings in docs/security.md, from the lists themselves: `python -m tests.audit.document`."""

from __future__ import annotations

from itertools import groupby

from infra.package import ROOT
from tests.audit.muted import DEPLOYED, POLICIES, Muted
from tests.audit.muted_prowler import PROWLER

DOCUMENT = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- muted findings -->\n", "<!-- end -->\n"


def table() -> str:
    """Every muted check with where, why and who asks for it; those of one place and reason in one row."""
    rows = [
        f"| {tool} | {_checks(entries)} | `{where}` | {_controls(entries)} | {reason} |\n"
        for (tool, where, reason), entries in _grouped()
    ]
    return "".join(["| tool | check | where | asked for by | why it stays |\n", "|---|---|---|---|---|\n", *rows])


def shown(text: str) -> str:
    """The table as it stands in the document."""
    return text.split(BEGIN, 1)[1].split(END, 1)[0]


def _grouped() -> list[tuple[tuple[str, str, str], list[Muted]]]:
    entries = (*PROWLER, *POLICIES, *DEPLOYED)
    grouped = groupby(entries, key=lambda entry: (entry.tool, entry.where, entry.reason))
    return [(key, list(found)) for key, found in grouped]


def _controls(entries: list[Muted]) -> str:
    return ", ".join(dict.fromkeys(entry.controls for entry in entries if entry.controls))


def _checks(entries: list[Muted]) -> str:
    return ", ".join(f"`{entry.check}`" for entry in entries)


if __name__ == "__main__":
    before, rest = DOCUMENT.read_text().split(BEGIN, 1)
    DOCUMENT.write_text(f"{before}{BEGIN}{table()}{END}{rest.split(END, 1)[1]}")
