"""`deliver`: batches from the queue against the Airtable stand-in, with fakes of S3 and SQS."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from infra.functions import deliver, writing
from infra.functions.errors import FaultError
from infra.functions.links import Links
from infra.functions.secret import SecretCache
from scripts.local.airtable_server import AirtableServer, Fault, Outcome, conversations_table, field_of
from tests.unit.functions_airtable import asked, conversations, deliver_settings
from tests.unit.functions_support import (
    END,
    LINK_KEY,
    SECRET,
    SECRET_JSON,
    START,
    Clock,
    FakeSqs,
    captured,
    captured_names,
    client_error,
    ended,
    recording,
)

NOW = END.timestamp() + 60
PLAY = "https://play.example/r/"


class FakeS3:
    """A bucket's versions by key; `broken` keys cannot be listed."""

    def __init__(self) -> None:
        self.versions: list[dict[str, Any]] = []
        self.broken: set[str] = set()
        self.silent = False
        self.asked: list[str] = []

    def put(self, key: str, size: int, modified: datetime = END) -> str:
        version = f"v{len(self.versions)}"
        self.versions.append({"Key": key, "VersionId": version, "Size": size, "LastModified": modified})
        return version

    def list_object_versions(self, **request: Any) -> dict[str, Any]:
        assert request["Bucket"] == "recordings"
        self.asked.append(request["Prefix"])
        if self.silent:
            raise TimeoutError
        if request["Prefix"] in self.broken:
            raise client_error("AccessDenied")
        return {"Versions": [one for one in self.versions if one["Key"].startswith(request["Prefix"])]}


class Rig:
    """`deliver` with everything around it."""

    def __init__(self, server: AirtableServer) -> None:
        self.server = server
        self.clock = Clock(NOW)
        self.sqs = FakeSqs()
        self.s3 = FakeS3()
        self.secret: str | Exception = json.dumps(json.loads(SECRET_JSON) | {"airtable_token": server.token})
        self.table = conversations(server, self.clock)
        self.settings: dict[str, Any] = {}

    def read(self) -> str:
        if isinstance(self.secret, Exception):
            raise self.secret
        return self.secret

    @property
    def app(self) -> deliver.App:
        return deliver.App(
            settings=deliver_settings(self.server, **self.settings),
            secrets=SecretCache(self.read, self.clock),
            sqs=cast("Any", self.sqs),
            s3=cast("Any", self.s3),
            conversations=self.table,
            clock=self.clock,
        )

    def run(self, *records: dict[str, Any]) -> list[str]:
        """Deliver a batch; the ids of the messages that failed."""
        messages = [deliver.Message.from_record(record) for record in records]
        answer = deliver.deliver(messages, self.app, "fn")
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def call(self, number: int, **info: Any) -> dict[str, Any]:
        """A recording of its own room session, with its file and conversation; the event's payload."""
        self.s3.put(f"calls/{number}.mp4", 100)
        return call(number, **info)

    def link(self, record_id: str) -> Any:
        url = self.server.read(record_id)["audio_recording_url"]
        assert isinstance(url, str)
        assert url.startswith(PLAY)
        return Links((LINK_KEY,), self.clock).open(url.removeprefix(PLAY), self.clock.now)


def nanoseconds(moment: datetime) -> str:
    return str(int(moment.timestamp()) * 10**9)


def call(number: int, **info: Any) -> dict[str, Any]:
    made = {
        "egressId": f"EG_{number}",
        "roomId": f"RM_{number}",
        "roomName": f"room {number}",
        "startedAt": nanoseconds(START),
        "endedAt": nanoseconds(END),
        "fileResults": [{"filename": f"calls/{number}.mp4", "size": "100", "duration": "12000000000"}],
        "file": None,
    }
    return ended(**(made | info))


def record(
    payload: Any, name: str = "m1", *, count: int = 1, sent: float = NOW, group: str | None = None
) -> dict[str, Any]:
    """An SQS record as Lambda hands it over."""
    body = payload if isinstance(payload, str) else json.dumps(payload)
    info = payload.get("egressInfo", {}) if isinstance(payload, dict) else {}
    return {
        "messageId": name,
        "receiptHandle": f"receipt-{name}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(count),
            "SentTimestamp": str(int(sent * 1000)),
            "MessageGroupId": group or info.get("roomId", "group"),
        },
    }


@pytest.fixture
def rig(server: AirtableServer) -> Rig:
    return Rig(server)


def metrics(text: str) -> list[tuple[str, int, str | None]]:
    """Name, count and reason of each metric line."""
    lines = [json.loads(line) for line in text.splitlines()]
    found: list[tuple[str, int, str | None]] = []
    for line in lines:
        if "_aws" in line:
            directive = line["_aws"]["CloudWatchMetrics"][0]
            assert directive["Namespace"] == "callrec"
            assert all(name in line for names in directive["Dimensions"] for name in names)
            assert line["function"] == "fn"
            name = directive["Metrics"][0]["Name"]
            found.append((name, line[name], line.get("reason")))
    return found


