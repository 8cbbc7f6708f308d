"""`callrec status`: what it shows of LiveKit, the queues and the logs, and what it says where one of them is silent."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit import api
from rich.console import Console

from scripts.deployment import Deployment
from scripts.interruption import Interrupted
from scripts.local.livekit_server import Fault, LiveKitServer, Outcome
from scripts.status.command import status, watched
from scripts.status.log_lines import Log
from scripts.status.snapshot import Observer
from tests.unit.configure_support import access, server
from tests.unit.livekit_support import wait_until
from tests.unit.stack_support import World, world
from tests.unit.verify_support import BUCKET, FakeClient, refusal

DELIVER, RECONCILE = "/aws/lambda/callrec-unit-deliver", "/aws/lambda/callrec-unit-reconcile"
NS = 1_000_000_000


class Logs(FakeClient):
    """CloudWatch's search, as far as it is used: a group, a word, a beginning."""

    def __init__(self, made: float = 0.0) -> None:
        self.lines: list[tuple[str, float, dict[str, Any]]] = []
        super().__init__(
            filter_log_events=self._search,
            describe_log_groups={"logGroups": [{"logGroupName": RECONCILE, "creationTime": int(made * 1000)}]},
        )

    def add(self, group: str, at: float, **fields: Any) -> None:
        self.lines.append((group, at, fields))

    def _search(self, *, logGroupName: str, startTime: int, filterPattern: str) -> Any:  # noqa: N803 -- AWS's names
        word = filterPattern.strip('"')
        found = [
            {"eventId": str(number), "timestamp": int(at * 1000), "message": json.dumps(fields)}
            for number, (group, at, fields) in enumerate(self.lines)
            if group == logGroupName and at * 1000 >= startTime and word in json.dumps(fields)
        ]
        return [{"events": found[:1]}, {"events": found[1:]}]


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with server() as running:
        yield running


@pytest.fixture
def logs() -> Logs:
    return Logs(made=time.time())


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, livekit: LiveKitServer, logs: Logs) -> World:
    made = world(tmp_path, monkeypatch, livekit)
    depths = {
        "https://sqs/events.fifo": {"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1"},
        "https://sqs/events-dlq.fifo": {"ApproximateNumberOfMessages": "0"},
    }
    made.aws.clients |= {
        "logs": logs,
        "sqs": FakeClient(get_queue_attributes=lambda QueueUrl, **_: {"Attributes": depths[QueueUrl]}),  # noqa: N803
    }
    return made


def egress(name: str, status_: Any, bucket: str = BUCKET, **changes: Any) -> api.EgressInfo:
    upload = api.S3Upload(access_key="{access_key}", secret="{secret}", bucket=bucket)
    request = api.RoomCompositeEgressRequest(file_outputs=[api.EncodedFileOutput(s3=upload)])
    values: dict[str, Any] = {
        "egress_id": name,
        "room_id": f"RM_{name}",
        "room_name": f"room-{name}",
        "status": status_,
        "room_composite": request,
        "started_at": time.time_ns() - 90 * NS,
    }
    return api.EgressInfo(**(values | changes))


def ended(name: str, status_: Any, ago: float, *, size: int = 0, code: int = 0, bucket: str = BUCKET) -> api.EgressInfo:
    file = api.FileInfo(filename="calls/x.mp4", size=size, duration=12 * NS)
    return egress(name, status_, bucket, ended_at=time.time_ns() - int(ago * NS), error_code=code, file_results=[file])


COMPLETE, FAILED, ACTIVE = (
    api.EgressStatus.EGRESS_COMPLETE,
    api.EgressStatus.EGRESS_FAILED,
    api.EgressStatus.EGRESS_ACTIVE,
)


