"""Row 6: one message in each batch can never be done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from random import Random

from tests.faults import announcing, table, world
from tests.faults.calls import Call, egress_ended
from tests.faults.figures import Figures
from tests.faults.held import none_of
from tests.faults.roles import BATCH
from tests.faults.world import World

_A_ROUND = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many batches of ten; `seconds` (real) is the most that they may take."""

    factor: float
    batches: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Poison:
    """A body that is wrong in one way, and the reason that must stand at the dead letter."""

    reason: str
    body: Callable[[Call, str], bytes]


def _file(of: Call, filename: str) -> dict[str, object]:
    return {"filename": filename, "size": str(of.size)}


def _rewritten(of: Call, bucket: str, filename: str) -> bytes:
    return egress_ended(of, bucket, None, fileResults=[_file(of, filename)], file=_file(of, filename))


KINDS = (
    _Poison(reason="bad_message", body=lambda of, _: f"no JSON about {of.egress_id}".encode()),
    _Poison(reason="bad_message", body=lambda of, _: json.dumps({"id": of.egress_id, "event": None}).encode()),
    _Poison(reason="bad_message", body=lambda of, _: b"[" * 5000 + of.egress_id.encode()),
    _Poison(reason="bad_recording", body=lambda of, bucket: egress_ended(of, bucket, None, status="EGRESS_NEW")),
    _Poison(reason="bad_recording", body=lambda of, bucket: egress_ended(of, bucket, None, egressId=None)),
    _Poison(
        reason="bad_recording", body=lambda of, bucket: egress_ended(of, bucket, None, fileResults=None, file=None)
    ),
    _Poison(reason="wrong_bucket", body=lambda of, _: egress_ended(of, "a-bucket-of-others")),
    _Poison(reason="wrong_key", body=lambda of, bucket: _rewritten(of, bucket, f"elsewhere/{of.egress_id}.mp4")),
    _Poison(reason="wrong_key", body=lambda of, bucket: _rewritten(of, bucket, f"recordings/../{of.egress_id}.mp4")),
)


def run(size: Size, rng: Random, broken: str = "") -> Figures:
    """NotHeldError unless the nine neighbours are done at the first try and the tenth is dead for its reason."""
    for start in range(0, size.batches, _A_ROUND):
        with world.run(size.factor, broken=broken) as here:
            # A busy machine's requests come in heaps on a fast clock; who is refused for that tries again: row 5.
            here.airtable.rate_limit.enabled = False
            _round(here, rng, range(start, min(start + _A_ROUND, size.batches)), size.seconds)
    return {
        "batches": size.batches,
        "neighbours done, each once": size.batches * (BATCH - 1),
        "dead with their reason": size.batches,
        "kinds of poison": min(len(KINDS), size.batches),
    }


def _round(here: World, rng: Random, numbers: Collection[int], seconds: float) -> None:
    """Some of the batches, in a world of their own: the stand-in for Airtable is slow with a large table."""
    calls = announcing.over(here, rng, len(numbers) * (BATCH - 1))
    expected = announcing.converse(here, rng, calls)
    before = here.airtable.snapshot()
    reasons: dict[str, str] = {}
    bodies = iter(announcing.ended(here, calls))
    for number in numbers:
        kind, poisoned = KINDS[number % len(KINDS)], rng.randrange(BATCH)
        for place in range(BATCH):
            if place != poisoned:
                _enqueue(here, rng, next(bodies))
                continue
            [of] = announcing.over(here, rng, 1)
            reasons[_enqueue(here, rng, kind.body(of, here.made.bucket))] = kind.reason
    for _ in range(2):
        here.worker()
    here.until_drained(seconds, meanwhile=lambda: _check_tries(here))
    _check(here, reasons)
    table.check(here, before, expected)
    writes = Counter(write.record_id for write in here.airtable.writes)
    none_of([record for record in expected if writes[record] != 1], "neighbours were not written exactly once")


def _enqueue(here: World, rng: Random, body: bytes) -> str:
    """Put it on the queue, past `receive`, which would not take most of them; the message's id."""
    name = f"{rng.randrange(10**12)}"
    return here.sqs.send_message(
        QueueUrl=here.made.queue_url,
        MessageBody=body.decode(),
        MessageGroupId=name,
        MessageDeduplicationId=name,
    )["MessageId"]


def _check(here: World, reasons: Mapping[str, str]) -> None:
    dead = here.dead()
    none_of(set(dead) - set(reasons), "good messages are dead")
    none_of(set(reasons) - set(dead), "poisoned messages are not dead")
    wrong = {f"{dead[message]} instead of {reason}" for message, reason in reasons.items() if dead[message] != reason}
    none_of(wrong, "dead letters have another reason")
    _check_tries(here)


def _check_tries(here: World) -> None:
    tries = Counter(line["message"] for line in here.lines(event="received"))
    again = {message for message, count in tries.items() if count > 1}
    none_of(again, "messages were not done with at their first try")
