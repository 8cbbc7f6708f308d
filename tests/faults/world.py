"""Everything a row needs, running: AWS and Airtable on the test's clock, and the functions as processes."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra import airtable as sharing
from infra.functions.links import Links
from infra.functions.settings import DEFAULT_FIELDS
from scripts.aws_access import AwsAccess
from scripts.local.airtable_server import Table
from scripts.local.process import free_port
from tests.faults import emulator, resources
from tests.faults.calls import PREFIX, Call
from tests.faults.clock import Clock, wait_real
from tests.faults.emulator import CLOCK
from tests.faults.held import hold
from tests.faults.instances import Instance, Nursery
from tests.faults.resources import Resources
from tests.faults.steps import Death
from tests.faults.watched_airtable import WatchedAirtable
from tests.unit.functions_support import LINK_KEY

PLAY_URL = "https://play.invalid"
_QUIET_LOOKS = 10
_INTERVALS_MS = {"deliver": sharing.DELIVER_INTERVAL_MS, "reconcile": sharing.RECONCILE_INTERVAL_MS}
WINDOW_SECONDS, SETTLE_SECONDS = 120, 900


@dataclass(kw_only=True)
class World:
    """One pipeline. `broken`: the build that its functions are, "" for the shipped one.

    `hasty`: Airtable's time-outs shrink with the clock. Only where it is slow on purpose: a busy machine must not be.
    """

    clock: Clock
    aws: AwsAccess
    made: Resources
    airtable: WatchedAirtable
    nursery: Nursery
    broken: str
    hasty: bool
    instances: list[Instance] = field(default_factory=list[Instance])

    def __post_init__(self) -> None:
        self.s3, self.sqs = emulator.client(self.aws, "s3"), emulator.client(self.aws, "sqs")
        self.links = Links([LINK_KEY], self.clock)

    def receiver(self, changes: Mapping[str, str] | None = None) -> Receiver:
        """An instance of `receive` that answers HTTP; `changes` to its environment."""
        receiver = Receiver(self, free_port(), changes or {})
        receiver.start()
        receiver.answering()
        return receiver

    def worker(self, death: Death | None = None, changes: Mapping[str, str] | None = None) -> Instance:
        """An instance of `deliver` at the queue; `changes` to its environment."""
        more = {"death": death.shown() if death else None, "factor": self.clock.factor if self.hasty else 1.0}
        return self.start("deliver", self.environment("deliver") | dict(changes or {}), **more)

    def reconcile(self, livekit_url: str, seconds: float) -> dict[str, Any]:
        """Run `reconcile` by hand over the last day, and wait for its answer at most so many (real) seconds."""
        request = {"by_hand": True, "since_seconds": 86_400}
        environment = self.environment("reconcile") | {"CALLREC_LIVEKIT_URL": livekit_url}
        instance = self.start("reconcile", environment, event=request)
        self.until(lambda: instance.ended() is not None, "reconcile ends", seconds)
        [answer] = [line["answer"] for line in instance.lines() if line.get("event") == "answer"]
        return answer

    def start(self, role: str, environment: dict[str, str], **more: Any) -> Instance:
        """An instance of that role."""
        instance = self.nursery.start(role, environment, broken=self.broken, **more)
        self.instances.append(instance)
        return instance

    def kill_all(self) -> None:
        """SIGKILL to every process of the functions."""
        for instance in self.instances:
            instance.kill()

    def environment(self, function: str) -> dict[str, str]:
        """What the program gives the function, with the key that stands for its role."""
        key = self.made.keys[function]
        return {
            CLOCK: str(self.clock.path),
            "AWS_ENDPOINT_URL": self.aws.endpoint_url or "",
            "AWS_CA_BUNDLE": str(self.aws.ca_bundle),
            "AWS_DEFAULT_REGION": self.aws.region,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "CALLREC_SECRET_ARN": self.made.secret_arn,
            "CALLREC_QUEUE_URL": self.made.queue_url,
            "CALLREC_DLQ_URL": self.made.dead_letter_url,
            "CALLREC_ARRIVALS_URL": self.made.arrivals_url,
            "CALLREC_RECONCILE_SECONDS": "7200",
            "CALLREC_RECONCILE_INTERVAL_SECONDS": "900",
            "CALLREC_MAX_BODY_BYTES": str(256 * 1024),
            "CALLREC_BUCKET": self.made.bucket,
            "CALLREC_PREFIX": PREFIX,
            "CALLREC_PLAY_URL": PLAY_URL,
            "CALLREC_LINK_DAYS": "30",
            "CALLREC_MATCH_WINDOW_SECONDS": str(WINDOW_SECONDS),
            "CALLREC_SETTLE_SECONDS": str(SETTLE_SECONDS),
            "CALLREC_AIRTABLE_URL": self.airtable.url,
            "CALLREC_AIRTABLE_BASE": self.airtable.base_id,
            "CALLREC_AIRTABLE_TABLE": self.airtable.table,
            "CALLREC_AIRTABLE_FIELDS": json.dumps(dict(DEFAULT_FIELDS)),
            "CALLREC_AIRTABLE_INTERVAL_MS": str(_INTERVALS_MS.get(function, 0)),
        }

    def upload(self, calls: Iterable[Call]) -> None:
        """Put each call's file into the bucket, as egress does."""
        for call in calls:
            self.s3.put_object(Bucket=self.made.bucket, Key=call.key, Body=b"x" * call.size)

    def depth(self, url: str, *kinds: str) -> int:
        """Messages in a queue, of these kinds ("": ready to be taken) or of all."""
        names: Any = [f"ApproximateNumberOfMessages{kind}" for kind in kinds or ("", "NotVisible", "Delayed")]
        counts = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    def until(self, found: Callable[[], Any], what: str, seconds: float) -> None:
        """Wait at most so many real seconds; what never comes does not hold."""
        for _ in range(int(seconds / 0.02)):
            if found():
                return
            crashed = [instance.log.name for instance in self.instances if instance.ended() == 1]
            assert not crashed, f"{crashed} crashed: {self.instances[-1].log.read_text()[-500:]}"
            wait_real(0.02)
        hold(found(), f"{what} within {seconds:.0f} s of real time")

    def until_drained(self, seconds: float, leap: float = 0.0, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until the queue is empty: everything is done, or dead.

        Leap by so many seconds whenever nothing was to be done for a while but to wait.
        """
        quiet = 0

        def drained() -> bool:
            nonlocal quiet
            meanwhile()
            quiet = 0 if self.depth(self.made.queue_url, "") else quiet + 1
            if leap and quiet == _QUIET_LOOKS:
                self.clock.leap(leap)
                quiet = 0
            return self.depth(self.made.queue_url) == 0

        self.until(drained, "the queue is empty", seconds)

    def lines(self, **wanted: object) -> list[dict[str, Any]]:
        """What all instances printed so far that has these fields."""
        found = (line for instance in list(self.instances) for line in instance.lines())
        return [line for line in found if wanted.items() <= line.items()]

    def dead_letters(self) -> list[dict[str, Any]]:
        """Every message of the dead-letter queue; they stay there, out of sight for a while."""
        taken: list[dict[str, Any]] = []
        while True:
            answer: Any = self.sqs.receive_message(
                QueueUrl=self.made.dead_letter_url,
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
                VisibilityTimeout=43_200,
            )
            if not answer.get("Messages"):
                return taken
            taken += answer["Messages"]

    def reasons(self) -> list[str]:
        """Why each dead letter died. Buried twice, by an instance that was killed and by the next, it counts once."""
        return [reason for _, reason in sorted(self.dead().items())]

    def dead(self) -> dict[str, str]:
        """Deduplication id (the message's id when it was an event) → why it died."""
        return {
            letter["Attributes"]["MessageDeduplicationId"]: letter.get("MessageAttributes", {})
            .get("reason", {})
            .get("StringValue", "receives_exhausted")
            for letter in self.dead_letters()
        }


class Receiver:
    """`receive` at an address that stays the same when its process is killed and started again."""

    def __init__(self, world: World, port: int, changes: Mapping[str, str]) -> None:
        self._world, self._port, self._changes = world, port, changes
        self.url = f"http://127.0.0.1:{port}"
        self.instance: Instance | None = None

    def start(self) -> None:
        """A process that answers; returns as soon as it is forked."""
        environment = self._world.environment("receive") | dict(self._changes)
        self.instance = self._world.start("receive", environment, port=self._port)

    def answering(self) -> float:
        """Wait until somebody listens; since when (seconds of the clock)."""

        def listening() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self._port)) == 0

        self._world.until(listening, "the receiver listens", 120)
        return self._world.clock()

    def kill(self) -> None:
        """SIGKILL: connections break, new ones are refused."""
        if self.instance is not None:
            self.instance.kill()


@contextmanager
def run(
    factor: float,
    *,
    tables: Iterable[Table] | None = None,
    broken: str = "",
    secret: dict[str, Any] | None = None,
    hasty: bool = False,
) -> Generator[World]:
    """A world with its files in a folder of its own, for the length of the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callrec-faults-")))
        clock = Clock.create(folder / "clock", factor)
        airtable = stack.enter_context(WatchedAirtable(clock, tables))
        nursery = Nursery(folder)
        stack.callback(nursery.close)
        aws = stack.enter_context(emulator.run(folder, clock))
        made = resources.make(aws, {"airtable_token": airtable.token} | (secret or {}))
        yield World(clock=clock, aws=aws, made=made, airtable=airtable, nursery=nursery, broken=broken, hasty=hasty)