def test_the_captured_recording_is_delivered(
    rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str]
) -> None:
    body = captured("egress_ended")[0].decode()
    version = rig.s3.put("calls/call1/2026-11-24T000035.mp4", 191897)
    rig.s3.put("calls/call1/2026-11-24T000035.mp4.json", 191897)
    conversation = server.seed({"room_name": "call1", "patient_name": "A"}, created=START)
    assert rig.run(record(body)) == []
    link = rig.link(conversation)
    assert (link.key, link.version, link.egress_id) == ("calls/call1/2026-11-24T000035.mp4", version, "EG_qSre47Ggpyvq")
    assert link.expires_at == link.issued_at + 30 * 86_400
    cells = server.read(conversation)
    del cells["audio_recording_url"]
    assert cells == {
        "room_name": "call1",
        "patient_name": "A",
        "egress_id": "EG_qSre47Ggpyvq",
        "room_id": "RM_xRvi3HAA2vta",
        "recording_duration": 11.8,
        "recording_size": 191897,
        "recording_started_at": "2026-11-24T00:00:35.740Z",
        "recording_ended_at": "2026-11-24T00:00:47.829Z",
        "recording_status": "Recorded",
    }
    assert rig.sqs.sent == []
    assert metrics(capsys.readouterr().out) == [("delivered", 1, None)]


def test_every_captured_body(rig: Rig, server: AirtableServer) -> None:
    rig.s3.put("calls/call1/2026-11-24T000035.mp4", 191897)
    rooms = {
        name: server.seed({"room_name": name}, created="2026-11-24T00:05:00.000Z")
        for name in ("call1", "auth3", "nopub1")
    }
    records = [record(captured(name)[0].decode(), name, group=name) for name in captured_names()]
    for start in range(0, len(records), 10):
        assert rig.run(*records[start : start + 10]) == []
    status = {room: server.read(record_id).get("recording_status") for room, record_id in rooms.items()}
    assert status == {
        "call1": "Recorded",
        "auth3": "Not recorded: the recording could not be stored",
        "nopub1": "Not recorded: there was no sound from anybody",
    }
    assert [room for room, one in rooms.items() if "audio_recording_url" in server.read(one)] == ["call1"]
    assert rig.sqs.sent == []


def test_ten_cost_one_list_and_one_patch(rig: Rig, server: AirtableServer) -> None:
    rig.table.fields()
    made = [server.seed({"room_name": f"room {number}"}, created=START) for number in range(10)]
    assert rig.run(*[record(rig.call(number), f"m{number}") for number in range(10)]) == []
    assert [method for method, _ in asked(server)] == ["GET", "GET", "PATCH"]
    assert [rig.link(one).egress_id for one in made] == [f"EG_{number}" for number in range(10)]


def test_the_same_batch_again_changes_only_the_token(rig: Rig, server: AirtableServer) -> None:
    conversation = server.seed({"room_name": "room 1"}, created=START)
    payload = rig.call(1)
    assert rig.run(record(payload)) == []
    first = server.read(conversation)
    assert rig.run(record(payload)) == []
    second = server.read(conversation)
    del first["audio_recording_url"], second["audio_recording_url"]
    assert first == second


def test_other_events_are_acknowledged_untouched(rig: Rig, server: AirtableServer) -> None:
    assert rig.run(record({"event": "room_started"}), record(call(1) | {"event": "egress_updated"}, "m2")) == []
    stream = call(1, fileResults=None, streamResults=[{"url": "rtmp://x"}])
    assert rig.run(record(stream)) == []
    assert asked(server) == []
    assert rig.s3.asked == []


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("not json", "bad_message"),
        ('{"no":"event"}', "bad_message"),
        ("\ud800", "bad_message"),
        ({"event": "egress_ended"}, "bad_recording"),
        (call(1, fileResults=[{"filename": "../x", "size": "1"}]), "wrong_key"),
        (call(1, roomComposite={"fileOutputs": [{"s3": {"bucket": "other"}}]}), "wrong_bucket"),
    ],
)
def test_what_can_never_succeed_dies_at_once_with_its_reason_and_its_neighbours_live(
    rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str], payload: Any, reason: str
) -> None:
    conversation = server.seed({"room_name": "room 2"}, created=START)
    poison = record(payload, "poison", group="RM_2")
    assert rig.run(poison, record(rig.call(2), "good")) == []
    (dead,) = rig.sqs.sent
    attributes = {name: value["StringValue"] for name, value in dead["MessageAttributes"].items()}
    assert (dead["QueueUrl"], dead["MessageBody"]) == ("https://dlq", poison["body"])
    assert (dead["MessageGroupId"], dead["MessageDeduplicationId"]) == ("RM_2", "poison")
    assert attributes["reason"] == reason
    assert len(attributes["detail"]) > 10
    assert rig.link(conversation).egress_id == "EG_2"
    assert metrics(capsys.readouterr().out) == [("delivered", 1, None), ("dead", 1, reason)]


def test_a_dead_message_that_cannot_be_buried_comes_again(rig: Rig) -> None:
    rig.sqs.broken.add("https://dlq")
    assert rig.run(record("no json")) == ["m1"]
    assert rig.sqs.delays == [("receipt-m1", 30)]


