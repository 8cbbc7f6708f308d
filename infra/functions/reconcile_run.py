"""One run of `reconcile`: take what arrived, compare, repair, and conclude."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from . import settings
from .arrivals import Arrival, Arrivals, Notice
from .carried import carried_by, link_of
from .conversations import Conversations
from .deadline import Deadline
from .egress_info import Ended
from .errors import DeliveryError, WaitError
from .fields import convert
from .inquiry import Inquiry
from .links import Link, Links
from .livekit_list import LiveKit
from .log import fault, log
from .matching import CLOCK_SKEW, Carried, Conversation, Rules
from .reckoning import Facts, Findings, is_manifest, plan, reckon
from .reconcile_report import Report
from .requeue import Requeue, event_id
from .secret import SecretCache, Secrets
from .stock import Stock
from .telling import Table, Telling, is_told
from .timetable import Timetable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

#: Nothing is begun any more when less than this is left: one slow request, and what was taken is given back.
RESERVE_SECONDS = 60
#: Before this nothing is given back or deleted any more.
LAST_SECONDS = 5
#: To take, to compare and to conclude: under two minutes.
MOST_ARRIVALS = 10_000
#: Of so many recordings Airtable is asked in one request whether they are told meanwhile.
ASKED_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What a run needs. `clock` in unix seconds; `sleep` waits until LiveKit is asked once more."""

    settings: settings.ReconcileSettings
    secrets: SecretCache
    sqs: SQSClient
    s3: S3Client
    conversations: Conversations
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class Run:
    """All of it, once."""

    def __init__(self, to: App, secrets: Secrets, deadline: Deadline, timetable: Timetable, report: Report) -> None:
        """No request is made. The first of LiveKit's keys is the one in force; others are being retired."""
        self._to, self._deadline, self._timetable, self._report = to, deadline, timetable, report
        to.conversations.airtable.use_token(secrets.airtable_token)
        self._asked_before = to.conversations.airtable.requests
        links = Links(secrets.link_keys, to.clock)
        self._link_of: Callable[[str], Link | None] = partial(link_of, links)
        self._carried_by: Callable[[str], Carried | None] = partial(carried_by, links)
        self._arrivals = Arrivals(to.sqs, to.settings.arrivals_url, to.settings.bucket)
        self._queue = Requeue(to.sqs, to.settings.queue_url)
        key, secret = next(iter(secrets.livekit_keys.items()))
        self._livekit = LiveKit(to.settings.livekit_url, key, secret) if to.settings.livekit_url else None
        self._inquiry = Inquiry(
            livekit=self._livekit,
            bucket=to.settings.bucket,
            prefix=to.settings.prefix,
            timetable=timetable,
            report=report,
            deadline=deadline,
            reserve=RESERVE_SECONDS,
            sleep=to.sleep,
        )
        self._window = timedelta(seconds=to.settings.match_window_seconds)
        self._stock = Stock(to.s3, to.settings.bucket, report, self._may_go_on)

    def go(self) -> None:
        """Do all, and fill in the report."""
        notices: list[Notice] = []
        if self._timetable.newest:
            notices, left = self._arrivals.drain(MOST_ARRIVALS, self._may_go_on)
            self._report.problem(left)
        arrivals = frozenset(arrival for notice in notices for arrival in notice.arrivals)
        self._report.counts["arrivals"] = len(arrivals)
        done: frozenset[Arrival] = frozenset()
        try:
            done = self._compare(arrivals)
        except DeliveryError as error:
            self._report.problem(error.reason)
        except Exception as error:  # noqa: BLE001  # what was taken is given back, whatever it is
            log("error", "reconcile_failed", error=fault(error))
            self._report.problem("fault")
        self._conclude(notices, done)
        self._report.requests = {
            "livekit": self._livekit.requests if self._livekit else 0,
            "sqs": self._arrivals.requests + self._queue.requests,
            "s3": self._stock.requests,
            "airtable": self._to.conversations.airtable.requests - self._asked_before,
        }

    def _may_go_on(self) -> bool:
        return self._deadline.allows(RESERVE_SECONDS)

    def _compare(self, arrivals: frozenset[Arrival]) -> frozenset[Arrival]:
        """Returns the arrivals that need not be told again."""
        facts = self._inquiry.facts(arrivals)
        planned = plan(facts, self._timetable)
        if planned.start is None:
            return frozenset(arrival for arrival in arrivals if is_manifest(arrival.key))
        conversations = self._conversations(planned.start - self._window)
        telling = self._telling()
        compare = partial(reckon, facts, planned, telling=telling, timetable=self._timetable)
        first = compare(conversations, played=self._played(conversations))
        if first.missing or first.stuck or first.without_recording:
            compare = partial(compare, erased=self._stock.erased())
            first = compare(conversations, played=self._played(conversations))
        found, sent = self._repair([*first.missing, *first.stuck], telling)
        conversations += found
        findings = compare(conversations, played=self._played(conversations))
        unwanted = self._stock.there(findings.unwanted)
        self._fill(facts, findings, sent, unwanted)
        self._report.counts["conversations"] = len({one.record_id for one in conversations})
        self._report.counts["resolved"] = len(findings.resolved)
        given_up = {arrival for arrival, egresses in findings.awaited.items() if egresses <= sent}
        over = {arrival for arrival in unwanted | given_up if self._timetable.over(arrival.at)}
        return findings.resolved | (findings.unwanted - unwanted) | over

    def _conversations(self, start: datetime) -> list[Conversation]:
        """Of this time and since; a WaitError when they cannot be had, or not in time.

        Those that were made long after their call _repair asks for.
        """
        found: list[Conversation] = []
        end = self._timetable.end + self._window + CLOCK_SKEW
        pages = self._to.conversations.between(start, end, self._carried_by)
        while self._may_go_on():
            page = next(pages, None)
            if page is None:
                return found
            found += page
        raise WaitError("out_of_time", "the conversations are too many for the time there is")

    def _telling(self) -> Telling:
        fields = self._to.conversations.fields()
        status, recordings = fields.get("status"), fields.get("recordings")
        window, settle = self._window, timedelta(seconds=self._to.settings.settle_seconds)
        return Telling(
            rules=Rules(window=window, settle=settle, now=self._timetable.now.timestamp()),
            lists=recordings is not None and convert(("",), recordings) is not None,
            can_say=lambda recording: status is not None and convert(recording.status_text, status) is not None,
        )

    def _played(self, conversations: Iterable[Conversation]) -> frozenset[tuple[str, str]]:
        shown = [item for one in conversations for item in (one.carries, *one.listed) if item is not None]
        links = filter(None, (self._link_of(item.url) for item in shown))
        return frozenset((link.key, link.version) for link in links)

    def _repair(self, missing: Sequence[Ended], telling: Telling) -> tuple[list[Conversation], set[str]]:
        """Put these on the queue, but for those that are told by now, or in a conversation of another time.

        Returns the conversations that were found, and the ids of the egresses that are on the queue.
        """
        found: list[Conversation] = []
        sent: set[str] = set()
        for start in range(0, len(missing), ASKED_AT_ONCE):
            if not self._may_go_on():
                self._report.problem("out_of_time")
                break
            chunk = missing[start : start + ASKED_AT_ONCE]
            try:
                recordings = [one.recording for one in chunk]
                near = self._to.conversations.candidates(recordings, self._window, self._carried_by)
            except DeliveryError as error:
                self._report.problem(error.reason)
                break
            found += near
            table = Table(near)
            untold = [one for one in chunk if not is_told(one.recording, table, telling)]
            if not self._report.dry_run:
                arrived = self._queue.send(untold, partial(event_id, timetable=self._timetable))
                self._report.problem("queue_unavailable" if len(arrived) < len(untold) else None)
                sent |= arrived
        return found, sent

    def _fill(self, facts: Facts, findings: Findings, sent: set[str], unwanted: frozenset[Arrival]) -> None:
        report = self._report
        report.counts["told"], report.counts["waiting"] = findings.told, findings.waiting
        report.counts["enqueued"] = len(sent)
        report.found_missing(findings.missing, sent)
        report.found_stuck(facts.stuck, sent)
        report.found_unwanted(unwanted)
        report.found_without_recording(findings.without_recording)

    def _conclude(self, notices: Sequence[Notice], done: frozenset[Arrival]) -> None:
        """A dry run leaves the queue as it was."""
        finished = [] if self._report.dry_run else [one for one in notices if done.issuperset(one.arrivals)]
        ids = set(map(id, finished))

        def may_go_on() -> bool:
            return self._deadline.allows(LAST_SECONDS)

        self._arrivals.delete(finished, may_go_on)
        self._arrivals.give_back([one for one in notices if id(one) not in ids], may_go_on)
        if not may_go_on():
            self._report.problem("out_of_time")
