"""Row 7: an AWS service that `receive` needs fails while LiveKit sends; and S3, which only `deliver` needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from tests.faults import announcing, table, world
from tests.faults.calls import Call, egress_ended
from tests.faults.figures import Figures
from tests.faults.held import hold
from tests.faults.livekit import ANSWER_SECONDS, LiveKit, Notice
from tests.faults.proxy import Proxy, Trouble
from tests.faults.world import Receiver, World

TROUBLES = (Trouble.ERROR, Trouble.CLOSED, Trouble.HELD, Trouble.HALF)
#: Older than this, a copy of the secret is not used any more (infra/functions/secret.py), and must be read again.
_SECRET_SECONDS = 301
#: Beyond the first delay of a message.
_DELAY_SECONDS = 60
_ENDPOINTS = {
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "sqs": "AWS_ENDPOINT_URL_SQS",
    "s3": "AWS_ENDPOINT_URL_S3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How often each service fails in each way; `seconds` (real) is the most that one time may take."""

    rounds: int
    seconds: float
    factor: float = 1.0  # the functions' time-outs here are those of sockets, and are measured as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One receiver, the way to the service that fails it, and whether it fails while the function starts."""

    receiver: Receiver
    livekit: LiveKit
    proxy: Proxy
    cold: bool = False


def run(size: Size, rng: Random, broken: str = "") -> Figures:
    """NotHeldError unless every fault is a 5xx within LiveKit's time, and LiveKit's own retry brings the event in."""
    with ExitStack() as stack:
        here = stack.enter_context(world.run(size.factor, broken=broken))
        proxies = {service: stack.enter_context(Proxy(here.aws)) for service in _ENDPOINTS}
        cases = [_case(here, proxies, *which) for which in (("secretsmanager", True), ("secretsmanager", False))]
        cases.append(_case(here, proxies, "sqs", cold=False))
        count = size.rounds * len(TROUBLES)
        calls = announcing.over(here, rng, count * (len(cases) + 1))
        expected = announcing.converse(here, rng, calls)
        before = here.airtable.snapshot()
        here.upload(calls)
        left = iter(calls)
        notices = [
            notice
            for _ in range(size.rounds)
            for trouble in TROUBLES
            for notice in _fail(here, cases, trouble, left, size)
        ]
        _without_s3(here, proxies["s3"], left, size)
        here.until_drained(size.seconds)
        table.check(here, before, expected)
        hold(not here.dead_letters(), "nothing is dead")
        return {
            "faults of Secrets Manager and SQS": len(notices),
            "answered 5xx, then taken at a retry": len(notices),
            "s for the slowest 5xx": max(notice.slowest for notice in notices),
            "taken while S3 was down": count,
            "recordings on their own conversation": len(expected),
        }


def _case(here: World, proxies: dict[str, Proxy], service: str, cold: bool) -> _Case:  # noqa: FBT001 - one of two cases
    changes = {_ENDPOINTS[which]: proxies[which].url for which in (service, "s3")}
    receiver = here.receiver(changes)
    return _Case(receiver=receiver, livekit=LiveKit(receiver.url, here.clock), proxy=proxies[service], cold=cold)


def _fail(here: World, cases: list[_Case], trouble: Trouble, left: Iterator[Call], size: Size) -> list[Notice]:
    """All cases at once: an event comes in the middle of the trouble, which ends after its first 5xx."""
    for case in cases:
        case.proxy.trouble = trouble
        if case.cold:
            case.receiver.kill()
            case.receiver.start()
    here.clock.leap(_SECRET_SECONDS)
    notices = [_notify(here, case, next(left)) for case in cases]
    here.until(lambda: all(notice.status for notice in notices), f"every fault ({trouble}) is answered", size.seconds)
    for notice in notices:
        hold(notice.outcome == "waiting", f"a fault ({trouble}) is answered with a 5xx, not {notice.status}")
        hold(notice.slowest < ANSWER_SECONDS, f"a fault ({trouble}) is answered in time, not in {notice.slowest:.1f} s")
    for case in cases:
        case.proxy.trouble = Trouble.NONE
    here.until(lambda: all(case.livekit.idle() for case in cases), "LiveKit is done", size.seconds)
    outcomes = {notice.outcome for notice in notices}
    hold(outcomes == {"accepted"}, f"the retry after a fault ({trouble}) succeeds: {outcomes}")
    return notices


def _notify(here: World, case: _Case, of: Call) -> Notice:
    return case.livekit.notify(of.room_id, egress_ended(of, here.made.bucket))


def _without_s3(here: World, proxy: Proxy, left: Iterator[Call], size: Size) -> None:
    """`receive` takes events all the same; `deliver` returns them to the queue, and does them afterwards."""
    hold(proxy.asked == 0, "receive asks nothing of S3")
    receiver = here.receiver()
    livekit = LiveKit(receiver.url, here.clock)
    here.worker(changes={_ENDPOINTS["s3"]: proxy.url})
    here.until_drained(size.seconds)
    for number, of in enumerate(left):
        proxy.trouble = TROUBLES[number % len(TROUBLES)]
        waited = len(_waiting(here))
        notice = livekit.notify(of.room_id, egress_ended(of, here.made.bucket))
        here.until(livekit.idle, "LiveKit is done", size.seconds)
        hold(notice.outcome == "accepted", f"with S3 down an event is taken, not {notice.outcome}")
        here.until(lambda waited=waited: len(_waiting(here)) > waited, "without S3 deliver waits", size.seconds)
        proxy.trouble = Trouble.NONE
        here.until_drained(size.seconds, leap=_DELAY_SECONDS)


def _waiting(here: World) -> list[object]:
    return [line for line in here.lines(event="verdict") if line.get("reason") == "storage_unavailable"]