def test_what_runs_and_what_ended_with_their_links(stack: World, livekit: LiveKitServer, logs: Logs) -> None:
    livekit.add_egress(egress("EG_run", ACTIVE), dead=True)
    livekit.add_egress(egress("EG_theirs", ACTIVE, "their-bucket"), dead=True)
    livekit.add_egress(ended("EG_1", COMPLETE, 300, size=5_000_000))
    livekit.add_egress(ended("EG_2", COMPLETE, 200, size=1))
    livekit.add_egress(ended("EG_3", FAILED, 100, code=400))
    livekit.add_egress(ended("EG_other", COMPLETE, 50, size=1, bucket="their-bucket"))
    logs.add(DELIVER, time.time() - 290, event="delivered", egress="EG_1", written=True)
    logs.add(DELIVER, time.time() - 90, event="delivered", egress="EG_3", written=True)
    document = stack.run(status, "--json").document
    [running] = document["recording"]
    assert (running["egressId"], running["roomName"], running["status"]) == ("EG_run", "room-EG_run", "ACTIVE")
    assert 90 <= running["ageSeconds"] < 120
    rows = [(row["egressId"], row["status"], row["link"]) for row in document["recorded"]]
    assert rows == [("EG_3", "FAILED", "told"), ("EG_2", "COMPLETE", "not yet"), ("EG_1", "COMPLETE", "written")]
    assert (document["recorded"][0]["errorCode"], document["recorded"][2]["sizeBytes"]) == (400, 5_000_000)
    assert document["recorded"][2]["durationSeconds"] == 12
    said = stack.run(status).said
    assert all(word in said for word in ("room-EG_run", "FAILED 400", "5.0 MB", "not yet", "written"))
    assert re.search(r"\b1 min [3-5]\d s\b", said)  # the machine may take its time


def test_so_many_of_the_last(stack: World, livekit: LiveKitServer) -> None:
    for number in range(5):
        livekit.add_egress(ended(f"EG_{number}", COMPLETE, 100 - number, size=1))
    rows = stack.run(status, "--json", "--last", "2").document["recorded"]
    assert [row["egressId"] for row in rows] == ["EG_4", "EG_3"]


def test_what_waits_is_told_with_reasons_and_the_age_of_the_oldest(stack: World, logs: Logs) -> None:
    now = time.time()
    for ago, message, outcome, reason in (
        (7200, "m1", "waiting", "no_conversation"),
        (600, "m1", "waiting", "no_conversation"),
        (500, "m2", "waiting", "ambiguous"),
        (400, "m3", "waiting", "no_conversation"),
        (300, "m3", "done", None),
        (3000, "m4", "waiting", "no_conversation"),  # whose next verdict is overdue: it is not there any more
    ):
        logs.add(DELIVER, now - ago, event="verdict", message=message, outcome=outcome, reason=reason)
    document = stack.run(status, "--json").document
    assert document["waiting"]["reasons"] == {"no_conversation": 1, "ambiguous": 1}
    assert 7200 <= document["waiting"]["oldestSecondsAtLeast"] < 7230
    assert document["queue"] == {"waiting": 2, "held": 1}
    assert "not done yet: 1 ambiguous, 1 no_conversation; the oldest for 2 h 0 min at least" in stack.run(status).said


def test_the_last_reconcile(stack: World, logs: Logs) -> None:
    logs.add(RECONCILE, time.time() - 3000, event="reconciled", dry_run=False, problems="", missing=9)
    logs.add(RECONCILE, time.time() - 120, event="reconciled", dry_run=False, problems="", missing=1, enqueued=1)
    logs.add(RECONCILE, time.time() - 10, event="reconciled", dry_run=True, problems="", missing=7)
    done = stack.run(status, "--json")
    found = done.document["reconcile"]
    assert (done.code, found["counts"], found["overdue"]) == (0, {"missing": 1, "enqueued": 1}, False)
    assert 120 <= found["ageSeconds"] < 150
    assert re.search(r"reconcile: 2 min \d+ s ago; 1 missing, 1 enqueued", stack.run(status).said)


@pytest.mark.parametrize(("ago", "overdue"), [(60 * 30, False), (60 * 45, True)])
def test_a_reconcile_that_is_overdue_needs_a_person(stack: World, logs: Logs, *, ago: float, overdue: bool) -> None:
    logs.add(RECONCILE, time.time() - ago, event="reconciled", dry_run=False, problems="")
    done = stack.run(status, "--json")
    assert (done.code, done.document["reconcile"]["overdue"]) == (int(overdue), overdue)


@pytest.mark.parametrize(("age", "code"), [(60.0, 0), (3600.0, 1)])
def test_one_that_never_ran_is_missed_once_it_should_have(stack: World, age: float, code: int) -> None:
    stack.aws.clients["logs"] = Logs(made=time.time() - age)
    done = stack.run(status)
    assert (done.code, "reconcile: no run within a day" in done.said) == (code, True)


def test_its_problems_need_a_person(stack: World, logs: Logs) -> None:
    logs.add(RECONCILE, time.time() - 60, event="reconciled", dry_run=False, problems="livekit_refused")
    done = stack.run(status)
    assert (done.code, "! reconcile met livekit_refused: callrec reconcile" in done.said) == (1, True)


