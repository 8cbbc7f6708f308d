"""What `reconcile` stands between, for its tests: queues that hide and count, LiveKit over HTTP, arrivals, egresses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from livekit import api

from infra.functions.arrivals import Arrival
from infra.functions.settings import ReconcileSettings
from scripts.local.airtable_server import AirtableServer
from tests.unit.functions_airtable import airtable_settings
from tests.unit.functions_support import END, KEY, SECRET, START, Clock, client_error
from tests.unit.verify_support import Answer, Request

BUCKET, PREFIX = "recordings", "calls/"
ARRIVALS, EVENTS = "https://arrivals", "https://q"
ENDED = {"COMPLETE": 3, "FAILED": 4, "ABORTED": 5, "LIMIT_REACHED": 6}


def reconcile_settings(server: AirtableServer | None = None, **changes: Any) -> ReconcileSettings:
    made: dict[str, Any] = {
        "secret_arn": "arn",
        "queue_url": EVENTS,
        "arrivals_url": ARRIVALS,
        "bucket": BUCKET,
        "prefix": PREFIX,
        "livekit_url": None,
        "lookback_seconds": 7200,
        "interval_seconds": 900,
        "match_window_seconds": 600,
        "settle_seconds": 0,
        "airtable": airtable_settings(server, interval_s=4.4),
    }
    return ReconcileSettings(**(made | changes))


def nanoseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def arrived(number: int, at: datetime = END, **changes: Any) -> Arrival:
    """The object of call `number`."""
    made: dict[str, Any] = {"key": f"calls/{number}.mp4", "version": f"v{number}", "size": 100, "at": at}
    return Arrival(**(made | changes))


def s3_message(*arrivals: Arrival, bucket: str = BUCKET, event: str = "ObjectCreated:Put") -> str:
    """As S3 sends it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": one.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "eventName": event,
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "arrivals",
                "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                "object": {
                    "key": quote_plus(one.key, safe="/"),
                    "size": one.size,
                    "eTag": "e",
                    "versionId": one.version,
                    "sequencer": "0055AED6DCD90281E5",
                },
            },
        }
        for one in arrivals
    ]
    return json.dumps({"Records": records})


def egress(number: int, *, begin: datetime = START, end: datetime = END, **changes: Any) -> api.EgressInfo:
    """Call `number`, recorded well; `status` by name, `bucket`, `file` and `size` may be changed."""
    status = ENDED[changes.pop("status", "COMPLETE")]
    size, file, bucket = changes.pop("size", 100), changes.pop("file", True), changes.pop("bucket", BUCKET)
    results = [api.FileInfo(filename=f"calls/{number}.mp4", size=size, duration=nanoseconds(end) - nanoseconds(begin))]
    made: dict[str, Any] = {
        "egress_id": f"EG_{number}",
        "room_id": f"RM_{number}",
        "room_name": f"room {number}",
        "status": status,
        "started_at": nanoseconds(begin),
        "updated_at": nanoseconds(end),
        "ended_at": nanoseconds(end),
        "file_results": results if file else [],
        "room_composite": composite(bucket),
    }
    return api.EgressInfo(**(made | changes))


def running(number: int, *, begin: datetime = START, seen: datetime | None = None, **changes: Any) -> api.EgressInfo:
    """Call `number`, which LiveKit says is being recorded."""
    made: dict[str, Any] = {
        "egress_id": f"EG_{number}",
        "room_id": f"RM_{number}",
        "room_name": f"room {number}",
        "status": 1,
        "started_at": nanoseconds(begin),
        "updated_at": nanoseconds(seen or begin),
        "file_results": [api.FileInfo(filename=f"calls/{number}.mp4")],
        "room_composite": composite(BUCKET),
    }
    return api.EgressInfo(**(made | changes))


def composite(bucket: str | None) -> api.RoomCompositeEgressRequest:
    """The request, with what no queue should hold."""
    upload = api.S3Upload(bucket=bucket, access_key="access-key", secret="upload-secret", region="us-east-1")
    output = api.EncodedFileOutput(filepath="calls/{room_name}-{time}.mp4")
    if bucket is not None:
        output.s3.CopyFrom(upload)
    return api.RoomCompositeEgressRequest(room_name="room", audio_only=True, file_outputs=[output])


