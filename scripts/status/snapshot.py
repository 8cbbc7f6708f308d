"""What is known of a stack at one moment. A part that could not be asked says so, and does not hide the others.

Airtable is not asked: whether a recording's link was written stands in `deliver`'s log.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.deployment import Deployment
from scripts.guarded import refusal
from scripts.livekit_access import LiveKit, LiveKitError
from scripts.rotate import ages
from scripts.status.log_lines import MS, Line, Log
from scripts.status.recordings import Recordings

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

LOOK_BACK_SECONDS = 24 * 3600.0
# A message waits at most 15 minutes from one try to the next: one without a newer verdict is over, or elsewhere.
WAITING_SECONDS = 20 * 60.0
# A run of reconcile that is this much late is missing; its log takes a while to show.
GRACE_SECONDS = 300.0
VISIBLE, HIDDEN, DELAYED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """Messages in a queue, and those that somebody works on, or that wait for another try, just now."""

    waiting: int = 0
    held: int = 0

    @property
    def depth(self) -> int:
        """All of them."""
        return self.waiting + self.held


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Messages that `deliver` could not do yet: how many of each reason, and for how long at least the oldest."""

    reasons: Mapping[str, int] = field(default_factory=dict[str, int])
    oldest_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """The last run of `reconcile` within a day; `at` in unix seconds, None without one. `overdue`: another is due."""

    at: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    problems: str = ""
    overdue: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """`at` in unix seconds; a part that could not be asked is None, and `unknown` says why, by its name.

    `linked`: egress ids whose recording is where it belongs. `warnings`: what can wait, but not for ever.
    """

    stack: str
    at: float
    recordings: Recordings | None = None
    queue: Queue | None = None
    dead_letters: Queue | None = None
    linked: frozenset[str] | None = None
    waiting: Waiting | None = None
    reconciled: Reconciled | None = None
    unknown: Mapping[str, str] = field(default_factory=dict[str, str])
    warnings: tuple[str, ...] = ()

    @property
    def attention(self) -> list[str]:
        """What a person should look at, each with the command to begin with."""
        found = [f"{part}: {why}" for part, why in self.unknown.items()]
        if self.dead_letters is not None and self.dead_letters.depth:
            found.append(f"{self.dead_letters.depth} events were given up: callrec dlq --stack {self.stack}")
        if self.reconciled is not None and self.reconciled.overdue:
            found.append(f"reconcile does not run as it should: callrec verify --stack {self.stack}")
        if self.reconciled is not None and self.reconciled.problems:
            found.append(f"reconcile met {self.reconciled.problems}: callrec reconcile --stack {self.stack}")
        return found


