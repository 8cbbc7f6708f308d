"""`reconcile`: whole runs, with LiveKit and Airtable over HTTP, and queues and a bucket that remember."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError
from google.protobuf.json_format import MessageToDict
from livekit import api

from infra.functions import reconcile
from infra.functions.arrivals import HIDDEN_SECONDS, Arrival
from infra.functions.deadline import Deadline
from infra.functions.egress_info import sort
from infra.functions.links import Links
from infra.functions.reconcile_report import MOST_LISTED
from infra.functions.reconcile_run import RESERVE_SECONDS, App
from infra.functions.recording import Recording
from infra.functions.secret import SecretCache
from infra.functions.timetable import Timetable
from scripts.local.airtable_server import AirtableServer, Fault, Outcome, conversations_table
from tests.unit.functions_airtable import conversations
from tests.unit.functions_reconcile import (
    BUCKET,
    PREFIX,
    FakeLiveKit,
    FakeQueues,
    arrived,
    egress,
    reconcile_settings,
    running,
    twirp_error,
)
from tests.unit.functions_support import END, LINK_KEY, SECRET_JSON, START, Clock, client_error
from tests.unit.test_functions_deliver import Rig as DeliverRig
from tests.unit.test_functions_deliver import record
from tests.unit.verify_support import web

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
BY_HAND = {"by_hand": True, "since_seconds": 86_400}
PLAY = "https://play.example/r/"


@dataclass
class FakeS3:
    """The versions that are there; by default all that anybody asks for."""

    gone: set[str] = field(default_factory=set[str])
    error: Exception | None = None
    asked: list[str] = field(default_factory=list[str])
    erased: tuple[str, ...] = ()

    def list_object_versions(self, **request: Any) -> dict[str, Any]:
        assert request["Bucket"] == BUCKET
        key = request["Prefix"]
        self.asked.append(key)
        if self.error:
            raise self.error
        if key == "erasures/":
            return self._erasures(request.get("KeyMarker", ""))
        version = f"v{key.removeprefix(PREFIX).removesuffix('.mp4')}"
        there = {"Key": key, "VersionId": version, "Size": 100, "LastModified": END}
        return {"Versions": [] if key in self.gone else [there]}

    def _erasures(self, after: str) -> dict[str, Any]:
        """One on each page."""
        keys = sorted(key for key in (f"erasures/{one}.json" for one in self.erased) if key > after)
        page = {"Versions": [{"Key": key} for key in keys[:1]], "IsTruncated": len(keys) > 1}
        return page | ({"NextKeyMarker": keys[0], "NextVersionIdMarker": "v"} if len(keys) > 1 else {})


class Killed(BaseException):
    """What no handler catches."""


class Rig:
    """`reconcile` with everything around it; a run costs time, as it would."""

    def __init__(self, server: AirtableServer, livekit: FakeLiveKit, url: str) -> None:
        self.server, self.livekit, self.url = server, livekit, url
        self.clock = Clock((END + QUARTER).timestamp())
        self.queues = FakeQueues(self.clock)
        self.s3 = FakeS3()
        self.secret: str | Exception = json.dumps(json.loads(SECRET_JSON) | {"airtable_token": server.token})
        self.settings: dict[str, Any] = {"livekit_url": url}
        self.table = conversations(server, self.clock, interval_s=4.4)
        self.slept: list[float] = []
        self.seconds = 840.0

    def _read(self) -> str:
        if isinstance(self.secret, Exception):
            raise self.secret
        return self.secret

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.now += seconds

    @property
    def app(self) -> App:
        return App(
            settings=reconcile_settings(self.server, **self.settings),
            secrets=SecretCache(self._read, self.clock),
            sqs=cast("Any", self.queues),
            s3=cast("Any", self.s3),
            conversations=self.table,
            clock=self.clock,
            sleep=self._sleep,
        )

    def run(self, request: dict[str, Any] | None = None) -> Any:
        end = self.clock.now + self.seconds
        answer = reconcile.reconcile(request or {}, self.app, Deadline(lambda: end - self.clock.now), "fn")
        return json.loads(json.dumps(answer))

    def at(self, moment: datetime) -> None:
        self.clock.now = moment.timestamp()

    def call(self, number: int, *, end: datetime = END, told: bool = False, **info: Any) -> str:
        """A call with its recording, file, and conversation; the record's id."""
        begin = end - (END - START)
        made = egress(number, begin=begin, end=end, **info)
        self.livekit.egresses.append(made)
        self.queues.arrive([arrived(number, end)])
        cells: dict[str, Any] = {"room_name": f"room {number}", "room_id": f"RM_{number}"}
        if told:
            cells["audio_recording_url"] = self.link(made, f"v{number}")
        return self.server.seed(cells, created=begin)

    def link(self, info: api.EgressInfo, version: str) -> str:
        (ended,) = sort([MessageToDict(info)], BUCKET, PREFIX).ended
        return PLAY + Links([LINK_KEY], self.clock).issue(ended.recording, version, lifetime_s=86_400)

    def enqueued(self) -> list[str]:
        return [body["egressInfo"]["egressId"] for body in self.queues.bodies()]

    def airtable(self) -> int:
        return self.server.journal.count()

    def deliver(self) -> None:
        """What is on the queue is delivered, from a bucket that has every file."""
        rig = DeliverRig(self.server)
        rig.clock.now = self.clock.now
        for number in range(10):
            rig.s3.versions.append(
                {"Key": f"calls/{number}.mp4", "VersionId": f"v{number}", "Size": 100, "LastModified": END}
            )
        for position, body in enumerate(self.queues.bodies()):
            assert rig.run(record(body, f"m{position}", sent=self.clock.now)) == []