@dataclass
class FakeLiveKit:
    """Answers ListRooms and ListEgress to who may ask; newest page first, oldest first within a page, as Cloud does."""

    rooms: list[str] = field(default_factory=list[str])
    egresses: list[api.EgressInfo] = field(default_factory=list[api.EgressInfo])
    page: int = 100
    failing: dict[str, Answer] = field(default_factory=dict[str, Answer])
    asked: list[str] = field(default_factory=list[str])
    before: Callable[[str], None] = lambda method: None

    def respond(self, request: Request) -> Answer:
        service, method = request.path.removeprefix("/twirp/livekit.").split("/")
        claims = api.TokenVerifier(KEY, SECRET).verify(request.headers["authorization"].removeprefix("Bearer "))
        assert claims.video is not None
        assert claims.video.room_list if service == "RoomService" else claims.video.room_record
        self.asked.append(method)
        self.before(method)
        if method in self.failing:
            return self.failing[method]
        if method == "ListRooms":
            rooms = [api.Room(sid=f"RM_{name}", name=f"room {name}") for name in self.rooms]
            return 200, {}, api.ListRoomsResponse(rooms=rooms).SerializeToString()
        return 200, {}, self._egresses(api.ListEgressRequest.FromString(request.body)).SerializeToString()

    def _egresses(self, request: api.ListEgressRequest) -> api.ListEgressResponse:
        found = sorted(self.egresses, key=lambda info: -info.started_at)
        found = [info for info in found if info.status < 3 or not request.active]
        begin = int(request.page_token.token or 0)
        end = begin + self.page
        answer = api.ListEgressResponse(items=found[begin:end][::-1])
        if end < len(found):
            answer.next_page_token.token = str(end)
        return answer


def twirp_error(status: int, code: str) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps({"code": code, "msg": "no"}).encode()


class FakeQueues:
    """The arrivals' queue, which hides what it gives, and the events' queue, which drops what it had 5 minutes ago."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waiting: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.broken: set[str] = set()
        self.refused: set[str] = set()
        self._given = 0

    def put(self, *bodies: str) -> None:
        self.waiting += [{"body": body, "from": 0.0, "receipt": "", "count": 0} for body in bodies]

    def arrive(self, arrivals: Iterable[Arrival]) -> None:
        self.put(*map(s3_message, arrivals))

    def visible(self) -> int:
        return sum(message["from"] <= self.clock.now for message in self.waiting)

    def bodies(self) -> list[dict[str, Any]]:
        """The events on the queue."""
        return [json.loads(entry["MessageBody"]) for entry in self.sent]

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self._ask("receive", request, ARRIVALS)
        assert request["WaitTimeSeconds"] > 0
        found = [message for message in self.waiting if message["from"] <= self.clock.now]
        found = found[: request["MaxNumberOfMessages"]]
        for message in found:
            self._given += 1
            message |= {"from": self.clock.now + request["VisibilityTimeout"], "receipt": f"r{self._given}"}
            message["count"] += 1
        given = [{"MessageId": "m", "ReceiptHandle": one["receipt"], "Body": one["body"]} for one in found]
        return {"Messages": given} if given else {}

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        self._ask("delete", request, ARRIVALS)
        gone = {entry["ReceiptHandle"] for entry in request["Entries"]}
        self.waiting = [message for message in self.waiting if message["receipt"] not in gone]
        return {"Successful": [], "Failed": []}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        self._ask("give_back", request, ARRIVALS)
        until = {entry["ReceiptHandle"]: self.clock.now + entry["VisibilityTimeout"] for entry in request["Entries"]}
        for message in self.waiting:
            message["from"] = until.get(message["receipt"], message["from"])
        return {"Successful": [], "Failed": []}

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        self._ask("send", request, EVENTS)
        failed: list[dict[str, Any]] = []
        known = {entry["MessageDeduplicationId"] for entry in self.sent if self.clock.now - entry["at"] < 300}
        for entry in request["Entries"]:
            assert len(entry["MessageDeduplicationId"]) <= 128
            if json.loads(entry["MessageBody"])["egressInfo"]["egressId"] in self.refused:
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            elif entry["MessageDeduplicationId"] not in known:
                self.sent.append(entry | {"at": self.clock.now})
        return {"Successful": [], "Failed": failed}

    def _ask(self, name: str, request: dict[str, Any], url: str) -> None:
        assert request["QueueUrl"] == url
        entries = request.get("Entries", [None])
        assert 1 <= len(entries) <= 10
        assert len({entry["Id"] for entry in entries if entry}) == len([entry for entry in entries if entry])
        self.requests.append(name)
        if name in self.broken:
            raise client_error("ServiceUnavailable")
