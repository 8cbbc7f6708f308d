"""Which links of a conversation are to be issued anew, and what is then written to it (pure but for asking S3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from infra.functions.conversations import Conversations
from infra.functions.links import Link
from scripts.link.signing import Signing
from scripts.link.storage import State, Stored
from scripts.recordings.find import Kept, Shown


class Outcome(StrEnum):
    """What became of one link."""

    RENEWED = "renewed"
    FRESH = "fresh"
    REVOKED = "revoked"
    ERASED = "erased"
    GONE = "gone"
    #: The conversation's own room id is of another call than its link: nobody should make that last.
    CONTRADICTS = "contradicts"
    FAILED = "failed"


JUST_ISSUED_SECONDS = 3600
_REFUSED = {State.ERASED: Outcome.ERASED, State.GONE: Outcome.GONE, State.REVOKED: Outcome.REVOKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which links are due: those that end within `span_s` from `now` or are signed by an older key, or `everything`.

    With `egress_id` only those to its recording, whenever they end; then with `again` even when they were revoked.
    """

    now: float
    span_s: float = 0.0
    everything: bool = False
    egress_id: str | None = None
    again: bool = False

    def due(self, kept: Kept, signing: Signing) -> bool:
        """Whether this link is to be issued anew."""
        if self.egress_id is not None:
            return kept.link.egress_id == self.egress_id
        ends = kept.link.expires_at - self.now <= self.span_s
        old = not signing.links.by_newest(kept.url.rpartition("/r/")[2])
        # Of `everything` too, what an interrupted run has done is done.
        return ends or old or (self.everything and kept.link.issued_at < self.now - JUST_ISSUED_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One link of a conversation and what is to become of it; `url` is the new one when it is renewed."""

    kept: Kept
    outcome: Outcome
    url: str = field(default="", repr=False)


def judged(shown: Shown, rule: Rule, signing: Signing, ask: Callable[[Link], Stored]) -> list[Judged]:
    """Every link of the conversation."""
    return [_judge(kept, shown, rule, signing, ask) for kept in shown.links]


def _judge(kept: Kept, shown: Shown, rule: Rule, signing: Signing, ask: Callable[[Link], Stored]) -> Judged:
    if not rule.due(kept, signing):
        return Judged(kept=kept, outcome=Outcome.FRESH)
    if shown.conversation.room_id and kept.link.room_id and shown.conversation.room_id != kept.link.room_id:
        return Judged(kept=kept, outcome=Outcome.CONTRADICTS)
    refused = _REFUSED.get(ask(kept.link).state(kept.link.issued_at))
    if refused is not None and not (refused is Outcome.REVOKED and rule.again):
        return Judged(kept=kept, outcome=refused)
    return Judged(kept=kept, outcome=Outcome.RENEWED, url=signing.renewed(kept.link))


def cells(links: Sequence[Judged], table: Conversations) -> dict[str, object]:
    """Field name → value, for the fields in which a link is renewed; the other links of a field stay as they are."""
    made: dict[str, object] = {}
    for one in links:
        if one.url and not one.kept.listed:
            made[table.fields()["recording_url"].name] = one.url
    listed = [one for one in links if one.kept.listed]
    if any(one.url for one in listed):
        made |= table.listing([one.url or one.kept.url for one in listed])
    return made


def counted(links: Sequence[Judged]) -> dict[str, int]:
    """How many of each outcome, every outcome named."""
    counts = Counter(one.outcome for one in links)
    return {outcome.value: counts[outcome] for outcome in Outcome}
