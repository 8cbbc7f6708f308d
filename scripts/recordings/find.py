"""Finds the links that play a recording, and the conversations they stand in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from pyairtable import formulas as f

from infra.functions.carried import carried_by, link_of
from infra.functions.conversations import Conversations
from infra.functions.links import Link, Links
from infra.functions.matching import Conversation
from scripts.deployment import Deployment
from scripts.recordings.conversations import airtable_errors, conversations

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A link of ours in a conversation. `listed`: in the field that lists all recordings, not in the link's own."""

    record_id: str
    url: str = field(repr=False)
    listed: bool
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A conversation and its links of ours, its own one first."""

    conversation: Conversation
    links: tuple[Kept, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """Every link in the stack's table; what it asks of Airtable is paced beside `deliver`, and waits when told to.

    Its methods raise StackError when Airtable refuses.
    """

    table: Conversations = field(repr=False)
    links: Links = field(repr=False)
    tell: Tell = field(repr=False)

    @classmethod
    def of(cls, deployment: Deployment, tell: Tell) -> Shelf:
        """The stack's table; links are known as ours by its present and its previous signing key."""
        keys = (deployment.config.get(name, "") for name in ("previousLinkSigningKey", "linkSigningKey"))
        return cls(table=conversations(deployment, tell), links=Links([key for key in keys if key]), tell=tell)

    def everything(self) -> Iterator[list[Shown]]:
        """Every conversation that has a link of ours, up to a hundred at a time; one request each."""
        with airtable_errors():
            filled = [f.NE(f.Field(name), "") for name in self._names("recording_url", "recordings")]
            seen = 0
            for page in self._pages(f.OR(*filled)):
                seen += len(page)
                self.tell(f"read {seen:,} conversations with a recording")
                yield [shown for shown in page if shown.links]

    def record(self, record_id: str) -> Shown | None:
        """One conversation, with or without links; None when there is none of that id."""
        return next(iter(self.records([record_id])), None)

    def records(self, record_ids: Sequence[str]) -> list[Shown]:
        """These conversations as they are now, up to a hundred by one request; without those that are gone."""
        with airtable_errors():
            wanted = f.OR(*(f.EQ(f.RECORD_ID(), record_id) for record_id in record_ids))
            return [shown for page in self._pages(wanted) for shown in page]

    def egress(self, egress_id: str, *, thorough: bool = False) -> tuple[Kept, ...]:
        """The links to one egress's recording, in whatever conversations.

        By the table's field for the egress id when it has one and the link stands there; else, and with `thorough`,
        by reading every conversation with a link.
        """
        with airtable_errors():
            for name in [] if thorough else self._names("egress_id"):
                if found := _of(egress_id, self._pages(f.EQ(f.Field(name), egress_id))):
                    return found
        return _of(egress_id, self.everything())

    def claiming(self, egress_id: str, room_ids: Sequence[str] = ()) -> list[Shown]:
        """The conversations whose own fields say this egress, or one of these room sessions; by one request."""
        with airtable_errors():
            wanted = [f.EQ(f.Field(name), egress_id) for name in self._names("egress_id")]
            wanted += [f.EQ(f.Field(name), room_id) for name in self._names("room_id") for room_id in room_ids]
            return [shown for page in self._pages(f.OR(*wanted)) for shown in page] if wanted else []

    def _pages(self, formula: f.Formula) -> Iterator[list[Shown]]:
        for page in self.table.pages(formula, partial(carried_by, self.links)):
            yield [self._shown(conversation) for conversation in page]

    def _shown(self, conversation: Conversation) -> Shown:
        own = () if conversation.carries is None else (conversation.carries,)
        urls = [(item.url, False) for item in own] + [(item.url, True) for item in conversation.listed]
        kept = (
            Kept(record_id=conversation.record_id, url=url, listed=listed, link=link)
            for url, listed in urls
            if (link := link_of(self.links, url)) is not None
        )
        return Shown(conversation=conversation, links=tuple(kept))

    def _names(self, *roles: str) -> list[str]:
        known = self.table.fields()
        return [known[role].name for role in roles if role in known]


def _of(egress_id: str, pages: Iterator[list[Shown]]) -> tuple[Kept, ...]:
    return tuple(kept for page in pages for shown in page for kept in shown.links if kept.link.egress_id == egress_id)
