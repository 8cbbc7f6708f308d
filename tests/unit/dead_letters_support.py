"""A FIFO queue as SQS keeps one, as far as these tests look: groups, hiding, deduplication; and letters for it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from scripts.dead_letters.letter import Letter
from tests.unit.verify_support import FakeClient

DAY = 86_400
EGRESS_ENDED = {
    "event": "egress_ended",
    "id": "EV_1",
    "createdAt": "1795478447",
    "egressInfo": {
        "egressId": "EG_1",
        "roomId": "RM_1",
        "roomName": "camille",
        "status": "EGRESS_COMPLETE",
        "startedAt": "1795478435000000000",
        "endedAt": "1795478446000000000",
        "fileResults": [{"filename": "calls/secret-+43123.mp4", "size": "5"}],
    },
}


def event(room: str) -> str:
    return json.dumps({"event": "egress_ended", "room": {"name": room}})


def ended(room: str, egress: str = "EG_1", room_id: str = "RM_1") -> str:
    info = {**EGRESS_ENDED["egressInfo"], "roomName": room, "egressId": egress, "roomId": room_id}  # type: ignore[dict-item]
    return json.dumps({**EGRESS_ENDED, "egressInfo": info})


class FakeQueue(FakeClient):
    """A queue that hands out what is visible, `page` at a time; each of `bodies` a letter of a group of its own."""

    def __init__(self, *bodies: str, page: int = 10, reason: str | None = "ambiguous", age: float = 7_260.0) -> None:
        self.held: list[str] = []
        self.holds: list[int] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.page = page
        self._dropped: dict[tuple[str, str], str] = {}
        self._made = 0
        super().__init__(
            receive_message=self._receive,
            delete_message_batch=self._delete,
            change_message_visibility_batch=self._change,
            get_queue_attributes=self._attributes,
            send_message=self._send,
        )
        for body in bodies:
            self.add(body, reason=reason, age=age)

    def add(
        self,
        body: str,
        *,
        group: str | None = None,
        reason: str | None = "ambiguous",
        age: float = 7_260.0,
        deduplication: str = "",
    ) -> str:
        name = str(self._made)
        self._made += 1
        self.messages[name] = {
            "MessageId": name,
            "ReceiptHandle": f"receipt-{name}",
            "Body": body,
            "Attributes": {
                "SentTimestamp": str(int((time.time() - age) * 1000)),
                "MessageGroupId": group or f"group-{name}",
                "MessageDeduplicationId": deduplication or f"first-{name}",
            },
            **({"MessageAttributes": {"reason": {"StringValue": reason}}} if reason else {}),
        }
        return name

    def bodies(self) -> list[str]:
        return [message["Body"] for message in self.messages.values()]

    def groups(self, names: Iterable[str]) -> set[str]:
        return {self.messages[name]["Attributes"]["MessageGroupId"] for name in names}

    def _receive(self, **call: Any) -> Any:
        blocked = self.groups(self.held)
        free = [name for name in self.messages if not self.groups([name]) & blocked]
        taken = free[: min(self.page, call["MaxNumberOfMessages"])]
        self.held += taken
        self.holds.append(call["VisibilityTimeout"])
        return {"Messages": [self.messages[name] for name in taken]} if taken else {}

    def _named(self, entry: dict[str, Any]) -> str:
        return entry["ReceiptHandle"].removeprefix("receipt-")

    def _delete(self, **call: Any) -> Any:
        for entry in call["Entries"]:
            self.held.remove(self._named(entry))
            del self.messages[self._named(entry)]
        return {}

    def _change(self, **call: Any) -> Any:
        for entry in call["Entries"]:
            if entry["VisibilityTimeout"] == 0:
                self.held.remove(self._named(entry))
        return {}

    def _attributes(self, **_: Any) -> Any:
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(len(self.messages)),
                "MessageRetentionPeriod": str(14 * DAY),
            }
        }

    def _send(self, **call: Any) -> Any:
        mark = (call["MessageGroupId"], call["MessageDeduplicationId"])
        if mark not in self._dropped:
            self._dropped[mark] = "copy-" + self.add(
                call["MessageBody"], group=mark[0], deduplication=mark[1], reason=None, age=0
            )
        return {"MessageId": self._dropped[mark]}


def letter(body: str = "", *, name: str = "1", reason: str = "ambiguous", given_up_at: float = 0.0) -> Letter:
    message = {
        "MessageId": name,
        "ReceiptHandle": f"receipt-{name}",
        "Body": body or json.dumps(EGRESS_ENDED),
        "Attributes": {"SentTimestamp": str(int(given_up_at * 1000)), "MessageGroupId": "RM_1"},
        "MessageAttributes": {"reason": {"StringValue": reason}, "detail": {"StringValue": "a sentence"}},
    }
    return Letter.of(message, 0.0)
