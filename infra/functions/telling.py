"""Whether a conversation tells of a recording (pure).

It does when it carries the recording's link or lists it, when the recording gave way to another of its room session by
`deliver`'s own rules, or, when there is no file, when it says what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .matching import Carried, Conversation, Decision, Rules, assign, listed
from .recording import Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How this table can tell: `lists`: every recording of a room session; `can_say`: what became of this one."""

    rules: Rules
    lists: bool
    can_say: Callable[[Recording], bool]


class Table:
    """The conversations, found by anything by which a recording could belong to them."""

    def __init__(self, conversations: Iterable[Conversation]) -> None:
        """Of one that is given twice, the later."""
        self.all = {conversation.record_id: conversation for conversation in conversations}
        #: Ids of the egresses that have a link.
        self.linked: set[str] = set()
        self._by: dict[str, list[Conversation]] = {}
        for conversation in self.all.values():
            shown = [*filter(None, [conversation.carries]), *conversation.listed]
            self.linked |= {item.egress_id for item in shown}
            names = {conversation.room_name, conversation.room_id, conversation.egress_id}
            names |= {name for item in shown for name in (item.egress_id, item.room_id)}
            for name in filter(None, names):
                self._by.setdefault(name, []).append(conversation)

    def near(self, recording: Recording) -> list[Conversation]:
        """All that matching could find for it, and maybe more."""
        names = filter(None, (recording.egress_id, recording.room_id, recording.room_name))
        return list({item.record_id: item for name in names for item in self._by.get(name, ())}.values())


def is_told(recording: Recording, table: Table, telling: Telling) -> bool:
    """Whether there is nothing left to do; so too when the table has no place for what there is to say."""
    near = table.near(recording)
    if recording.has_file:
        if any(_shows(item, recording) for one in near for item in (one.carries, *one.listed)):
            return True
    elif not telling.can_say(recording):
        return True
    decision = assign([("", recording)], near, telling.rules)[0]
    if not isinstance(decision, Decision):
        return False
    conversation = table.all[decision.record_id]
    if recording.has_file:
        would_list = telling.lists and len(listed(conversation, [Carried.of(recording)])) > 1
        return not decision.write and not would_list
    return not decision.write or _says(conversation, recording)


def _shows(item: Carried | None, recording: Recording) -> bool:
    """Two files of one egress: the one that ended later is the recording."""
    if item is None or item.egress_id != recording.egress_id:
        return False
    return recording.ended_at is None or (item.ended_at or 0.0) >= recording.ended_at.timestamp()


def _says(conversation: Conversation, recording: Recording) -> bool:
    """What it says of another egress stays: two that failed must not take turns."""
    of_another = conversation.egress_id != recording.egress_id
    return bool(conversation.status) and (of_another or conversation.status == recording.status_text)