@pytest.mark.parametrize(("count", "delay"), [(0, 30), (1, 30), (2, 60), (3, 120), (5, 480), (6, 900), (1000, 900)])
def test_what_waits_comes_again_later_and_later(
    rig: Rig, capsys: pytest.CaptureFixture[str], count: int, delay: int
) -> None:
    assert rig.run(record(rig.call(1), count=count)) == ["m1"]
    assert rig.sqs.delays == [("receipt-m1", delay)]
    assert rig.sqs.sent == []
    assert metrics(capsys.readouterr().out) == [("waiting", 1, "no_conversation")]


def test_after_a_day_of_waiting_it_dies_of_the_last_reason(rig: Rig) -> None:
    almost, over = NOW - 86_399, NOW - 86_401
    assert rig.run(record(rig.call(1), sent=almost)) == ["m1"]
    assert rig.run(record(rig.call(1), sent=over)) == []
    assert rig.sqs.sent[0]["MessageAttributes"]["reason"]["StringValue"] == "no_conversation"


def test_even_after_a_day_it_is_tried_first(rig: Rig, server: AirtableServer) -> None:
    server.seed({"room_name": "room 1"}, created=START)
    assert rig.run(record(rig.call(1), sent=NOW - 90_000)) == []
    assert rig.sqs.sent == []


def test_what_stands_behind_a_waiting_message_of_its_group_comes_again_with_it(
    rig: Rig, server: AirtableServer
) -> None:
    server.seed({"room_name": "room 2", "room_id": "RM_2"}, created=START)
    other = server.seed({"room_name": "room 3"}, created=START)
    lost = call(2, egressId="EG_lost", fileResults=[{"filename": "calls/lost.mp4", "size": "7"}])
    batch = [
        record(lost, "head", count=3),
        record("no json", "behind poison", group="RM_2"),
        record(rig.call(2), "behind", sent=NOW - 90_000),
        record({"event": "room_finished"}, "behind too", group="RM_2"),
        record(rig.call(3), "free"),
    ]
    assert rig.run(*batch) == ["head", "behind poison", "behind", "behind too"]
    assert rig.sqs.delays == [(f"receipt-{name}", 120) for name in ("head", "behind poison", "behind", "behind too")]
    assert rig.sqs.sent == []
    assert rig.link(other).egress_id == "EG_3"
    assert "calls/2.mp4" not in rig.s3.asked


def test_when_the_head_dies_of_age_the_next_are_returned_just_this_once(rig: Rig, server: AirtableServer) -> None:
    conversation = server.seed({"room_name": "room 2", "room_id": "RM_2"}, created=START)
    head = record(call(2, fileResults=[{"filename": "calls/lost.mp4", "size": "7"}]), "head", sent=NOW - 90_000)
    behind = record(rig.call(2), "behind")
    assert rig.run(head, behind) == ["behind"]
    assert [sent["MessageDeduplicationId"] for sent in rig.sqs.sent] == ["head"]
    assert "audio_recording_url" not in server.read(conversation)
    assert rig.run(behind) == []
    assert rig.link(conversation).egress_id == "EG_2"


def test_ambiguous_recordings_wait(rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        server.seed({"room_name": "room 1"}, created=START)
    assert rig.run(record(rig.call(1))) == ["m1"]
    assert metrics(capsys.readouterr().out) == [("waiting", 1, "ambiguous")]


def test_a_file_that_is_not_there_or_is_anothers_gives_no_link(rig: Rig, server: AirtableServer) -> None:
    conversation = server.seed({"room_name": "room 1"}, created=START)
    rig.s3.put("calls/1.mp4", 99)
    assert rig.run(record(call(1))) == ["m1"]
    assert "audio_recording_url" not in server.read(conversation)
    rig.s3.put("calls/1.mp4", 100)
    assert rig.run(record(call(1))) == []
    assert rig.link(conversation).version == "v1"


@pytest.mark.parametrize("size", ["100", None])
def test_what_was_erased_is_done_and_written_nowhere(
    rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str], size: str | None
) -> None:
    """Without a size in the event, another call's file under the same key would pass for it."""
    conversation = server.seed({"room_name": "room 1", "egress_id": "EG_1", "room_id": "RM_1"}, created=START)
    payload = call(1, fileResults=[{"filename": "calls/1.mp4", "size": size, "duration": "12000000000"}])
    if size is None:
        rig.s3.put("calls/1.mp4", 777)
    rig.s3.put("erasures/EG_12.json", 50)
    rig.s3.put("erasures/EG_1.json.bak", 50)
    assert rig.run(record(call(1))) == ["m1"]  # another's record is not its own
    rig.s3.put("erasures/EG_1.json", 50)
    before = server.read(conversation)
    capsys.readouterr()
    assert rig.run(record(payload)) == []
    assert server.read(conversation) == before
    assert not rig.sqs.sent
    assert '"erased"' in capsys.readouterr().out


