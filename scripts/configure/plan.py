"""What `configure` is about to do, and what it did, as people and programs read it. Never a credential."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.configure.rooms import RoomsPlan
from scripts.configure.rules import CHANGING, REFUSED, Change, Step
from scripts.configure.webhook import WebhookPlan

_WORDS = {
    Step.FOREIGN: "left alone: this recording is not callrec's. Put callrec's in its place: --replace",
    Step.HIDDEN: "left alone: LiveKit hides its credentials, so that an undo could not restore it. Remove it by hand",
}
_UNDO_WORDS = {
    Step.FOREIGN: "left alone: somebody changed this recording after callrec did",
    Step.GONE: "nothing to restore",
    Step.KEEP: "as it was found",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A part that was not asked for, or does not apply, is None; `notes` say why it does not.

    `changed` counts the rules that were; `tried` is what became of the webhook's test event, `arrived` of the waiting
    for one of LiveKit's own; `problems` what does not hold.
    """

    stack: str
    dry: bool
    undo: bool
    sip: Sequence[Change] | None = None
    rooms: RoomsPlan | None = None
    webhook: WebhookPlan | None = None
    notes: tuple[str, ...] = ()
    changed: int = 0
    tried: str = ""
    arrived: str = ""
    problems: tuple[str, ...] = ()

    @property
    def refused(self) -> list[Change]:
        """Rules that should be otherwise, and are left as they are."""
        return [change for change in self.sip or () if change.step in REFUSED]

    @property
    def ok(self) -> bool:
        """Whether everything asked for is so, or would be."""
        return not self.refused and not self.problems

    def lines(self) -> Generator[str]:
        """For people, before anything is done."""
        yield f"Stack {self.stack}{' (dry run: nothing is changed)' if self.dry else ''}"
        if self.sip is not None:
            yield from self._sip(self.sip)
        if self.rooms is not None:
            yield "rooms:"
            yield from (f"  {line}" for line in self.rooms.lines())
        if self.webhook is not None:
            yield "webhook:"
            yield from (f"  {line}" for line in self.webhook.lines())
        yield from self.notes

    def results(self) -> Generator[str]:
        """For people, once everything is done."""
        if self.changed:
            yield f"sip: {_rules(self.changed)} changed" + " back" * self.undo
        yield from filter(None, (self.tried, self.arrived))
        yield from self.problems

    def document(self) -> dict[str, Any]:
        """For programs; `changed` counts the dispatch rules."""
        webhook = None if self.webhook is None else self.webhook.document()
        if webhook is not None:
            webhook |= {"tried": self.tried, "arrived": self.arrived}
        parts = {
            "sip": None if self.sip is None else {"changed": self.changed, "rules": [one.row() for one in self.sip]},
            "rooms": None if self.rooms is None else self.rooms.document(),
            "webhook": webhook,
        }
        return {
            "stack": self.stack,
            "ok": self.ok,
            "dryRun": self.dry,
            "undo": self.undo,
            **{name: part for name, part in parts.items() if part is not None},
            "notes": list(self.notes),
            "problems": list(self.problems),
        }

    def _sip(self, changes: Sequence[Change]) -> Generator[str]:
        todo = sum(change.step in CHANGING for change in changes)
        if not changes:
            yield "sip: " + ("nothing to undo" if self.undo else "LiveKit has no dispatch rules: it takes no calls")
            return
        yield f"sip: {todo} of {_rules(len(changes))} {'would' if self.dry else 'will'} change"
        for change in changes:
            yield f"  {change.rule} {_printable(change.name)}".rstrip()
            words = (_UNDO_WORDS if self.undo else _WORDS).get(change.step)
            yield f"    is       {_printable(change.now)}"
            if change.step in CHANGING:
                yield f"    will be  {_printable(change.will)}"
            elif words is not None:
                yield f"    {words}"


def _rules(count: int) -> str:
    return f"{count} dispatch rule{'' if count == 1 else 's'}"


def _printable(text: str) -> str:
    """Names come from outside: whatever could steer a terminal is left out."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
