"""Builds that are wrong on purpose: each must turn its row red, or the row proves nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from infra.functions import airtable, aws, conversations, deliver, matching, messages, receive, requeue


def dedup_removed() -> None:
    """receive gives every message a deduplication id of its own."""
    plain = aws.client

    class Careless:
        def __init__(self, made: Any) -> None:
            self._made = made

        def __getattr__(self, name: str) -> Any:
            return getattr(self._made, name)

        def send_message(self, **request: Any) -> Any:
            return self._made.send_message(**(request | {"MessageDeduplicationId": uuid.uuid4().hex}))

    _module(aws).client = lambda service, settings: Careless(plain(service, settings))


def signature_unchecked() -> None:
    """receive believes whatever is an event."""
    _module(receive).verify = lambda body, *_: receive_event(body)


def receive_event(body: bytes) -> Any:
    """The event without any proof."""
    return deliver.parse_event(body)


def client_error_on_fault() -> None:
    """receive blames the sender for our own faults."""
    plain = receive._answer

    def blame(status: int, *more: Any) -> dict[str, Any]:
        return plain(400 if status >= 500 else status, *more)

    _module(receive)._answer = blame


def oldest_wins() -> None:
    """Of two completions of one egress, the one that ended first stays."""
    plain = matching._replaces

    def oldest(recording: Any, conversation: matching.Conversation) -> bool:
        carried = conversation.carries
        if carried is None or carried.egress_id != recording.egress_id:
            return plain(recording, conversation)
        return recording.ended_at.timestamp() < (carried.ended_at or 0.0)

    _module(matching)._replaces = oldest


def name_only() -> None:
    """Any conversation of the room's name will do: no times, no ids, and the first of several."""

    def conditions(self: Any, recording: Any, *_: Any) -> Iterable[Any]:
        yield conversations.f.EQ(conversations.f.Field(self.fields()["room_name"].name), recording.room_name)

    def find(recording: Any, conversations: Iterable[Any], *_: Any) -> tuple[list[Any], bool]:
        named = [item for item in conversations if item.room_name == recording.room_name]
        return sorted(named, key=lambda item: item.carries is not None)[:1], False

    _module(conversations.Conversations)._conditions = conditions
    _module(matching).find = find


def acknowledged_first() -> None:
    """deliver takes the batch off the queue before it has written anything."""
    plain = deliver.deliver

    def hasty(batch: list[messages.Message], to: Any, *more: Any) -> dict[str, Any]:
        entries: Any = [{"Id": str(number), "ReceiptHandle": one.receipt} for number, one in enumerate(batch)]
        to.sqs.delete_message_batch(QueueUrl=to.settings.queue_url, Entries=entries)
        return plain(batch, to, *more)

    _module(deliver).deliver = hasty


def write_failures_ignored() -> None:
    """deliver takes a write for done, whatever Airtable answered."""
    plain = conversations.Conversations.update

    def blind(*request: Any) -> dict[str, Any]:
        plain(*request)
        return {}

    _module(conversations.Conversations).update = blind


def unpaced() -> None:
    """deliver asks Airtable as fast as it can."""
    plain = airtable.Airtable.__init__

    def hurried(self: Any, api: Any, settings: Any, *more: Any) -> None:
        plain(self, api, replace(settings, interval_s=0.0), *more)

    _module(airtable.Airtable).__init__ = hurried


def neighbours_fail_too() -> None:
    """What is wrong with one message of a batch is taken for wrong with all."""
    plain = deliver._read

    def together(batch: messages.Batch, *more: Any) -> Any:
        recordings = plain(batch, *more)
        error = next((verdict for _, verdict in batch.verdicts() if verdict), None)
        if error is not None:
            for message in batch.open():
                batch.fail(message, error)
        return recordings

    _module(deliver)._read = together


def repairs_forgotten() -> None:
    """reconcile believes that it sent what it found."""
    _module(requeue.Requeue)._send = lambda *_: set[int]()


BUILDS: dict[str, Callable[[], None]] = {
    build.__name__: build
    for build in (
        dedup_removed,
        signature_unchecked,
        client_error_on_fault,
        oldest_wins,
        name_only,
        acknowledged_first,
        write_failures_ignored,
        unpaced,
        neighbours_fail_too,
        repairs_forgotten,
    )
}


def apply(name: str) -> None:
    """Break this process so; "" leaves it whole."""
    if name:
        BUILDS[name]()


def _module(thing: Any) -> Any:
    """The same, for which the type checker does not mind an assignment."""
    return thing