def test_what_is_uploaded_after_its_erasure_gets_no_link(rig: Rig, server: AirtableServer) -> None:
    conversation = server.seed({"room_name": "room 1"}, created=START)
    rig.s3.put("erasures/EG_1.json", 50)
    assert rig.run(record(rig.call(1))) == []
    assert "audio_recording_url" not in server.read(conversation)


def test_that_an_erased_recording_failed_is_told_nowhere(rig: Rig, server: AirtableServer) -> None:
    conversation = server.seed(
        {"room_name": "room 1", "egress_id": "EG_1", "recording_status": "Erased"}, created=START
    )
    rig.s3.put("erasures/EG_1.json", 50)
    assert rig.run(record(call(1, status="EGRESS_FAILED", fileResults=None, error="x"))) == []
    assert server.read(conversation)["recording_status"] == "Erased"


def test_while_nobody_can_say_whether_it_was_erased_it_waits(rig: Rig, server: AirtableServer) -> None:
    server.seed({"room_name": "room 1"}, created=START)
    rig.s3.broken = {"erasures/EG_1.json"}
    assert rig.run(record(call(1))) == ["m1"]


def test_a_key_used_again_is_logged(rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The older version, and the link to it, ends when S3 deletes it."""
    server.seed({"room_name": "room 1", "room_id": "RM_1"})
    payload = rig.call(1)
    assert rig.run(record(payload)) == []
    assert "key_reused" not in capsys.readouterr().out
    rig.s3.put("calls/1.mp4", 99)
    assert rig.run(record(payload)) == []
    assert "key_reused" in capsys.readouterr().out


def test_a_bucket_that_cannot_be_listed_holds_up_only_its_own(
    rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        server.seed({"room_name": f"room {number}"}, created=START)
    rig.s3.broken.add("calls/1.mp4")
    assert rig.run(record(rig.call(1)), record(rig.call(2), "m2")) == ["m1"]
    assert ("waiting", 1, "storage_unavailable") in metrics(capsys.readouterr().out)


def test_a_bucket_that_does_not_answer_is_asked_once_for_a_batch(rig: Rig, server: AirtableServer) -> None:
    server.seed({"room_name": "room 3"}, created=START)
    lost = call(3, status="EGRESS_FAILED", errorCode=400, fileResults=[{"filename": "calls/3.mp4"}])
    rig.s3.silent = True
    assert rig.run(record(rig.call(1)), record(rig.call(2), "m2"), record(lost, "m3")) == ["m1", "m2", "m3"]
    assert rig.s3.asked == ["erasures/EG_1.json"]


def test_two_recordings_of_one_conversation_in_one_batch(rig: Rig, server: AirtableServer) -> None:
    """Airtable refuses a PATCH that names a record twice."""
    conversation = server.seed({"room_name": "room 1"}, created=START)
    long = rig.call(1)
    rig.s3.put("calls/short.mp4", 50)
    short = call(
        1, egressId="EG_short", fileResults=[{"filename": "calls/short.mp4", "size": "50", "duration": "2000000000"}]
    )
    later = call(1, endedAt=nanoseconds(END + timedelta(seconds=1)))
    batch = [record(payload, f"m{index}") for index, payload in enumerate((short, long, later, short))]
    assert rig.run(*batch) == []
    assert rig.link(conversation).egress_id == "EG_1"
    assert rig.link(conversation).ended_at == END.timestamp() + 1
    assert [method for method, _ in asked(server)].count("PATCH") == 1


def test_one_that_gave_way_shares_the_fate_of_the_one_it_gave_way_to(rig: Rig, server: AirtableServer) -> None:
    server.seed({"room_name": "room 1"}, created=START)
    rig.s3.put("calls/short.mp4", 50)
    short = call(
        1, egressId="EG_short", fileResults=[{"filename": "calls/short.mp4", "size": "50", "duration": "2000000000"}]
    )
    rig.table.fields()
    server.faults.add(Fault(outcome=Outcome.STATUS, status=500, methods=frozenset({"PATCH"})))
    assert rig.run(record(rig.call(1), group="a"), record(short, "m2", group="b")) == ["m1", "m2"]


def test_a_shorter_recording_is_acknowledged_and_not_written(rig: Rig, server: AirtableServer) -> None:
    """The smallest table of all: what a conversation carries is read from its link."""
    names = ("started_at", "egress_id", "room_id", "recording_duration", "recording_size")
    server.base.tables[0] = conversations_table(
        without=(*names, "recording_started_at", "recording_ended_at", "recording_status")
    )
    rig.table = conversations(server, rig.clock)
    conversation = server.seed({"room_name": "room 1"}, created=START)
    assert rig.run(record(rig.call(1))) == []
    rig.s3.put("calls/short.mp4", 50)
    short = call(
        1, egressId="EG_short", fileResults=[{"filename": "calls/short.mp4", "size": "50", "duration": "2000000000"}]
    )
    assert rig.run(record(short)) == []
    assert rig.link(conversation).egress_id == "EG_1"
    assert rig.run(record(rig.call(2, roomName="room 1"))) == ["m1"]
    assert rig.link(conversation).egress_id == "EG_1"


def test_a_link_we_signed_for_an_earlier_address_is_still_ours(rig: Rig, server: AirtableServer) -> None:
    server.base.tables[0] = conversations_table(without=("egress_id", "room_id"))
    rig.table = conversations(server, rig.clock)
    conversation = server.seed({"room_name": "room 1"}, created=START)
    assert rig.run(record(rig.call(1))) == []
    rig.settings = {"play_url": "https://moved.example"}
    assert rig.run(record(call(1))) == []
    assert str(server.read(conversation)["audio_recording_url"]).startswith("https://moved.example/r/")


@pytest.mark.parametrize("url", ["https://else.example/r/x", f"{PLAY}forged", "n/a"])
def test_a_link_that_is_not_ours_is_not_overwritten_by_name(rig: Rig, server: AirtableServer, url: str) -> None:
    conversation = server.seed({"room_name": "room 1", "audio_recording_url": url}, created=START)
    assert rig.run(record(rig.call(1))) == ["m1"]
    assert server.read(conversation)["audio_recording_url"] == url


@pytest.mark.parametrize("settle", [0, 900])
def test_what_waits_longer_than_it_should_is_counted_at_every_try(
    rig: Rig, capsys: pytest.CaptureFixture[str], settle: int
) -> None:
    rig.settings = {"settle_seconds": settle}
    sent = rig.clock.now - settle - 900
    assert rig.run(record(rig.call(1), sent=sent + 1)) == ["m1"]
    assert metrics(capsys.readouterr().out) == [("waiting", 1, "no_conversation")]
    late = [record(call(1), sent=sent), record(call(1), "m2", sent=sent), record(rig.call(2), "m3")]
    for _ in range(3):
        assert rig.run(*late) == ["m1", "m2", "m3"]
        counted = metrics(capsys.readouterr().out)
        assert ("delivery_late", 1, "no_conversation") in counted
        assert ("delivery_late", 1, "behind") in counted


def test_a_lost_recording_is_told_and_alarmed_at_first_sight_and_when_it_is_over(
    rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = call(1, status="EGRESS_FAILED", errorCode=400, fileResults=[{"filename": "calls/1.mp4"}])
    assert rig.run(record(lost)) == ["m1"]
    assert rig.run(record(lost, count=2)) == ["m1"]
    conversation = server.seed({"room_name": "room 1"}, created=START)
    assert rig.run(record(lost, count=3)) == []
    cells = server.read(conversation)
    assert cells["recording_status"] == "Not recorded: the recording could not be stored"
    assert "audio_recording_url" not in cells
    assert set(rig.s3.asked) == {"erasures/EG_1.json"}
    assert metrics(capsys.readouterr().out) == [
        ("recording_failed", 1, "upload_refused"),
        ("waiting", 1, "no_conversation"),
        ("waiting", 1, "no_conversation"),
        ("delivered", 1, None),
        ("recording_failed", 1, "upload_refused"),
    ]


def test_a_call_on_which_nobody_spoke_rings_no_alarm(
    rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.seed({"room_name": "room 1"}, created=START)
    nobody = call(1, status="EGRESS_ABORTED", errorCode=412, fileResults=[{"filename": "calls/1.mp4"}])
    assert rig.run(record(nobody)) == []
    assert metrics(capsys.readouterr().out) == [("nobody_spoke", 1, None), ("delivered", 1, None)]


def test_a_lost_recording_without_a_field_to_tell_it_in_is_alarmed_and_done(
    rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.base.tables[0] = conversations_table(without=("recording_status",))
    rig.table = conversations(server, rig.clock)
    assert rig.run(record(call(1, backupStorageUsed=True))) == []
    assert metrics(capsys.readouterr().out) == [("recording_failed", 1, "backup_storage")]
    assert [kind for _, kind in asked(server)].count("list") == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(outcome=Outcome.STATUS, status=429), "airtable_throttled"),
        (Fault(outcome=Outcome.STATUS, status=500), "airtable_unavailable"),
        (Fault(outcome=Outcome.HALF), "airtable_unavailable"),
        (Fault(outcome=Outcome.CLOSE), "airtable_unavailable"),
        (Fault(outcome=Outcome.STATUS, status=403), "airtable_refused"),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_what_airtable_cannot_take_now_waits(  # noqa: PLR0917
    rig: Rig,
    server: AirtableServer,
    capsys: pytest.CaptureFixture[str],
    fault: Fault,
    reason: str,
    method: str,
) -> None:
    for number in (1, 2):
        server.seed({"room_name": f"room {number}"}, created=START)
    rig.table.fields()
    server.faults.add(Fault(outcome=fault.outcome, status=fault.status, methods=frozenset({method})))
    batch = [record(rig.call(number), f"m{number}") for number in (1, 2)]
    assert rig.run(*batch) == ["m1", "m2"]
    assert rig.sqs.delays == [("receipt-m1", 30), ("receipt-m2", 30)]
    assert metrics(capsys.readouterr().out) == [("waiting", 2, reason)]
    rig.clock.now += 30
    assert rig.run(*batch) == []


def test_a_write_whose_answer_is_lost_is_written_again(rig: Rig, server: AirtableServer) -> None:
    conversation = server.seed({"room_name": "room 1"}, created=START)
    rig.table.fields()
    server.faults.add(Fault(outcome=Outcome.CLOSE, applied=True, methods=frozenset({"PATCH"})))
    assert rig.run(record(rig.call(1))) == ["m1"]
    assert rig.run(record(call(1), count=2)) == []
    assert rig.link(conversation).egress_id == "EG_1"


def test_a_formula_that_airtable_rejects_fails_alone(rig: Rig, server: AirtableServer) -> None:
    conversation = server.seed({"room_name": "room 2"}, created=START)
    rig.table.fields()
    for _ in range(2):  # the list for both, then the list for the first
        server.faults.add(Fault(outcome=Outcome.STATUS, status=422, methods=frozenset({"GET"})))
    assert rig.run(record(rig.call(1)), record(rig.call(2), "m2")) == []
    assert [sent["MessageAttributes"]["reason"]["StringValue"] for sent in rig.sqs.sent] == ["airtable_rejected"]
    assert rig.link(conversation).egress_id == "EG_2"
    server.faults.add(Fault(outcome=Outcome.STATUS, status=422, methods=frozenset({"GET"})))
    assert rig.run(record(call(2))) == []
    assert len(rig.sqs.sent) == 2


def test_asking_one_by_one_ends_when_airtable_asks_to_wait(rig: Rig, server: AirtableServer) -> None:
    rig.table.fields()
    for status in (422, 429):
        server.faults.add(Fault(outcome=Outcome.STATUS, status=status, methods=frozenset({"GET"})))
    assert rig.run(*[record(rig.call(number), f"m{number}") for number in range(3)]) == ["m0", "m1", "m2"]
    assert len(asked(server)) == 3


@pytest.mark.parametrize("secret", [RuntimeError(SECRET), "{}"])
def test_without_the_secret_all_wait(
    rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str], secret: Any
) -> None:
    rig.secret = secret
    assert rig.run(record(rig.call(1)), record("no json", "m2")) == ["m1", "m2"]
    logged = capsys.readouterr().out
    assert metrics(logged) == [("waiting", 2, "secret_unavailable")]
    assert SECRET not in logged
    assert asked(server) == []


def test_an_unexpected_error_of_one_fails_that_one(
    rig: Rig, server: AirtableServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.seed({"room_name": "room 2"}, created=START)
    real = deliver.check_place

    def fail(made: Any, *place: str) -> None:
        if made.egress_id == "EG_1":
            raise ZeroDivisionError(made.room_name)
        real(made, *place)

    monkeypatch.setattr(deliver, "check_place", fail)
    assert rig.run(record(rig.call(1)), record(rig.call(2), "m2")) == ["m1"]
    logged = capsys.readouterr().out
    assert "ZeroDivisionError" in logged
    assert "room 1" not in logged


def test_an_unexpected_error_of_the_batch_loses_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(writing, "assign", lambda *_: 1 / 0)
    assert rig.run(record(rig.call(1)), record("no json", "m2", group="x")) == ["m1"]
    assert ("waiting", 1, "fault") in metrics(capsys.readouterr().out)


@pytest.mark.parametrize("broken", ["visibility", "visibility-some"])
def test_without_a_delay_of_its_own_a_message_still_comes_again(rig: Rig, broken: str) -> None:
    rig.sqs.broken.add(broken)
    assert rig.run(record(rig.call(1))) == ["m1"]


def test_name_matches_wait_for_late_conversations_when_asked_to(rig: Rig, server: AirtableServer) -> None:
    server.seed({"room_name": "room 1"}, created=START)
    rig.settings = {"settle_seconds": 1000}
    rig.clock.now = END.timestamp() + 100
    assert rig.run(record(rig.call(1))) == ["m1"]
    delay = dict(rig.sqs.delays)["receipt-m1"]
    assert 890 <= delay <= 900
    rig.clock.now += delay + 1
    assert rig.run(record(call(1))) == []


def test_nothing_personal_is_logged(rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str]) -> None:
    number = "+41791234567"
    server.seed({"room_name": number, "patient_name": "A"}, created=START)
    rig.s3.put(f"calls/{number}.mp4", 100)
    good = call(1, roomName=number, fileResults=[{"filename": f"calls/{number}.mp4", "size": "100"}])
    missing = call(2, roomName=number, fileResults=[{"filename": f"calls/{number}-2.mp4", "size": "100"}])
    outside = call(3, roomName=number, fileResults=[{"filename": f"{number}.mp4", "size": "100"}])
    assert rig.run(record(good), record(missing, "m2"), record(outside, "m3")) == ["m2"]
    logged = capsys.readouterr().out
    assert logged
    for private in (number, "791234567", server.token, LINK_KEY, PLAY):
        assert private not in logged
    assert number not in json.dumps([sent["MessageAttributes"] for sent in rig.sqs.sent])


def test_a_fault_that_nobody_foresaw_counts_as_an_error_of_the_function(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Context:
        function_name = "fn"

    monkeypatch.delenv("CALLREC_SECRET_ARN", raising=False)
    deliver.app.cache_clear()
    event = {"Records": [record(rig.call(1)), record("x", "m2")]}
    with pytest.raises(FaultError) as raised:
        deliver.handler(event, Context())
    assert (str(raised.value), raised.value.__suppress_context__) == ("SettingsError:CALLREC_SECRET_ARN", True)
    assert "SettingsError:CALLREC_SECRET_ARN" in capsys.readouterr().out
    monkeypatch.setattr(deliver, "app", lambda: rig.app)
    assert deliver.handler({"Records": [record({"event": "x"})]}, Context()) == {"batchItemFailures": []}


def test_the_app_of_a_process_is_made_of_its_environment(
    monkeypatch: pytest.MonkeyPatch, server: AirtableServer
) -> None:
    settings = deliver_settings(server)
    for name, value in {
        "CALLREC_SECRET_ARN": settings.secret_arn,
        "CALLREC_QUEUE_URL": settings.queue_url,
        "CALLREC_DLQ_URL": settings.dead_letter_url,
        "CALLREC_BUCKET": settings.bucket,
        "CALLREC_PREFIX": settings.prefix,
        "CALLREC_PLAY_URL": settings.play_url,
        "CALLREC_LINK_DAYS": "30",
        "CALLREC_MATCH_WINDOW_SECONDS": "600",
        "CALLREC_AIRTABLE_URL": settings.airtable.url,
        "CALLREC_AIRTABLE_BASE": settings.airtable.base,
        "CALLREC_AIRTABLE_TABLE": settings.airtable.table,
        "CALLREC_AIRTABLE_INTERVAL_MS": "400",
        "CALLREC_AIRTABLE_FIELDS": "{}",
    }.items():
        monkeypatch.setenv(name, value)
    made: list[str] = []

    class Client:
        def get_secret_value(self, **_: Any) -> dict[str, str]:
            return {"SecretString": SECRET_JSON}

    def client(service: str, _config: Any) -> Any:
        made.append(service)
        return Client()

    monkeypatch.setattr(deliver.aws, "client", client)
    deliver.app.cache_clear()
    assert deliver.app().settings == settings
    assert sorted(made) == ["s3", "secretsmanager", "sqs"]
    deliver.app.cache_clear()


# -- several recordings of one room session -------------------------------------------------------------------------


def part(rig: Rig, number: int, seconds: int, *, ended_after: int = 0) -> dict[str, Any]:
    """One of several recordings of the room session RM_1, this many seconds long."""
    rig.s3.put(f"calls/{number}.mp4", 100)
    end = START + timedelta(seconds=seconds)
    return call(
        number,
        roomId="RM_1",
        roomName="room 1",
        endedAt=nanoseconds(end + timedelta(seconds=ended_after)),
        fileResults=[{"filename": f"calls/{number}.mp4", "size": "100", "duration": str(seconds * 10**9)}],
    )


def listed_egresses(rig: Rig, server: AirtableServer, conversation: str) -> list[str]:
    text = server.read(conversation).get("audio_recordings", "")
    assert isinstance(text, str)
    return [Links((LINK_KEY,), rig.clock).read(line.removeprefix(PLAY)).egress_id for line in text.splitlines()]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_of_several_recordings_of_a_call_the_longest_plays_and_all_are_listed(
    rig: Rig, server: AirtableServer, order: tuple[int, ...], *, together: bool
) -> None:
    conversation = server.seed({"room_name": "room 1", "notes": "n"}, created=START)
    seconds = {1: 10, 2: 30, 3: 20}
    batch = [record(part(rig, number, seconds[number]), f"m{number}") for number in order]
    if together:
        assert rig.run(*batch) == []
    else:
        assert [rig.run(item) for item in batch] == [[], [], []]
    assert rig.link(conversation).egress_id == "EG_2"
    assert listed_egresses(rig, server, conversation) == ["EG_1", "EG_3", "EG_2"]
    assert server.read(conversation)["notes"] == "n"
    assert rig.run(*batch) == []
    assert listed_egresses(rig, server, conversation) == ["EG_1", "EG_3", "EG_2"]


def test_a_recording_announced_twice_is_listed_once_with_its_last_end(rig: Rig, server: AirtableServer) -> None:
    conversation = server.seed({"room_name": "room 1"}, created=START)
    late, early = part(rig, 1, 30, ended_after=5), part(rig, 1, 30)
    assert rig.run(record(late), record(early, "m2"), record(part(rig, 2, 10), "m3")) == []
    assert listed_egresses(rig, server, conversation) == ["EG_2", "EG_1"]
    last = server.read(conversation)["audio_recordings"]
    assert isinstance(last, str)
    link = Links((LINK_KEY,), rig.clock).read(last.splitlines()[1].removeprefix(PLAY))
    assert link.ended_at == (START + timedelta(seconds=35)).timestamp()


def test_one_recording_needs_no_list(rig: Rig, server: AirtableServer) -> None:
    conversation = server.seed({"room_name": "room 1"}, created=START)
    assert rig.run(record(rig.call(1)), record(rig.call(1), "m2")) == []
    assert "audio_recordings" not in server.read(conversation)


def test_another_calls_recording_is_never_listed(rig: Rig, server: AirtableServer) -> None:
    other = Links((LINK_KEY,), rig.clock).issue(recording(egress_id="EG_9", room_id="RM_9"), "v", lifetime_s=99)
    conversation = server.seed(
        {"room_name": "room 1", "room_id": "RM_1", "audio_recordings": f"{PLAY}{other}\nhttps://elsewhere.example/x"},
        created=START,
    )
    assert rig.run(record(part(rig, 1, 10)), record(part(rig, 2, 20), "m2")) == []
    assert listed_egresses(rig, server, conversation) == ["EG_1", "EG_2"]


def test_a_link_of_a_key_whose_time_is_over_is_still_known_as_ours(rig: Rig, server: AirtableServer) -> None:
    old = "an old link key of at least 32 bytes"
    rig.secret = json.dumps(json.loads(str(rig.secret)) | {"link_keys": [old, LINK_KEY], "link_keys_until": 0})
    longer = Links((old,), rig.clock).issue(recording(egress_id="EG_2", duration_s=30.0), "v", lifetime_s=99)
    cells = {"room_name": "room 1", "room_id": "RM_1", "audio_recording_url": f"{PLAY}{longer}"}
    conversation = server.seed(cells, created=START)
    assert rig.run(record(part(rig, 1, 10))) == []
    assert server.read(conversation)["audio_recording_url"] == f"{PLAY}{longer}"
    listed = str(server.read(conversation)["audio_recordings"]).splitlines()
    assert [Links((old, LINK_KEY)).read(line.removeprefix(PLAY)).egress_id for line in listed] == ["EG_1", "EG_2"]


def test_a_field_of_one_line_holds_no_list(rig: Rig, server: AirtableServer) -> None:
    table = conversations_table(extra=(field_of("audio_recordings", "singleLineText"),))
    with AirtableServer(tables=[table]) as narrow:
        narrow.rate_limit.enabled = False
        other = Rig(narrow)
        conversation = narrow.seed({"room_name": "room 1"}, created=START)
        assert other.run(record(part(other, 1, 10)), record(part(other, 2, 20), "m2")) == []
        assert other.link(conversation).egress_id == "EG_2"
        assert "audio_recordings" not in narrow.read(conversation)


def test_each_message_has_its_verdict_in_the_log(
    rig: Rig, server: AirtableServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.seed({"room_name": "room 1"}, created=START)
    batch = [record(rig.call(1), "m1"), record(rig.call(2), "m2"), record("x", "m3", group="g")]
    assert rig.run(*batch) == ["m2"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    verdicts = [
        (line["message"], line["outcome"], line.get("reason")) for line in lines if line.get("event") == "verdict"
    ]
    assert verdicts == [("m1", "done", None), ("m2", "waiting", "no_conversation"), ("m3", "dead", "bad_message")]


# -- time ------------------------------------------------------------------------------------------------------------


def test_what_there_is_no_time_for_comes_again(rig: Rig, server: AirtableServer) -> None:
    """Airtable refuses the list and then takes long for each: what is not reached waits, and nothing is lost."""
    for number in (1, 2, 3):
        server.seed({"room_name": f"room {number}"}, created=START)
    rig.table.fields()
    server.faults.add(Fault(outcome=Outcome.STATUS, status=422))
    batch = [record(rig.call(number), f"m{number}") for number in (1, 2, 3)]
    left = iter([30.0, 10.0, 10.0])
    answer = deliver.deliver(
        [deliver.Message.from_record(one) for one in batch], rig.app, "fn", deliver.Deadline(lambda: next(left, 10.0))
    )
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m2", "m3"]
    assert rig.sqs.delays == [("receipt-m2", 30), ("receipt-m3", 30)]
    assert rig.run(*batch[1:]) == []


def test_the_place_at_airtable_is_kept_until_the_next_may_take_it(rig: Rig, server: AirtableServer) -> None:
    server.seed({"room_name": "room 1"}, created=START)
    assert rig.run(record(rig.call(1))) == []
    since = rig.clock.now
    rig.table.airtable.rest()
    assert rig.clock.now == since


# -- probes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hours", "again"), [("callrec-verify-1", 7, []), ("callrec-verify-1", 1, ["m1"]), ("room 1", 7, ["m1"])]
)
def test_a_probe_that_was_removed_is_not_waited_for(rig: Rig, name: str, hours: int, again: list[str]) -> None:
    """Its conversation is gone, and in the end its file too."""
    sent = NOW - hours * 3600
    assert rig.run(record(rig.call(1, roomName=name), count=9, sent=sent)) == again
    lost = call(2, roomName=name, fileResults=[{"filename": "calls/lost.mp4", "size": "7"}])
    assert rig.run(record(lost, count=9, sent=sent)) == again
    assert rig.sqs.sent == []
