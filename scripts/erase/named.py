"""Whether a recording that a conversation names is that conversation's own."""

from __future__ import annotations

from scripts.errors import StackError
from scripts.recordings.find import Shelf, Shown


def refuse_contradicted(shelf: Shelf, shown: Shown, egress_id: str) -> None:
    """Raises StackError when the conversation's link, or its egress id, is or may be another call's.

    By the room id, when both it and the link have one: that is a room session's for ever. Else by what other
    conversations say of themselves.
    """
    mine = shown.conversation
    kept = [one for one in shown.links if one.link.egress_id == egress_id] or shelf.egress(egress_id)
    rooms = {one.link.room_id for one in kept if one.link.room_id}
    if mine.room_id and rooms:
        if rooms != {mine.room_id}:
            raise StackError(
                f"conversation {mine.record_id} is of room {mine.room_id}, but {egress_id}, which it names, recorded "
                f"{', '.join(sorted(rooms))}: another call. Nothing was touched. Correct the conversation; if that "
                f"recording is to go: callrec erase {egress_id}"
            )
        return
    for other in shelf.claiming(egress_id, () if mine.egress_id == egress_id else sorted(rooms)):
        theirs = other.conversation
        if theirs.record_id != mine.record_id and not (mine.room_id and theirs.room_id == mine.room_id):
            raise StackError(
                f"conversation {mine.record_id} names {egress_id}, but conversation {theirs.record_id} says that it is "
                f"its own. Nothing was touched. If that recording is to go: callrec erase {egress_id}"
            )
