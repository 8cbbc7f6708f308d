"""Row 7: an AWS service that `receive` needs fails while LiveKit sends; and S3, which only `deliver` needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
_LEAP_SECONDS = 240
_ENDPOINTS = {
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "sqs": "AWS_ENDPOINT_URL_SQS",
    "s3": "AWS_ENDPOINT_URL_S3",
}
#: The service that fails a receiver, and whether it fails while that one starts.
_CASES = (("secretsmanager", True), ("secretsmanager", False), ("sqs", False))


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
    cold: bool

    def begin(self, trouble: Trouble) -> None:
        """From now on the service fails."""
        self.proxy.trouble = trouble
        if self.cold:
            self.receiver.kill()
            self.receiver.start()

    def end(self, notice: Notice) -> bool:
        """Whether a first answer is there: the service works again then."""
        if notice.status is not None:
            self.proxy.trouble = Trouble.NONE
        return self.proxy.trouble is Trouble.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """All cases, and the way by which `deliver` reaches S3."""

    here: World
    cases: Sequence[_Case]
    s3: Proxy
    seconds: float

    def suffer(self, trouble: Trouble, left: Iterator[Call]) -> list[Notice]:
        """Everything fails at once; an event for each case comes in the middle of it."""
        here, waited = self.here, len(_waiting(self.here))
        for case in self.cases:
            case.begin(trouble)
        self.s3.trouble = trouble
        here.clock.leap(_SECRET_SECONDS)
        pairs = [(case, _notify(here, case, next(left))) for case in self.cases]
        answered = f"every fault ({trouble}) is answered"
        here.until(lambda: sum(case.end(notice) for case, notice in pairs) == len(pairs), answered, self.seconds)
        for _, notice in pairs:
            hold(notice.first in (500, 502, 503), f"a fault ({trouble}) is answered with a 5xx, not {notice.first}")
        here.until(lambda: all(case.livekit.idle() for case in self.cases), "LiveKit is done", self.seconds)
        notices = [notice for _, notice in pairs]
        outcomes = {notice.outcome for notice in notices}
        hold(outcomes == {"accepted"}, f"the retry after a fault ({trouble}) succeeds: {outcomes}")
        slowest = max(notice.slowest for notice in notices)
        hold(slowest < ANSWER_SECONDS, f"a fault ({trouble}) is answered in time, not in {slowest:.1f} s")
        here.until(lambda: len(_waiting(here)) > waited, f"when S3 {trouble}, deliver waits", self.seconds)
        self.s3.trouble = Trouble.NONE
        return notices


def run(size: Size, rng: Random, broken: str = "") -> Figures:
    """NotHeldError unless every fault is a 5xx within LiveKit's time, and LiveKit's own retry brings the event in."""
    with ExitStack() as stack:
        here = stack.enter_context(world.run(size.factor, broken=broken))
        s3 = stack.enter_context(Proxy(here.aws))
        cases = [_case(here, stack.enter_context(Proxy(here.aws)), service, cold=cold) for service, cold in _CASES]
        scene = _Scene(here=here, cases=cases, s3=s3, seconds=size.seconds)
        calls = announcing.over(here, rng, size.rounds * len(TROUBLES) * len(cases))
        expected = announcing.converse(here, rng, calls)
        before = here.airtable.snapshot()
        here.upload(calls)
        here.worker(changes={_ENDPOINTS["s3"]: s3.url})
        left = iter(calls)
        troubles = [trouble for _ in range(size.rounds) for trouble in TROUBLES]
        notices = [notice for trouble in troubles for notice in scene.suffer(trouble, left)]
        here.until_drained(size.seconds, leap=_LEAP_SECONDS)
        table.check(here, before, expected)
        hold(not here.dead_letters(), "nothing is dead")
        return {
            "faults of Secrets Manager and SQS": len(notices),
            "answered 5xx, then taken at a retry": len(notices),
            "s for the slowest answer": max(notice.slowest for notice in notices),
            "times that S3 failed deliver": len(_waiting(here)),
            "recordings on their own conversation": len(expected),
        }


def _case(here: World, proxy: Proxy, service: str, *, cold: bool) -> _Case:
    receiver = here.receiver({_ENDPOINTS[service]: proxy.url})
    return _Case(receiver=receiver, livekit=LiveKit(receiver.url, here.clock), proxy=proxy, cold=cold)


def _notify(here: World, case: _Case, of: Call) -> Notice:
    return case.livekit.notify(of.room_id, egress_ended(of, here.made.bucket))


def _waiting(here: World) -> list[object]:
    return [line for line in here.lines(event="verdict") if line.get("reason") == "storage_unavailable"]
