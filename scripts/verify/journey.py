"""The whole way once: a conversation, a recording, its announcement, and the link that must appear."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from botocore.exceptions import ClientError

from scripts.dead_letters.queue import depth
from scripts.deployment import Deployment
from scripts.verify.airtable import FIELDS_HOP, Conversations
from scripts.verify.bucket import VERSIONING
from scripts.verify.function_log import last_reason
from scripts.verify.functions import MAPPING, id_of
from scripts.verify.hop import Failed, Hop, code_of
from scripts.verify.probe import Probe, mend
from scripts.verify.signing import egress_ended, token
from scripts.verify.uploader import PUT, key_of
from scripts.verify.webhook import SIGNED, Webhook

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONVERSATION = "journey.conversation"
RECORDING = "journey.recording"
ANNOUNCED = "journey.announced"
DELIVERED = "journey.delivered"
PATIENCE_SECONDS = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 3.0
# A second on either side covers that Airtable's clock and ours differ a little and that it may round to seconds.
CALL = timedelta(seconds=30)
ROUNDING = timedelta(seconds=1)

Wait = Callable[[float], None]


@dataclass(kw_only=True, slots=True)
class Journey:
    """Each public method is one probe; what one finds out the next ones use."""

    deployment: Deployment
    probe: Probe
    table: Conversations
    uploader: S3Client = field(repr=False)
    wait: Wait = time.sleep
    clock: Callable[[], float] = time.monotonic
    link: str = field(default="", repr=False)
    _record: str = ""
    _made: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, deployment: Deployment, probe: Probe, table: Conversations) -> Journey:
        """A journey that has not begun."""
        uploader = deployment.aws.client("s3", key_of(deployment))
        return cls(deployment=deployment, probe=probe, table=table, uploader=uploader)

    def hops(self) -> list[Hop]:
        """The steps in their order."""
        deliver = (ANNOUNCED, CONVERSATION, id_of("deliver"), MAPPING)
        return [
            Hop(id=CONVERSATION, title="probe conversation is made", probe=self.conversation, needs=(FIELDS_HOP,)),
            Hop(id=RECORDING, title="probe recording is stored", probe=self.recording, needs=(PUT,)),
            Hop(
                id=ANNOUNCED,
                title="its end is announced, signed",
                probe=self.announcement,
                # Without a conversation, or a version to link to, it would wait in the queue for a day, then die.
                needs=(CONVERSATION, RECORDING, VERSIONING, SIGNED, id_of("deliver"), MAPPING),
            ),
            Hop(id=DELIVERED, title="link appears on the conversation", probe=self.delivery, needs=deliver),
        ]

    def conversation(self) -> str:
        """A record of the probe's room name, started now."""
        self._record, self._made = self.table.create(self.probe)
        return f"room {self.probe.room}"

    def recording(self) -> str:
        """The recording, put with the write-only key as egress does."""
        try:
            self.uploader.put_object(Bucket=self.deployment.outputs.bucket, Key=self.probe.key, Body=self.probe.content)
        except ClientError as error:
            cause = "the write-only key lost its grants meanwhile"
            raise Failed(f"PutObject: {code_of(error)}", cause=cause, mend=mend(self.deployment)) from None
        return f"{len(self.probe.content):,} bytes"

    def announcement(self) -> str:
        """The `egress_ended` that LiveKit would send; its call spans the conversation's start."""
        webhook = Webhook.of(self.deployment)
        now = datetime.now(UTC)
        started, ended = min(now, self._made) - CALL, max(now, self._made) + ROUNDING
        body = egress_ended(self.probe, self.deployment.outputs.bucket, started, ended)
        return webhook.accepted(webhook.post(body, token(webhook.key, webhook.secret, body, now)))

    def patience(self) -> float:
        """Seconds to wait for the link: a conversation found by its room name alone is settled first."""
        settles = 0 if "room_id" in self.table.fields() else self.deployment.outputs.settle_seconds
        return PATIENCE_SECONDS + settles

    def delivery(self) -> str:
        """Wait until the conversation has a link."""
        began, pause = self.clock(), FIRST_PAUSE
        while True:
            found = self.table.link(self._record)
            passed = self.clock() - began
            if found:
                return self._accepted(found, passed)
            if passed > self.patience():
                self._explain()
            self.wait(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _accepted(self, found: str, passed: float) -> str:
        if not found.startswith(f"{self.deployment.outputs.play_url}/r/"):
            cause = "something else writes this field, or the function was made for another address"
            raise Failed("the link does not lead to the play function", cause=cause, mend=mend(self.deployment))
        self.link = found
        return f"after {passed:.1f} s"

    def _explain(self) -> NoReturn:
        """Why the link did not come: first what the queues say, then what `deliver` logged."""
        outputs, sqs = self.deployment.outputs, self.deployment.aws.client("sqs")
        waiting, dead = depth(sqs, outputs.queue_url), depth(sqs, outputs.dead_letter_queue_url)
        group = outputs.log_groups["deliver"]
        reason = last_reason(self.deployment.aws.client("logs"), group)
        seen = (
            f"no link after {self.patience():.0f} s; {waiting} waiting, {dead} given up; logged: {reason or 'nothing'}"
        )
        if reason is None and waiting:
            cause = "deliver does not run: its mapping is not working yet, or its concurrency is used up"
        elif reason is None:
            cause = "the event never reached the queue, or deliver does not know its kind"
        else:
            cause = f"deliver could not finish: {reason}"
        raise Failed(seen, cause=cause, mend=f"aws logs tail {group} --since 10m")
