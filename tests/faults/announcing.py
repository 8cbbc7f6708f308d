"""Calls that are over: file in the bucket, conversation in the table, event sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from tests.faults import table
from tests.faults.calls import Call, call, egress_ended
from tests.faults.held import hold
from tests.faults.sender import Webhook, send_all, statuses
from tests.faults.world import Receiver, World


def over(here: World, rng: Random, count: int, begin: float | None = None) -> list[Call]:
    """Calls of an hour ago, each in a room name of its own."""
    first = here.clock() - 3600 if begin is None else begin
    return [call(rng, f"room-{rng.randrange(10**9)}", first + number, rng.uniform(20, 600)) for number in range(count)]


def converse(here: World, rng: Random, calls: Iterable[Call]) -> dict[str, Call]:
    """A conversation for each call, half of them with the room id; record → call."""
    return {table.conversation(here, rng, of, with_room_id=rng.random() < 0.5): of for of in calls}


def announce(here: World, receiver: Receiver, bodies: Sequence[bytes]) -> None:
    """Send events, each of which must be taken."""
    webhooks = [Webhook(body=body) for body in bodies]
    answers = statuses(send_all([receiver.url], webhooks, here.clock, 2))
    hold(set(answers) <= {200}, f"every event is answered 200, not {answers}")


def ended(here: World, calls: Iterable[Call]) -> list[bytes]:
    """Upload each call's file; the events that it ended."""
    calls = list(calls)
    here.upload(calls)
    return [egress_ended(of, here.made.bucket) for of in calls]