@dataclass(kw_only=True)
class Observer:
    """Looks at a stack, again and again; remembers what it read of the logs."""

    deployment: Deployment
    most: int
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        since, outputs = self.clock() - LOOK_BACK_SECONDS, self.deployment.outputs
        self._logs: CloudWatchLogsClient = self.deployment.aws.client("logs")
        self._sqs: SQSClient = self.deployment.aws.client("sqs")
        deliver, reconcile = outputs.log_groups["deliver"], outputs.log_groups["reconcile"]
        self._delivered = Log(logs=self._logs, group=deliver, word="delivered", since=since)
        self._waits = Log(logs=self._logs, group=deliver, word="waiting", since=since)
        self._verdicts = Log(logs=self._logs, group=deliver, word="verdict", since=self.clock() - WAITING_SECONDS)
        self._runs = Log(logs=self._logs, group=reconcile, word="reconciled", since=since)
        self._linked: set[str] = set()
        self._first_wait: dict[str, float] = {}
        self._latest: dict[str, Line] = {}
        self._run: Line | None = None
        self._keys: tuple[str, ...] | None = None

    def look(self) -> Snapshot:
        """What is so now."""
        unknown: dict[str, str] = {}
        outputs = self.deployment.outputs

        def part(name: str, read: Callable[[], Any]) -> Any:
            try:
                return read()
            except LiveKitError as error:
                unknown[name] = str(error)
            except (ClientError, BotoCoreError) as error:
                unknown[name] = refusal(error)
            return None

        return Snapshot(
            stack=self.deployment.stack,
            at=self.clock(),
            recordings=part("livekit", self._recordings),
            queue=part("queue", lambda: self._queue(outputs.queue_url)),
            dead_letters=part("dead letters", lambda: self._queue(outputs.dead_letter_queue_url)),
            linked=part("deliveries", self._links),
            waiting=part("waiting", self._waiting),
            reconciled=part("reconcile", self._reconciled),
            unknown=unknown,
            warnings=self._warnings(),
        )

    def _warnings(self) -> tuple[str, ...]:
        """Of keys, whose age is asked for once: it does not change while one looks."""
        if self._keys is None:
            try:
                old = [age.words for age in ages.old(ages.read(self.deployment, self.clock()))]
            except (ClientError, BotoCoreError) as error:
                old = [f"how old the keys are is not known: {refusal(error)}"]
            begun = [f"a rotation is under way: callrec rotate {kind}" for kind in ages.begun(self.deployment)]
            self._keys = (*old, *begun)
        return self._keys

    def _recordings(self) -> Recordings | None:
        livekit = LiveKit.of(self.deployment.config)
        return None if livekit is None else Recordings.read(livekit, self.deployment.outputs.bucket, self.most)

    def _queue(self, url: str) -> Queue:
        answer: Any = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[VISIBLE, HIDDEN, DELAYED])
        counts = {name: int(value) for name, value in answer["Attributes"].items()}
        return Queue(waiting=counts.get(VISIBLE, 0), held=counts.get(HIDDEN, 0) + counts.get(DELAYED, 0))

    def _links(self) -> frozenset[str]:
        for line in self._delivered.fresh(self.clock()):
            if line.fields.get("event") == "delivered":
                self._linked.add(str(line.fields.get("egress")))
        return frozenset(self._linked)

    def _waiting(self) -> Waiting:
        """By `deliver`'s verdicts: SQS does not tell how old a message is without taking it out."""
        now = self.clock()
        for line in self._waits.fresh(now):
            if line.fields.get("outcome") == "waiting":
                self._first_wait.setdefault(str(line.fields.get("message")), line.at)
        for line in self._verdicts.fresh(now):
            if line.fields.get("event") == "verdict":
                self._latest[str(line.fields.get("message"))] = line
        self._latest = {message: line for message, line in self._latest.items() if now - line.at < WAITING_SECONDS}
        waiting = {message: line for message, line in self._latest.items() if line.fields.get("outcome") == "waiting"}
        begun = [self._first_wait.get(message, line.at) for message, line in waiting.items()]
        return Waiting(
            reasons=dict(Counter(str(line.fields.get("reason")) for line in waiting.values())),
            oldest_s=now - min(begun) if begun else None,
        )

    def _reconciled(self) -> Reconciled:
        now, group = self.clock(), self.deployment.outputs.log_groups["reconcile"]
        for line in self._runs.fresh(now):
            if line.fields.get("event") == "reconciled" and not line.fields.get("dry_run"):
                self._run = line
        patience = 2 * 60.0 * self.deployment.outputs.reconcile_minutes + GRACE_SECONDS
        if self._run is None:
            groups: Any = self._logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
            made = [one.get("creationTime", now * MS) / MS for one in groups if one["logGroupName"] == group]
            return Reconciled(overdue=bool(made) and now - min(made) > patience)
        counts = {name: value for name, value in self._run.fields.items() if isinstance(value, int)}
        counts = {name: value for name, value in counts.items() if not isinstance(value, bool)}
        problems = str(self._run.fields.get("problems") or "")
        return Reconciled(at=self._run.at, counts=counts, problems=problems, overdue=now - self._run.at > patience)
