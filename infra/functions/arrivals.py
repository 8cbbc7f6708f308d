"""The queue by which S3 tells of every object that arrives: a listing of the bucket that holds just what is open.

S3's message: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
What is taken off the queue is hidden from others for HIDDEN_SECONDS, longer than a run may take: killed anywhere, a run
loses nothing. It asks one request for ten arrivals, twice: to take them, and to delete or return them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

from . import protojson
from .log import fault, log

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: Longer than Lambda lets a run last.
HIDDEN_SECONDS = 900
#: Long polling asks every server of the queue: only then is an empty answer an empty queue.
_POLL_SECONDS = 1
#: The most messages that one request takes or gives.
_AT_ONCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One version of an object that was put into the bucket. `size` in bytes; `at` is S3's clock, aware UTC."""

    key: str = field(repr=False)
    version: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message of the queue, and what it tells; nothing when S3 only tries whether the queue is there."""

    receipt: str = field(repr=False)
    arrivals: tuple[Arrival, ...]


def read(body: str, bucket: str) -> tuple[Arrival, ...]:
    """The arrivals in one bucket that a message of S3 tells of; ValueError when it is none."""
    document = protojson.parse(body)
    if "Records" not in document:
        if document.get("Event") == "s3:TestEvent":
            return ()
        raise ValueError("not a message of S3")
    return tuple(_arrivals(protojson.children(document, "Records"), bucket))


def _arrivals(records: Sequence[protojson.Object], bucket: str) -> Iterator[Arrival]:
    for record in records:
        place = protojson.child(record, "s3")
        item = protojson.child(place, "object")
        key, at = protojson.text(item, "key"), protojson.text(record, "eventTime")
        if key is None or at is None:
            raise ValueError("not a message of S3")
        created = (protojson.text(record, "eventName") or "").startswith("ObjectCreated:")
        if created and protojson.text(protojson.child(place, "bucket"), "name") == bucket:
            yield Arrival(
                key=unquote_plus(key),
                version=protojson.text(item, "versionId") or "null",
                size=int(protojson.number(item, "size") or 0),
                at=_instant(at),
            )


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


class Arrivals:
    """The queue of one bucket. `requests` counts what it was asked."""

    def __init__(self, sqs: SQSClient, url: str, bucket: str) -> None:
        """No request is made."""
        self._sqs, self._url, self._bucket = sqs, url, bucket
        self.requests = 0

    def drain(self, limit: int, may_go_on: Callable[[], bool]) -> tuple[list[Notice], str | None]:
        """Take everything there is, and why something may be left: a code, None when nothing is.

        At most about `limit` messages, and no more once `may_go_on` says no. What no version of ours understands is
        deleted at once: it would come for ever.
        """
        notices: list[Notice] = []
        while True:
            if not may_go_on():
                return notices, "out_of_time"
            if len(notices) >= limit:
                return notices, "arrivals_left"
            try:
                messages = self._receive()
            except (ClientError, BotoCoreError) as error:
                log("error", "arrivals_unavailable", error=fault(error))
                return notices, "arrivals_unavailable"
            if not messages:
                return notices, None
            notices += [self._notice(message) for message in messages]

    def delete(self, notices: Sequence[Notice], may_go_on: Callable[[], bool]) -> None:
        """Never tell of these again. Where that fails they are told again later, which is harmless."""
        self._each(notices, may_go_on, self._sqs.delete_message_batch, {})

    def give_back(self, notices: Sequence[Notice], may_go_on: Callable[[], bool]) -> None:
        """Tell of these again, from now on. Where that fails they are told again after HIDDEN_SECONDS."""
        self._each(notices, may_go_on, self._sqs.change_message_visibility_batch, {"VisibilityTimeout": 0})

    def _receive(self) -> list[Any]:
        self.requests += 1
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_AT_ONCE,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=_POLL_SECONDS,
        )
        return list(answer.get("Messages", []))

    def _notice(self, message: Any) -> Notice:
        try:
            arrivals = read(message["Body"], self._bucket)
        except ValueError:
            log("error", "arrival_unreadable", message=message["MessageId"])
            arrivals = ()
        return Notice(receipt=message["ReceiptHandle"], arrivals=arrivals)

    def _each(
        self,
        notices: Sequence[Notice],
        may_go_on: Callable[[], bool],
        request: Callable[..., Any],
        more: dict[str, int],
    ) -> None:
        for start in range(0, len(notices), _AT_ONCE):
            if not may_go_on():
                return
            chunk = notices[start : start + _AT_ONCE]
            entries = [{"Id": str(index), "ReceiptHandle": one.receipt} | more for index, one in enumerate(chunk)]
            self.requests += 1
            try:
                answer = request(QueueUrl=self._url, Entries=entries)
            except (ClientError, BotoCoreError) as error:
                log("warning", "arrivals_not_concluded", error=fault(error), count=len(chunk))
                continue
            if failed := answer.get("Failed"):
                log("warning", "arrivals_not_concluded", count=len(failed))
