"""Row 1: a burst of events, each sent several times, out of order, a fifth of them forged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.faults import table, world
from tests.faults.calls import Call, call, egress_ended, egress_started, event_id, letters, room_finished
from tests.faults.figures import Figures
from tests.faults.forgeries import forge
from tests.faults.held import hold, none_of
from tests.faults.sender import Sent, Webhook, send_all, statuses
from tests.faults.world import World

#: How long the queue knows an event again. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
DEDUPLICATION_SECONDS = 300
#: Room names in use; each is reused every so often.
_NAMES, _APART_SECONDS = 50, 3600.0
_MOST_COPIES = 5
#: The share of egresses that complete twice; and every so many for sure, since of few chance may spare all.
_TWICE, _SURELY_TWICE = 0.05, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many requests about how many recordings; `seconds` (real) is the most that they may take to be done."""

    factor: float
    events: int
    recordings: int
    seconds: float
    forged: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    calls: Sequence[Call]
    #: Calls whose egress completed twice, as they ended the first time.
    earlier: Sequence[Call]
    webhooks: Sequence[Webhook]
    genuine: frozenset[str]


def run(size: Size, rng: Random, broken: str = "") -> Figures:
    """NotHeldError when a recording is missing or elsewhere, any other cell changed, or a forgery got in."""
    with world.run(size.factor, broken=broken) as here:
        plan = _plan(here, size, rng)
        contents = _upload(here, plan)
        expected = {table.conversation(here, rng, each, with_room_id=rng.random() < 0.5): each for each in plan.calls}
        for _ in range(size.recordings // 4):
            table.bystander(here, rng, rng.choice(plan.calls).room_name, rng.choice(plan.calls).began + 1800)
        before = here.airtable.snapshot()
        receivers = [here.receiver() for _ in range(2)]
        for _ in range(2):
            here.worker()
        sent = send_all([receiver.url for receiver in receivers], plan.webhooks, here.clock)
        _check_answers(sent, plan)
        here.until_drained(size.seconds)
        enqueued = _check_queue(here, sent, plan)
        table.check(here, before, expected, contents)
        none_of(here.reasons(), "messages are in the dead-letter queue")
        return {
            "events": len(sent),
            "forged": len(sent) - sum(event_id(one.body) in plan.genuine for one in sent),
            "forged enqueued": 0,
            "enqueued": enqueued,
            "recordings on their own conversation": len(expected),
            "other cells changed": 0,
            "requests to Airtable": len(here.airtable.asked),
        }


def _plan(here: World, size: Size, rng: Random) -> _Plan:
    begin = here.clock() - 4 * 86_400
    calls: list[Call] = []
    earlier: list[Call] = []
    for number in range(size.recordings):
        began = begin + (number // _NAMES) * _APART_SECONDS + rng.uniform(0, 600)
        made = call(rng, f"room-{number % _NAMES}", began, rng.uniform(30, 900))
        if rng.random() < _TWICE or number % _SURELY_TWICE == 0:
            earlier.append(made)
            made = made.again(rng.uniform(1, 30))
        calls.append(made)
    copies = _copies(here, size, rng, calls, earlier)
    genuine = frozenset(map(event_id, copies))
    now = here.clock()
    webhooks = [Webhook(body=body) for body in copies]
    forged = [forge(rng, rng.choice(copies), number, now) for number in range(size.events - len(copies))]
    webhooks += [Webhook(body=body, authorization=authorization) for body, authorization in forged]
    rng.shuffle(webhooks)
    return _Plan(calls=calls, earlier=earlier, webhooks=webhooks, genuine=genuine)


def _copies(here: World, size: Size, rng: Random, calls: list[Call], earlier: list[Call]) -> list[bytes]:
    """Every event, one to five times; as many as the size leaves for genuine ones."""
    wanted = round(size.events * (1 - size.forged))
    bucket = here.made.bucket
    must = [egress_ended(each, bucket) for each in calls]
    must += [egress_ended(each, bucket, letters(rng, "EV_")) for each in earlier]
    copies = [body for body in must for _ in range(rng.randint(1, _MOST_COPIES))]
    while len(copies) < wanted:
        make = rng.choice((egress_started, lambda of, _: room_finished(of)))
        copies += [make(rng.choice(calls), bucket)] * rng.randint(1, _MOST_COPIES)
    counts = Counter(copies)
    while len(copies) > wanted:  # never the last of its kind
        body = copies.pop(rng.randrange(len(copies)))
        if counts[body] > 1:
            counts[body] -= 1
        else:
            copies.append(body)
    return copies


def _upload(here: World, plan: _Plan) -> dict[str, str]:
    """Files of both completions of an egress under one key; the version of the later one."""
    here.upload(plan.earlier)
    twice = {each.egress_id for each in plan.earlier}
    here.upload(plan.calls)
    return {
        each.egress_id: here.s3.head_object(Bucket=here.made.bucket, Key=each.key)["VersionId"]
        for each in plan.calls
        if each.egress_id in twice
    }


def _check_answers(sent: Sequence[Sent], plan: _Plan) -> None:
    good = [one for one in sent if event_id(one.body) in plan.genuine]
    bad = [one for one in sent if event_id(one.body) not in plan.genuine]
    hold(set(statuses(good)) == {200}, f"every genuine event is answered 200, not {statuses(good)}")
    hold(not bad or set(statuses(bad)) == {401}, f"every forged event is answered 401, not {statuses(bad)}")


def _check_queue(here: World, sent: Sequence[Sent], plan: _Plan) -> int:
    """Messages in the queue: each genuine event, once in five minutes, and nothing else."""
    messages = {line["message"]: line["about"] for line in here.lines(event="received")}
    foreign = set(messages.values()) - plan.genuine
    none_of({name for name in foreign if name.startswith("EV_forged")}, "forged events were enqueued")
    allowed = _allowed(sent, plan)
    counts = Counter(messages.values())
    none_of(plan.genuine - set(messages.values()), "genuine events never reached the queue")
    repeated = [name for name, count in counts.items() if count > allowed.get(name, 0)]
    none_of(repeated, "events were enqueued more often than the queue may")
    return len(messages)


def _allowed(sent: Sequence[Sent], plan: _Plan) -> dict[str, int]:
    """Event id → how often the queue may have taken it, which it did between a copy's sending and its answer."""
    last: dict[str, float] = {}
    allowed: Counter[str] = Counter()
    for one in sorted(sent, key=lambda one: one.at):
        name = event_id(one.body)
        if name in plan.genuine and one.done - last.get(name, float("-inf")) >= DEDUPLICATION_SECONDS - 1:
            last[name] = one.at
            allowed[name] += 1
    return allowed