@contextmanager
def rig_for(server: AirtableServer) -> Generator[Rig]:
    livekit = FakeLiveKit()
    with web(livekit.respond) as url:
        yield Rig(server, livekit, url)


@pytest.fixture
def rig(server: AirtableServer) -> Iterator[Rig]:
    with rig_for(server) as made:
        yield made


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def metrics(text: str) -> dict[str, int]:
    """Name (and reason) of each metric, and its count."""
    found: dict[str, int] = {}
    for line in lines(text):
        if "_aws" in line:
            name = line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]
            found[":".join(filter(None, (name, line.get("reason"))))] = line[name]
    return found


def test_a_recording_whose_webhook_was_lost_is_delivered(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    lost, fine = rig.call(1), rig.call(2, told=True)
    before = rig.server.read(fine)
    answer = rig.run()
    assert rig.enqueued() == ["EG_1"]
    assert answer["missing"] == [
        {
            "egress": "EG_1",
            "room": "room 1",
            "ended": "2026-11-24T00:00:47+00:00",
            "status": "EGRESS_COMPLETE",
            "enqueued": True,
        }
    ]
    assert answer["counts"]["told"] == 1
    assert answer["problems"] == answer["skipped"] == []
    (entry,) = rig.queues.sent
    assert entry["MessageGroupId"] == "RM_1"
    assert entry["MessageDeduplicationId"] == "reconcile-EG_1-1795478447000000-1"
    assert Recording.from_payload(json.loads(entry["MessageBody"])) is not None
    assert metrics(capsys.readouterr().out) == {"reconcile_run": 1, "repaired": 1}
    assert len(rig.queues.waiting) == 1  # the object of the one that is told is done with

    rig.deliver()
    token = str(rig.server.read(lost)["audio_recording_url"]).removeprefix(PLAY)
    assert Links([LINK_KEY], rig.clock).read(token).version == "v1"
    assert rig.server.read(fine) == before
    rig.at(END + 2 * QUARTER)
    again = rig.run()
    assert (again["missing"], again["counts"]["told"], rig.enqueued()) == ([], 2, ["EG_1"])
    assert rig.queues.waiting == []


def test_with_nothing_to_look_at_airtable_is_not_asked(rig: Rig) -> None:
    rig.at(END + QUARTER + timedelta(minutes=1))
    answer = rig.run()
    assert answer["requests"] == {"livekit": 2, "sqs": 1, "s3": 0, "airtable": 0}
    rig.call(1, end=END + QUARTER)
    assert rig.run()["requests"] == {"livekit": 2, "sqs": 3, "s3": 0, "airtable": 0}
    assert rig.airtable() == 0
    assert rig.queues.visible() == 1


def test_it_looks_again_ever_more_rarely_while_the_conversation_is_missing(rig: Rig) -> None:
    rig.call(1)
    rig.server.base.tables[0] = conversations_table()
    for turn in range(1, 97):
        rig.at(END + turn * QUARTER + timedelta(minutes=1))
        rig.run()
    turns = [int(entry["MessageDeduplicationId"].rpartition("-")[2]) for entry in rig.queues.sent]
    assert turns == [1, 2, 4, 8, 16, 32, 64, 96]
    assert rig.queues.waiting == []


def test_by_hand_it_looks_at_everything(rig: Rig) -> None:
    rig.call(1, end=END + QUARTER - timedelta(seconds=30))
    rig.call(2, end=END - 20 * HOUR)
    rig.call(3, end=END - 30 * HOUR)
    rig.queues.waiting.clear()
    rig.at(END + QUARTER + timedelta(seconds=13))
    answer = rig.run(BY_HAND)
    assert sorted(rig.enqueued()) == ["EG_1", "EG_2"]
    assert (answer["by_hand"], answer["since"], answer["until"]) == (
        True,
        "2026-11-23T00:16:00+00:00",
        "2026-11-24T00:16:00+00:00",
    )
    rig.run(BY_HAND)
    assert len(rig.queues.sent) == 2  # within the same minute: once
    rig.clock.now += 300
    rig.run(BY_HAND)
    assert len(rig.queues.sent) == 4


def test_a_long_time_is_looked_at_in_pieces(rig: Rig) -> None:
    """What is open now belongs to the newest; each recording to one."""
    conversations = [rig.call(day + 1, end=END - timedelta(days=day)) for day in range(3)]
    del rig.queues.waiting[1:]
    rig.server.seed({"room_name": "else"}, created=START - timedelta(hours=30))
    rig.livekit.egresses.append(running(9))
    rig.server.seed({"room_name": "room 9"}, created=START)
    day = 86_400
    found = [rig.run({"by_hand": True, "since_seconds": (n + 1) * day, "until_seconds": n * day}) for n in range(3)]
    assert [[one["egress"] for one in answer["missing"]] for answer in found] == [["EG_1"], ["EG_2"], ["EG_3"]]
    assert [answer["counts"]["arrivals"] for answer in found] == [1, 0, 0]
    assert [answer["counts"]["without_recording"] for answer in found] == [0, 1, 0]
    assert [answer["counts"]["stuck"] for answer in found] == [1, 0, 0]
    rig.deliver()
    assert all("audio_recording_url" in rig.server.read(one) for one in conversations)


def snapshot(rig: Rig) -> Any:
    records = {record: rig.server.read(record) for record in rig.server.base.tables[0].records}
    return records, rig.queues.sent, [(one["body"], one["from"] <= rig.clock.now) for one in rig.queues.waiting]


def test_a_dry_run_changes_nothing(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.call(1)
    rig.call(2, told=True)
    rig.livekit.egresses += [running(3), egress(4, status="ABORTED", size=0)]
    rig.queues.arrive([arrived(9), arrived(8, END - 30 * HOUR), arrived(7, key="calls/EG_7.json")])
    rig.s3.gone = {"calls/9.mp4"}
    rig.at(END + 2 * HOUR)
    before = snapshot(rig)
    dry = rig.run(BY_HAND | {"dry_run": True})
    assert snapshot(rig) == before
    assert metrics(capsys.readouterr().out) == {}
    assert [one["enqueued"] for one in dry["missing"] + dry["stuck"]] == [False] * 3

    wet = rig.run(BY_HAND)
    assert snapshot(rig) != before
    assert {one["egress"] for one in dry["missing"]} == {one["egress"] for one in wet["missing"]} == {"EG_1", "EG_4"}
    for name in ("unwanted", "without_recording"):
        assert dry[name] == wet[name]
    assert [one["key"] for one in wet["unwanted"]] == ["calls/8.mp4"]


def test_a_scheduled_dry_run_changes_nothing_either(rig: Rig) -> None:
    rig.call(1)
    before = snapshot(rig)
    assert len(rig.run({"dry_run": True})["missing"]) == 1
    assert snapshot(rig) == before


@pytest.mark.parametrize(
    ("since", "until"),
    [*((since, 0) for since in (None, 0, -1, True, "3600", 1.5, 30 * 86_400 + 1)), (60, 60), (60, -1), (60, None)],
)
def test_by_hand_needs_a_time_to_look_at(rig: Rig, since: Any, until: Any) -> None:
    request = {"by_hand": True, "since_seconds": since, "until_seconds": until}
    assert rig.run(request) == {"problems": ["bad_request"]}
    assert rig.queues.requests == []


# What it costs.


def asked(rig: Rig) -> dict[str, int]:
    """What every service saw."""
    return {
        "livekit": len(rig.livekit.asked),
        "sqs": len(rig.queues.requests),
        "s3": len(rig.s3.asked),
        "airtable": rig.airtable(),
    }


def test_what_a_thousand_recordings_cost_that_are_told(rig: Rig) -> None:
    """The table in reconcile.py, first column; LiveKit tells 100 on a page here."""
    for number in range(1000):
        rig.call(number, told=True, end=END - timedelta(seconds=number))
    answer = rig.run(BY_HAND)
    assert (answer["problems"], answer["counts"]["told"], rig.queues.waiting) == ([], 1000, [])
    assert answer["requests"] == asked(rig) == {"livekit": 11, "sqs": 201, "s3": 0, "airtable": 11}


def test_what_a_thousand_recordings_cost_that_are_lost(rig: Rig) -> None:
    """The second column, but for the pages of conversations: here there are none, which is one page."""
    rig.livekit.egresses = [egress(number) for number in range(1000)]
    rig.queues.arrive(map(arrived, range(1000)))
    answer = rig.run(BY_HAND)
    assert (answer["problems"], len(set(rig.enqueued())), rig.queues.visible()) == ([], 1000, 1000)
    assert answer["requests"] == asked(rig) == {"livekit": 11, "sqs": 301, "s3": 1, "airtable": 52}


# Told elsewhere, told meanwhile.


def test_a_conversation_of_another_time_may_tell_already(rig: Rig) -> None:
    rig.livekit.egresses.append(egress(1))
    rig.queues.arrive([arrived(1)])
    cells: Any = {"room_name": "else", "egress_id": "EG_1", "audio_recording_url": rig.link(egress(1), "v1")}
    rig.server.seed(cells, created=END - timedelta(days=40))
    answer = rig.run()
    assert (answer["missing"], rig.enqueued(), rig.queues.waiting) == ([], [], [])


def test_what_deliver_writes_meanwhile_is_not_sent_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = rig.call(1)
    ask = rig.table.candidates

    def candidates(*arguments: Any) -> Any:
        with rig.server.store.lock:
            table = rig.server.base.tables[0]
            cells = {"audio_recording_url": rig.link(egress(1), "v1"), "egress_id": "EG_1"}
            cast("Any", table.records[lost].cells).update(table.accepted(cast("Any", cells), typecast=False))
        return ask(*arguments)

    monkeypatch.setattr(rig.table, "candidates", candidates)
    answer = rig.run()
    assert (answer["missing"], rig.enqueued(), rig.queues.waiting) == ([], [], [])


def test_without_a_file_it_is_told_in_words_or_not_at_all(rig: Rig) -> None:
    rig.livekit.egresses.append(egress(1, status="ABORTED", size=0, error_code=412))
    conversation = rig.server.seed({"room_name": "room 1"}, created=START)
    rig.run()
    rig.deliver()
    assert rig.server.read(conversation)["recording_status"] == "Not recorded: there was no sound from anybody"
    rig.at(END + 2 * QUARTER)
    assert rig.run()["missing"] == []
    rig.server.base.tables[0] = conversations_table(without=("recording_status",))
    rig.table.airtable._fields_at = None
    rig.at(END + 4 * QUARTER)
    assert rig.run()["missing"] == []


# Stuck egresses.


def test_a_stuck_egress_is_told_and_its_room_s_conversation_says_so(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.livekit.egresses = [running(1), running(2)]
    rig.livekit.rooms = ["2"]
    conversation = rig.server.seed({"room_name": "room 1"}, created=START)
    rig.at(START + QUARTER + timedelta(seconds=1))
    answer = rig.run()
    assert [(one["egress"], one["enqueued"]) for one in answer["stuck"]] == [("EG_1", True)]
    assert rig.slept == [10.0]
    assert metrics(capsys.readouterr().out) == {"reconcile_run": 1, "egress_stuck": 1, "repaired": 1}
    rig.deliver()
    assert rig.server.read(conversation)["recording_status"] == "Not recorded: the recorder stopped unexpectedly"
    rig.at(START + 2 * QUARTER + timedelta(seconds=1))
    again = rig.run()
    assert [(one["egress"], one["enqueued"]) for one in again["stuck"]] == [("EG_1", False)]
    assert len(rig.queues.sent) == 1


def test_the_real_end_of_a_stuck_egress_replaces_what_was_told(rig: Rig) -> None:
    rig.livekit.egresses = [running(1)]
    conversation = rig.server.seed({"room_name": "room 1"}, created=START)
    rig.at(START + QUARTER + timedelta(seconds=1))
    rig.run()
    rig.deliver()
    rig.livekit.egresses = [egress(1)]
    rig.queues.arrive([arrived(1)])
    rig.at(END + 2 * QUARTER)
    rig.run()
    rig.deliver()
    assert str(rig.server.read(conversation)["audio_recording_url"]).startswith(PLAY)
    assert rig.server.read(conversation)["recording_status"] == "Recorded"


def test_a_stuck_egress_whose_file_came_gets_its_link(rig: Rig) -> None:
    rig.livekit.egresses = [running(1)]
    rig.queues.arrive([arrived(1)])
    conversation = rig.server.seed({"room_name": "room 1"}, created=START)
    rig.at(START + QUARTER + timedelta(seconds=1))
    rig.run()
    rig.deliver()
    cells = rig.server.read(conversation)
    assert str(cells["audio_recording_url"]).startswith(PLAY)
    assert cells["recording_status"] == "Partly recorded: the recording broke off"
    rig.at(START + 2 * QUARTER + timedelta(seconds=1))
    rig.run()
    assert (rig.queues.waiting, len(rig.queues.sent)) == ([], 1)


def test_an_egress_that_ends_between_the_looks_is_not_stuck(rig: Rig) -> None:
    rig.livekit.egresses = [running(1)]

    def ends(method: str) -> None:
        if rig.slept:
            rig.livekit.egresses = [egress(1)]

    rig.livekit.before = ends
    rig.at(START + QUARTER + timedelta(seconds=1))
    assert rig.run()["stuck"] == []
    assert rig.queues.sent == []


def test_a_second_look_that_fails_accuses_nobody(rig: Rig) -> None:
    rig.livekit.egresses = [running(1)]

    def breaks(method: str) -> None:
        if rig.slept:
            rig.livekit.failing["ListEgress"] = twirp_error(503, "unavailable")

    rig.livekit.before = breaks
    rig.at(START + QUARTER + timedelta(seconds=1))
    answer = rig.run()
    assert (answer["stuck"], answer["problems"]) == ([], ["livekit_unavailable"])


def test_without_the_rooms_nobody_is_stuck(rig: Rig) -> None:
    rig.livekit.egresses = [running(1), egress(2)]
    rig.livekit.failing["ListRooms"] = twirp_error(403, "permission_denied")
    rig.at(START + QUARTER + timedelta(seconds=30))
    answer = rig.run()
    assert (answer["stuck"], answer["problems"], rig.enqueued()) == ([], ["livekit_rooms"], ["EG_2"])


# Objects and conversations that belong to nobody.


def test_objects_nobody_wants_are_reported_until_their_last_look(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.queues.arrive([arrived(1)])
    reported: list[int] = []
    for turn in range(1, 100):
        rig.at(END + turn * QUARTER + timedelta(minutes=1))
        if answer := rig.run()["unwanted"]:
            reported.append(turn)
            assert answer == [
                {"key": "calls/1.mp4", "version": "v1", "size": 100, "arrived": "2026-11-24T00:00:47+00:00"}
            ]
    assert reported == [4, 8, 16, 32, 64, 96]
    assert rig.queues.waiting == []
    assert metrics(capsys.readouterr().out)["unwanted"] == 1


def test_an_object_that_was_deleted_meanwhile_is_not_reported(rig: Rig) -> None:
    """As `callrec verify` does with its own."""
    rig.queues.arrive([arrived(1), arrived(2, version="of another")])
    rig.s3.gone = {"calls/1.mp4"}
    rig.at(END + HOUR + timedelta(minutes=1))
    answer = rig.run()
    assert (answer["unwanted"], rig.queues.waiting, answer["requests"]["s3"]) == ([], [], 2)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (client_error("AccessDenied"), "storage_refused"),
        (EndpointConnectionError(endpoint_url="https://s3.example"), "storage_unavailable"),
    ],
)
def test_who_may_not_look_reports_it(rig: Rig, error: Exception, problem: str) -> None:
    rig.queues.arrive([arrived(1), arrived(2)])
    rig.s3.error = error
    rig.at(END + HOUR + timedelta(minutes=1))
    answer = rig.run()
    assert (len(answer["unwanted"]), answer["problems"], answer["requests"]["s3"]) == (2, [problem], 1)
    assert rig.queues.visible() == 2


def test_conversations_without_a_recording_are_reported(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = rig.server.seed({"room_name": "forgotten"}, created=START)
    rig.call(1)
    rig.at(END + 2 * HOUR)
    assert rig.run(BY_HAND)["without_recording"] == [{"record": nowhere, "started": "2026-11-24T00:00:35+00:00"}]
    assert metrics(capsys.readouterr().out)["without_recording"] == 1
    counts: list[int] = []
    for turn in range(1, 60):
        rig.at(END + turn * QUARTER)
        counts.append(rig.run()["counts"]["without_recording"])
    assert sum(counts) == 2


def test_what_was_erased_is_missing_nowhere(rig: Rig) -> None:
    rig.call(1)
    rig.call(2)
    rig.server.seed({"room_name": "room 3", "egress_id": "EG_3"}, created=START)  # LiveKit tells of it no more
    rig.s3.erased, rig.s3.gone = ("EG_2", "EG_3"), {"calls/2.mp4"}
    rig.at(END + 2 * HOUR)
    answer = rig.run(BY_HAND)
    assert [one["egress"] for one in answer["missing"]] == ["EG_1"]
    assert (answer["without_recording"], answer["unwanted"], answer["problems"]) == ([], [], [])
    assert rig.enqueued() == ["EG_1"]
    rig.deliver()
    rig.at(END + 3 * HOUR)
    again = rig.run(BY_HAND)
    assert (again["missing"], again["unwanted"], rig.queues.waiting) == ([], [], [])


def test_who_cannot_see_what_was_erased_says_so(rig: Rig) -> None:
    rig.call(1)
    rig.s3.error = client_error("AccessDenied")
    answer = rig.run()
    assert (answer["problems"], rig.enqueued()) == (["storage_refused"], ["EG_1"])


@pytest.mark.parametrize("days", [2, 3, 13])
def test_after_days_without_a_run_what_arrived_is_still_delivered(rig: Rig, days: int) -> None:
    """LiveKit is asked back to the oldest arrival, page by page."""
    rig.livekit.page = 1
    lost = rig.call(1)
    rig.livekit.egresses += [egress(day + 1, begin=START + timedelta(days=day)) for day in range(1, days + 1)]
    rig.at(END + timedelta(days=days, minutes=1))
    rig.run()
    rig.deliver()
    assert str(rig.server.read(lost)["audio_recording_url"]).startswith(PLAY)
    assert rig.queues.waiting == []


def test_livekit_is_asked_back_to_the_oldest_conversation_that_is_checked(rig: Rig) -> None:
    week = timedelta(days=7)
    runs = (Timetable.scheduled(END + turn * QUARTER, QUARTER, week) for turn in range(4 * 24 * 7))
    check, now = next((span, run.now) for run in runs if (span := run.check()))
    began = check[0] + HOUR
    rig.settings |= {"lookback_seconds": week.total_seconds()}
    rig.livekit.page = 1
    moments = [began + timedelta(days=day) for day in range(14)]
    rig.livekit.egresses += [egress(day, begin=moment, end=moment + HOUR) for day, moment in enumerate(moments)]
    rig.server.seed({"room_name": "room 0"}, created=began)
    nowhere = rig.server.seed({"room_name": "else"}, created=began)
    rig.at(now)
    assert [one["record"] for one in rig.run()["without_recording"]] == [nowhere]


def test_a_stack_without_livekit_knows_the_objects_only(rig: Rig) -> None:
    rig.settings = {"livekit_url": None}
    rig.call(1, told=True)
    rig.call(2)
    rig.at(END + HOUR + timedelta(minutes=1))
    answer = rig.run()
    assert (answer["skipped"], answer["problems"], rig.livekit.asked) == (["livekit_not_configured"], [], [])
    assert [one["key"] for one in answer["unwanted"]] == ["calls/2.mp4"]
    assert (len(rig.queues.waiting), rig.queues.sent) == (1, [])


# What fails.


@pytest.mark.parametrize(("status", "problem"), [(401, "livekit_refused"), (503, "livekit_unavailable")])
def test_while_livekit_is_silent_the_rest_goes_on(
    rig: Rig, status: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.call(1, told=True)
    rig.call(2)
    rig.livekit.failing["ListEgress"] = twirp_error(status, "no")
    rig.at(END + 4 * QUARTER + timedelta(minutes=1))
    answer = rig.run()
    assert answer["problems"] == [problem]
    assert (len(rig.queues.waiting), rig.queues.visible()) == (1, 1)
    assert (answer["unwanted"], answer["without_recording"], rig.queues.sent) == ([], [], [])
    assert metrics(capsys.readouterr().out) == {"reconcile_run": 1, f"reconcile_problem:{problem}": 1}


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (Fault(outcome=Outcome.STATUS, status=429), "airtable_throttled"),
        (Fault(outcome=Outcome.STATUS, status=500), "airtable_unavailable"),
        (Fault(outcome=Outcome.STATUS, status=401), "airtable_refused"),
        (Fault(outcome=Outcome.HALF), "airtable_unavailable"),
        (Fault(outcome=Outcome.CLOSE), "airtable_unavailable"),
    ],
)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_while_airtable_fails_nothing_is_sent_or_lost(rig: Rig, fault: Fault, problem: str, before: int) -> None:
    """The fields, the conversations, and the second question."""
    rig.call(1)
    if before:
        rig.table.airtable.use_token(rig.server.token)
        rig.table.fields()
    if before == 2:
        ask = rig.table.candidates

        def candidates(*arguments: Any) -> Any:
            rig.server.faults.add(fault)
            return ask(*arguments)

        rig.table.candidates = candidates  # type: ignore[method-assign]
    else:
        rig.server.faults.add(fault)
    answer = rig.run()
    assert answer["problems"] == [problem]
    assert (rig.queues.sent, rig.queues.visible()) == ([], 1)
    assert [one["enqueued"] for one in answer["missing"]] == [False] * (before == 2)


def test_without_the_secret_nothing_is_touched(rig: Rig) -> None:
    rig.call(1)
    rig.secret = client_error("AccessDeniedException")
    assert rig.run()["problems"] == ["secret_unavailable"]
    assert (rig.queues.requests, rig.livekit.asked, rig.airtable()) == ([], [], 0)


def test_what_the_queue_does_not_take_stays_open(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.call(1)
    rig.call(2)
    rig.queues.refused = {"EG_1"}
    answer = rig.run()
    assert {one["egress"]: one["enqueued"] for one in answer["missing"]} == {"EG_1": False, "EG_2": True}
    assert answer["problems"] == ["queue_unavailable"]
    assert metrics(capsys.readouterr().out)["repaired"] == 1
    rig.queues.broken = {"send"}
    rig.at(END + 2 * QUARTER)
    assert rig.run()["problems"] == ["queue_unavailable"]
    assert rig.queues.visible() == 2


def test_even_on_the_last_look_an_object_stays_until_its_recording_is_sent(rig: Rig) -> None:
    rig.call(1)
    rig.at(END + timedelta(days=1, minutes=1))
    rig.queues.broken = {"send"}
    rig.run()
    assert len(rig.queues.waiting) == 1
    rig.queues.broken = set()
    rig.run()
    assert (rig.queues.waiting, rig.enqueued()) == ([], ["EG_1"])


def test_arrivals_that_cannot_be_had_do_not_keep_the_rest_back(rig: Rig) -> None:
    rig.call(1)
    rig.queues.broken = {"receive"}
    answer = rig.run()
    assert (answer["problems"], rig.enqueued()) == (["arrivals_unavailable"], ["EG_1"])


def test_an_unexpected_error_gives_everything_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.call(1)

    def broken(*_: Any) -> Any:
        raise RuntimeError("room 1 said something")

    monkeypatch.setattr(rig.table, "candidates", broken)
    assert rig.run()["problems"] == ["fault"]
    assert (rig.queues.visible(), rig.queues.sent) == (1, [])
    out = capsys.readouterr().out
    assert "room 1" not in out
    assert metrics(out)["reconcile_problem:fault"] == 1


# Time.


def test_a_run_ends_by_itself_before_it_is_killed(rig: Rig) -> None:
    """However little time it has: nothing is lost, nothing half done, and it says so when it could not do all."""
    for number in range(5):
        rig.call(number)
    for number in range(30):
        rig.server.seed({"room_name": "else"}, created=END + number * timedelta(minutes=1))
    for seconds in range(0, 130, 5):
        rig.at(END + QUARTER)
        rig.queues.sent.clear()
        rig.seconds, began = float(seconds), rig.clock.now
        answer = rig.run()
        assert rig.clock.now - began <= seconds
        assert ("out_of_time" in answer["problems"]) == (len(rig.queues.sent) < 5)
        assert len(rig.queues.waiting) == 5
        rig.clock.now += HIDDEN_SECONDS


def test_conversations_too_many_for_the_time_are_a_problem_not_a_guess(rig: Rig) -> None:
    for number in range(450):
        rig.server.seed({"room_name": "else"}, created=START + number * timedelta(seconds=1))
    rig.call(1)
    rig.seconds = RESERVE_SECONDS + 10.0
    answer = rig.run()
    assert (answer["problems"], rig.queues.sent, rig.queues.visible()) == (["out_of_time"], [], 1)


def test_what_there_was_no_time_to_send_is_sent_by_a_later_run(rig: Rig) -> None:
    for number in range(30):
        rig.call(number)
    rig.seconds = RESERVE_SECONDS + 4.4 * 2.5
    first = rig.run()
    assert (first["problems"], len(rig.queues.sent)) == (["out_of_time"], 20)
    assert sum(one["enqueued"] for one in first["missing"]) == 20
    rig.seconds = 840
    rig.run()
    assert len(set(rig.enqueued())) == 30


def test_a_slow_livekit_leaves_time_for_the_rest(rig: Rig) -> None:
    rig.call(1, told=True)
    rig.seconds = RESERVE_SECONDS + 1.0
    rig.livekit.before = lambda method: rig._sleep(2)
    assert "out_of_time" in rig.run()["problems"]
    assert rig.queues.visible() == 1


@pytest.mark.parametrize("call", ["receive", "send", "delete", "give_back"])
def test_killed_anywhere_nothing_is_lost(rig: Rig, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Before and after each request of one kind; the next run, when what was hidden is back, does the rest."""
    for after in (False, True):
        rig.queues.waiting.clear()
        rig.queues.sent.clear()
        rig.livekit.egresses.clear()
        rig.server.base.tables[0] = conversations_table()
        rig.table.airtable._fields_at = None
        lost = [rig.call(number) for number in range(1, 4)]
        rig.call(4, told=True)
        rig.at(END + QUARTER)
        with monkeypatch.context() as patched:
            patched.setattr(rig.queues, _METHODS[call], killing(getattr(rig.queues, _METHODS[call]), after=after))
            with pytest.raises(Killed):
                rig.run()
        rig.at(END + 2 * QUARTER + timedelta(seconds=1))
        rig.run()
        rig.deliver()
        assert all(str(rig.server.read(one).get("audio_recording_url")).startswith(PLAY) for one in lost)
        rig.at(END + 4 * QUARTER)
        rig.run()
        assert rig.queues.waiting == []


_METHODS = {
    "receive": "receive_message",
    "send": "send_message_batch",
    "delete": "delete_message_batch",
    "give_back": "change_message_visibility_batch",
}


def killing(method: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def call(**request: Any) -> Any:
        if after:
            method(**request)
        raise Killed

    return call


# What it says.


def test_the_log_holds_no_names_and_no_keys(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.livekit.egresses = [
        egress(1, room_name="+41791234567", file_results=[api.FileInfo(filename="calls/+41791234567.mp4", size=5)])
    ]
    rig.queues.arrive(
        [arrived(1, key="calls/+41791234567.mp4", size=5), arrived(2, key="calls/+4179.mp4", version="v+4179")]
    )
    rig.at(END + 4 * QUARTER + timedelta(minutes=1))
    answer = rig.run()
    assert "+41791234567" in json.dumps(answer)
    out = capsys.readouterr().out
    assert "+4179" not in out
    (line,) = [line for line in lines(out) if line.get("event") == "reconciled"]
    assert line["airtable_requests"] == answer["requests"]["airtable"]
    assert (line["missing"], line["unwanted"], line["level"]) == (1, 1, "info")


def test_long_lists_are_cut_and_counted(rig: Rig) -> None:
    """Lambda answers with 6 MB at most."""
    key = "calls/" + "k" * 1000
    many = [Arrival(key=f"{key}{number}.mp4", version="v" * 32, size=1, at=END) for number in range(MOST_LISTED + 5)]
    rig.queues.arrive(many)
    rig.s3.error = client_error("AccessDenied")
    rig.at(END + HOUR + timedelta(minutes=1))
    answer = rig.run()
    assert (len(answer["unwanted"]), answer["counts"]["unwanted"]) == (MOST_LISTED, MOST_LISTED + 5)
    assert 4 * len(json.dumps(answer)) < 6_000_000


def test_the_handler_never_raises(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    reconcile.app.cache_clear()
    monkeypatch.setattr("os.environ", {})
    assert reconcile.handler({}, object()) == {"problems": ["fault"]}
    assert lines(capsys.readouterr().out)[0]["event"] == "reconcile_failed"


def test_the_handler_reads_lambda_s_context(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    class Context:
        function_name = "callrec-x-reconcile"

        def get_remaining_time_in_millis(self) -> int:
            return 1000 * RESERVE_SECONDS

    rig.settings = {}
    monkeypatch.setattr(reconcile, "app", lambda: rig.app)
    assert reconcile.handler({}, Context())["problems"] == ["out_of_time"]
    assert reconcile.handler({}, object())["problems"] == []