def test_dead_letters_need_a_person(stack: World) -> None:
    attributes = {"Attributes": {"ApproximateNumberOfMessages": "3"}}
    stack.aws.clients["sqs"] = FakeClient(get_queue_attributes=attributes)
    done = stack.run(status)
    assert (done.code, "! 3 events were given up: callrec dlq --stack unit" in done.said) == (1, True)


def test_a_part_that_is_silent_does_not_hide_the_others(stack: World, livekit: LiveKitServer, logs: Logs) -> None:
    livekit.faults.add(Fault(outcome=Outcome.STATUS, status=401, methods=frozenset({"ListEgress"})))
    logs.answers["filter_log_events"] = refusal("AccessDeniedException", "FilterLogEvents")
    done = stack.run(status, "--json")
    document = done.document
    assert (done.code, document["ok"], document["recording"], document["waiting"]) == (1, False, None, None)
    assert document["queue"] == {"waiting": 2, "held": 1}
    assert any("roomRecord" in line for line in document["attention"])
    assert any("AWS refused FilterLogEvents (AccessDeniedException)" in line for line in document["attention"])
    livekit.add_egress(ended("EG_1", COMPLETE, 300, size=5))
    assert stack.run(status, "--json").document["recorded"][0]["link"] == "unknown"


def test_without_livekit_the_rest_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: World) -> None:
    del stack.config["livekitUrl"]
    done = stack.run(status)
    assert (done.code, "the stack knows no LiveKit" in done.said) == (0, True)


def test_names_cannot_steer_the_terminal(stack: World, livekit: LiveKitServer) -> None:
    livekit.add_egress(egress("EG_run", ACTIVE, room_name="\x1b[2Jcalm"), dead=True)
    assert "\x1b" not in stack.run(status).said


def test_no_secret_is_shown(stack: World, livekit: LiveKitServer) -> None:
    done = stack.run(status, "--json")
    assert livekit.api_secret not in done.said + done.told


def test_a_line_is_read_once_and_one_that_shows_late_is_read_too() -> None:
    logs = Logs()
    logs.add("/g", 100.0, event="delivered", n=1)
    log = Log(logs=logs, group="/g", word="delivered", since=0.0)  # pyright: ignore[reportArgumentType]
    assert [line.fields["n"] for line in log.fresh(now=110.0)] == [1]
    logs.add("/g", 95.0, event="delivered", n=2)
    assert [line.fields["n"] for line in log.fresh(now=120.0)] == [2]
    assert log.fresh(now=130.0) == []
    assert log.since == 70.0


def observer(stack: World) -> Observer:
    return Observer(deployment=Deployment.of(stack.handle()), most=10)


@pytest.mark.parametrize("terminal", [True, False])
def test_watching_shows_what_changes_and_ends_well(stack: World, livekit: LiveKitServer, *, terminal: bool) -> None:
    console = Console(
        force_terminal=terminal, width=160, record=True, highlight=False, no_color=True, file=io.StringIO()
    )
    rounds: list[float] = []

    def wait(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) == 1:
            livekit.add_egress(egress("EG_new", ACTIVE), dead=True)
        if len(rounds) == 3:
            raise Interrupted("SIGINT")

    assert watched(observer(stack), console, wait) == 0
    assert rounds == [5.0, 5.0, 5.0]
    assert "room-EG_new" in console.export_text()


def test_ctrl_c_while_watching_is_an_exit_code_of_zero(stack: World, livekit: LiveKitServer) -> None:
    def interrupt() -> None:
        wait_until(lambda: livekit.journal.count("ListEgress") > 0)  # it looks, and hears signals
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=interrupt)
    pressing.start()
    assert stack.run(status, "--watch").code == 0
    pressing.join()


def test_watching_is_not_for_programs(stack: World) -> None:
    done = stack.run(status, "--watch", "--json")
    assert (done.code, "again and again" in done.told) == (2, True)


def test_airtable_and_the_messages_are_left_alone(stack: World, livekit: LiveKitServer) -> None:
    stack.run(status)
    sqs: Any = stack.aws.clients["sqs"]
    assert {name for name, _ in sqs.calls} == {"get_queue_attributes"}
    assert set(livekit.journal.counts()) == {"ListEgress"}
    assert access(livekit).egresses(active=True) == []
