"""The account that `callrec redrive` gives: what was sent, what became of it, what is left, and the exit code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scripts.dead_letters import report
from scripts.dead_letters.fate import UNTRIED, Fate, Outcome, counted
from scripts.dead_letters.letter import Letter
from scripts.dead_letters.reasons import explained
from scripts.dead_letters.resend import Sent
from scripts.document import print_document

DONE, LEFT = 0, 1


@dataclass(kw_only=True, slots=True)
class Account:
    """`expected`: what SQS counted at the beginning. `fates` by message id, for what was watched.

    `unwatched`: why the watching ended early.
    """

    stack: str
    sent: Sent
    expected: int
    dry_run: bool = False
    watched: bool = False
    fates: dict[str, Fate] = field(default_factory=dict[str, Fate])
    unwatched: str | None = None

    @property
    def unseen(self) -> int:
        """How many were there by SQS's count, and could not be had."""
        return max(self.expected - len(self.sent.letters) - len(self.sent.passed_over), 0)

    @property
    def exit_code(self) -> int:
        """DONE when nothing of what was chosen is left."""
        if self.dry_run:
            return DONE
        left = self.sent.stopped or self.sent.stayed or self.sent.again or self.unseen
        untold = self.watched and any(fate.outcome is not Outcome.DELIVERED for fate in self._fates())
        return LEFT if left or untold else DONE

    def show(self, *, as_json: bool) -> None:
        """Print it on stdout."""
        if as_json:
            print_document(self.document(time.time()))
            return
        console, now = report.output(), time.time()
        if self.sent.letters:
            table = report.table("outcome", "reason")
            for letter in report.ordered(self.sent.letters.values()):
                table.add_row(*map(report.text, self._told(letter)), *report.cells(letter, now))
            console.print(table)
            console.print()
        for line in self._lines():
            console.print(line, markup=False, soft_wrap=True)

    def document(self, now: float) -> dict[str, Any]:
        """The JSON document; `outcomeReason` is why it waits, or why it was given up again."""
        rows: list[dict[str, Any]] = []
        for letter in report.ordered(self.sent.letters.values()):
            fate = self._fate(letter)
            copy = self.sent.copies.get(letter.id)
            outcome = "would_be_sent" if self.dry_run else fate.outcome.value
            rows.append(report.row(letter, now) | {"messageId": copy, "outcome": outcome, "outcomeReason": fate.reason})
        return {
            "stack": self.stack,
            "ok": self.exit_code == DONE,
            "dryRun": self.dry_run,
            "sent": len(self.sent.copies),
            "notChosen": len(self.sent.passed_over),
            "notSeen": self.unseen,
            "sentButStillThere": len(self.sent.stayed),
            "stopped": self.sent.stopped,
            "unwatched": self.unwatched,
            "letters": rows,
        }

    def _fate(self, letter: Letter) -> Fate:
        return self.fates.get(self.sent.copies.get(letter.id, ""), UNTRIED)

    def _fates(self) -> list[Fate]:
        return [self._fate(letter) for letter in self.sent.letters.values()]

    def _told(self, letter: Letter) -> tuple[str, str]:
        """Outcome and reason: of the new verdict, else the one it was given up for."""
        if self.dry_run:
            return "would be sent", letter.reason
        fate = self._fate(letter)
        words = {Outcome.DEAD: "given up again", Outcome.UNKNOWN: "sent"}
        return words.get(fate.outcome, fate.outcome.value), fate.reason or letter.reason

    def _lines(self) -> Iterator[str]:
        sent = self.sent
        if self.dry_run:
            yield f"{len(sent.letters)} would be sent back, {len(sent.passed_over)} not chosen. Nothing was changed"
        elif not sent.copies:
            yield f"nothing to send back; {len(sent.passed_over)} not chosen"
        else:
            told = f": {counted(self._fates())}" if self.fates else ""
            yield f"{len(sent.copies)} sent back{told}; {len(sent.passed_over)} not chosen"
        if self.unseen:
            yield (
                f"{self.unseen} more may lie there: somebody else reads them now, or they stand behind ten letters of "
                "their room that were not chosen. Run it again in 10 minutes"
            )
        if sent.stopped:
            yield f"stopped early ({sent.stopped}). What was not sent lies where it was: run it again"
        if sent.stayed:
            codes = ", ".join(sorted(set(sent.stayed.values())))
            yield (
                f"{len(sent.stayed)} were sent but could not be deleted ({codes}). "
                "Run it again within 5 minutes: SQS then drops the second copy"
            )
        if sent.again and not self.fates:
            yield f"{len(sent.again)} of them were given up again already. See: callrec dlq --stack {self.stack}"
        yield from self._hints()

    def _hints(self) -> Iterator[str]:
        if self.unwatched:
            yield f"not watched to the end ({self.unwatched})"
        waiting = {fate.reason for fate in self._fates() if fate.outcome is Outcome.WAITING}
        if waiting:
            yield "What waits is tried again by itself for a day; then it is given up again"
        for outcome in (Outcome.WAITING, Outcome.DEAD):
            for code in sorted({fate.reason or "" for fate in self._fates() if fate.outcome is outcome}):
                reason = explained(code)
                yield f"{code}: {reason.meaning}. Mend: {reason.mend}"
        if self.fates and any(fate.outcome is Outcome.UNKNOWN for fate in self._fates()):
            yield "Of some there is no verdict yet. See: callrec dlq, and callrec verify for whether deliver runs"
