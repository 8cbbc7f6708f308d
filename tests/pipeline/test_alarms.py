"""Each alarm of a deployed stack is made to ring, by what the deployed functions really count.

The local AWS makes no metrics of the functions' lines, and evaluates alarms without their dimensions. So whether an
alarm rings is reckoned here from the alarm as deployed and the lines as they are in the log (tests/alarm_state.py);
then the same values are published as CloudWatch would, and the alarm rings for real: its mail comes out of the topic.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from infra.alarm_rules import BAD_LINKS_AN_HOUR, FAILURES, FORGERIES_AN_HOUR
from infra.package import ROOT
from infra.watched import CALLREC
from scripts.dashboard.emf import Datapoint, datapoints
from scripts.dashboard.readings import LOGS, Page, read
from scripts.dashboard.span import HOUR, Span
from scripts.local.livekit_standin.faults import Fault, Outcome
from tests.alarm_state import is_about, rings
from tests.pipeline.calls import announce, cells, depth, drained, upload, wait_for
from tests.pipeline.conftest import Local

pytestmark = pytest.mark.pipeline

EVENTS = ROOT / "tests" / "events"
#: Published as AWS would, since the local one has no such metric: the name, and how it is seen that it would count.
AWS_ONLY = {"Url5xxCount", "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}
RESET = "put back by the tests"


@dataclass(frozen=True, kw_only=True)
class Troubles:
    """What came of everything that went wrong at once."""

    points: Sequence[Datapoint]
    page: Page
    alarms: Mapping[str, Mapping[str, Any]]

    def alarm(self, name: str) -> Mapping[str, Any]:
        return self.alarms[f"callrec-local-{name}"]


@pytest.fixture(scope="module")
def troubles(local: Local) -> Iterator[Troubles]:
    began = time.time()
    known = set(local.livekit.recorder._known)
    forgeries(local)
    bad_links(local)
    failed_recording(local)
    crash(local)
    throttled(local)
    late(local)
    lost_webhook_and_dead_recorder(local)
    reconcile_refused(local)
    points = [point for line in lines(local, began) for point in datapoints(line)]
    page = read(local.deployment, Span.of(HOUR, time.time()))
    cloudwatch: Any = local.deployment.aws.client("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmNames=list(local.deployment.outputs.alarms))["MetricAlarms"]
    yield Troubles(points=points, page=page, alarms={alarm["AlarmName"]: alarm for alarm in alarms})
    for egress in set(local.livekit.recorder._known) - known:
        del local.livekit.recorder._known[egress]
    for name in local.deployment.outputs.alarms:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason=RESET)
    assert depth(local, local.deployment.outputs.dead_letter_queue_url) == 0


def lines(local: Local, since: float) -> list[str]:
    logs, groups = local.deployment.aws.client("logs"), local.deployment.outputs.log_groups
    return [
        event.get("message", "")
        for group in groups.values()
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
        for event in page["events"]
    ]


def forgeries(local: Local) -> None:
    body = (EVENTS / "room_started.json").read_bytes()
    for _ in range(FORGERIES_AN_HOUR):
        assert announce(local, body, Authorization="forged").status_code == 401


def bad_links(local: Local) -> None:
    for number in range(BAD_LINKS_AN_HOUR):
        url = f"{local.deployment.outputs.play_url}/r/guess-{number}"
        assert requests.get(url, verify=local.services.ca_bundle, timeout=30).status_code == 403


def failed_recording(local: Local) -> None:
    body, name = json.loads((EVENTS / "egress_ended.failed.auth3.json").read_bytes()), secrets.token_hex(6)
    body["egressInfo"] |= {"roomName": f"failed-{name}", "roomId": f"RM_{name}", "egressId": f"EG_{name}"}
    body["id"] = f"EV_{name}"
    started = datetime.fromtimestamp(int(body["egressInfo"]["startedAt"]) / 1e9, UTC)
    record = local.airtable.seed({"room_name": f"failed-{name}", "started_at": started.isoformat()})
    assert announce(local, json.dumps(body).encode()).status_code == 200
    cells(local, record, "recording_status")
    wait_for(lambda: drained(local), "an empty queue")


def crash(local: Local) -> None:
    """An event that Lambda would never send makes `deliver` crash."""
    answer: Any = local.deployment.aws.client("lambda").invoke(
        FunctionName=local.deployment.outputs.functions["deliver"], Payload=b"{}"
    )
    assert answer["FunctionError"]


def throttled(local: Local) -> None:
    functions, name = local.deployment.aws.client("lambda"), local.deployment.outputs.functions["receive"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        assert announce(local, b"{}").status_code in (429, 502, 503)
    finally:
        functions.delete_function_concurrency(FunctionName=name)


def late(local: Local) -> None:
    """A message that lies in the queue for 20 minutes already, and whose conversation is still missing."""
    body, name = json.loads((EVENTS / "egress_ended.json").read_bytes()), secrets.token_hex(6)
    key = f"calls/late-{name}.mp4"
    upload(local, key, b"a recording")
    body["egressInfo"] |= {"roomName": f"late-{name}", "roomId": f"RM_{name}", "egressId": f"EG_{name}"}
    for file in body["egressInfo"]["fileResults"]:
        file |= {"filename": key, "size": "11"}
    attributes = {
        "ApproximateReceiveCount": "6",
        "SentTimestamp": str(int((time.time() - 20 * 60) * 1000)),
        "MessageGroupId": f"RM_{name}",
    }
    record = {"messageId": name, "receiptHandle": "none", "body": json.dumps(body), "attributes": attributes}
    answer: Any = local.deployment.aws.client("lambda").invoke(
        FunctionName=local.deployment.outputs.functions["deliver"], Payload=json.dumps({"Records": [record]})
    )
    assert json.loads(answer["Payload"].read()) == {"batchItemFailures": [{"itemIdentifier": name}]}


def lost_webhook_and_dead_recorder(local: Local) -> None:
    name, now = secrets.token_hex(6), datetime.now(UTC)
    event = json.loads((EVENTS / "egress_ended.json").read_bytes())["egressInfo"]
    started, ended = _ns(now - timedelta(minutes=30)), _ns(now - timedelta(minutes=25))
    event |= {"egressId": f"EG_{name}", "roomId": f"RM_{name}", "roomName": f"lost-{name}"}
    event |= {"startedAt": started, "endedAt": ended, "updatedAt": ended}
    for file in event["fileResults"]:
        file |= {"filename": f"calls/lost-{name}.mp4", "size": "11", "startedAt": started, "endedAt": ended}
    upload(local, f"calls/lost-{name}.mp4", b"a recording")
    at = (now - timedelta(minutes=30)).isoformat()
    lost = local.airtable.seed({"room_name": f"lost-{name}", "started_at": at})
    local.livekit.add_egress(json.dumps(event))

    stuck = event | {"egressId": f"EG_s{name}", "roomId": f"RM_s{name}", "roomName": f"stuck-{name}"}
    stuck |= {"status": "EGRESS_ACTIVE", "fileResults": []}
    del stuck["endedAt"], stuck["file"]
    told = local.airtable.seed({"room_name": f"stuck-{name}", "started_at": at})
    local.livekit.add_egress(json.dumps(stuck), dead=True)
    answer = reconcile(local)
    assert [one["enqueued"] for one in answer["missing"] if one["egress"] == f"EG_{name}"] == [True]
    assert [one["enqueued"] for one in answer["stuck"] if one["egress"] == f"EG_s{name}"] == [True]
    cells(local, lost, "audio_recording_url")
    cells(local, told, "recording_status")
    wait_for(lambda: drained(local), "an empty queue")


def reconcile_refused(local: Local) -> None:
    for _ in range(FAILURES):
        local.livekit.faults.add(Fault(outcome=Outcome.STATUS, status=503, times=None))
        try:
            assert reconcile(local)["problems"]
        finally:
            local.livekit.faults.clear()


def reconcile(local: Local) -> dict[str, Any]:
    answer: Any = local.deployment.aws.client("lambda").invoke(
        FunctionName=local.deployment.outputs.functions["reconcile"],
        Payload=json.dumps({"by_hand": True, "since_seconds": HOUR}),
    )
    return json.loads(answer["Payload"].read())


def _ns(moment: datetime) -> str:
    return str(int(moment.timestamp() * 10**6) * 1000)


COUNTED = {
    "signature-failures": FORGERIES_AN_HOUR,
    "links-guessed": BAD_LINKS_AN_HOUR,
    "recording-failed": 1,
    "delivery-late": 1,
    "egress-stuck": 1,
    "reconcile-repaired": 1,
    "reconcile-problems": FAILURES,
}


@pytest.mark.parametrize("name", COUNTED)
def test_it_rings_by_what_the_functions_counted_and_not_by_less(troubles: Troubles, name: str) -> None:
    alarm, now = troubles.alarm(name), time.time()
    mine = [point for point in troubles.points if is_about(alarm, point)]
    others = [point for point in troubles.points if not is_about(alarm, point)]
    assert sum(point.value for point in mine) >= COUNTED[name]
    at_once = [replace(point, at=now) for point in mine]  # the test may straddle two periods
    assert rings(alarm, troubles.points, now) or rings(alarm, at_once, now)
    assert not rings(alarm, [*at_once[: int(alarm["Threshold"]) - 1], *others], now)
    assert not rings(alarm, at_once, now + 2 * alarm["Period"])


def test_silence_of_reconcile_rings_after_an_hour_and_one_run_ends_it(troubles: Troubles) -> None:
    alarm, now = troubles.alarm("reconcile-late"), time.time()
    runs = [point for point in troubles.points if is_about(alarm, point)]
    assert len(runs) == 1 + FAILURES
    assert not rings(alarm, runs, now)
    assert not rings(alarm, runs, now + 3 * 900)
    assert rings(alarm, runs, now + HOUR + 900)
    assert rings(alarm, [], now)


def test_dimensions_tell_of_nobody(troubles: Troubles, local: Local) -> None:
    functions = set(local.deployment.outputs.functions.values())
    ours = [point for point in troubles.points if point.namespace == CALLREC]
    assert len({point.name for point in ours}) > 6
    for point in ours:
        assert point.dimensions.keys() <= {"function", "reason"}
        assert point.dimensions["function"] in functions
        assert re.fullmatch(r"[a-z_]+", point.dimensions.get("reason", "none"))


def test_the_same_figures_are_in_the_terminal(troubles: Troubles) -> None:
    assert troubles.page.source == LOGS
    whole = {
        (one.figure.id, line.series.label): line.whole or 0 for one in troubles.page.figures for line in one.readings
    }
    assert whole["door", "not signed by LiveKit"] >= FORGERIES_AN_HOUR
    assert whole["failures", "never ended"] >= 1
    assert whole["reconcile", "repaired"] >= 2
    assert whole["errors", "deliver"] >= 1
    assert whole["door", "receive throttled"] >= 1


@pytest.fixture
def mails(local: Local) -> Iterator[Any]:
    """A queue that hears the topic as a mailbox does; a function that returns what came, by alarm and state."""
    sqs, sns = local.deployment.aws.client("sqs"), local.deployment.aws.client("sns")
    url = sqs.create_queue(QueueName=f"mailbox-{secrets.token_hex(4)}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = local.deployment.outputs.alarm_topic_arn
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    statement |= {"Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    told = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)["SubscriptionArn"]
    came: dict[str, dict[str, Any]] = {}

    def look() -> dict[str, dict[str, Any]]:
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                mail = json.loads(json.loads(message["Body"])["Message"])
                came[f"{mail['AlarmName']} {mail['NewStateValue']}"] = mail
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return came

    yield look
    sns.unsubscribe(SubscriptionArn=told)
    sqs.delete_queue(QueueUrl=url)


def test_every_alarm_sends_its_mail(local: Local, troubles: Troubles, mails: Any) -> None:
    cloudwatch: Any = local.deployment.aws.client("cloudwatch")
    names = list(local.deployment.outputs.alarms)
    for name in names:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason=RESET)
    for point in [*troubles.points, *_aws_only(troubles)]:
        dimensions = [{"Name": name, "Value": value} for name, value in point.dimensions.items()]
        datum = {"MetricName": point.name, "Dimensions": dimensions, "Value": point.value, "Unit": "Count"}
        cloudwatch.put_metric_data(Namespace=point.namespace, MetricData=[datum])
    # Neither is evaluated by the local AWS: silence, and what this stack, which begins no recordings, cannot miss
    # (tests/pipeline/test_recording_starts.py has one that can). Their way to the mailbox is tried all the same.
    for name in ("callrec-local-reconcile-late", "callrec-local-start-missed"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by the test")
    wanted = {f"{name} ALARM" for name in names}
    missing: set[str] = set()

    def told() -> bool:
        missing.clear()
        missing.update(wanted - mails().keys())
        return not missing

    try:
        wait_for(told, "a mail of each alarm")
    finally:
        assert missing == set()
    for name in names:
        description = mails()[f"{name} ALARM"]["AlarmDescription"]
        assert " Do: " in description
        assert "--stack local" in description or "aws logs tail" in description or "raise it" in description


def _aws_only(troubles: Troubles) -> list[Datapoint]:
    """What AWS would publish by itself of each alarm about a metric that the local one does not have."""
    alarms = [alarm for alarm in troubles.alarms.values() if alarm["MetricName"] in AWS_ONLY]
    assert len(alarms) == 4
    return [
        Datapoint(
            namespace=alarm["Namespace"],
            name=alarm["MetricName"],
            dimensions={pair["Name"]: pair["Value"] for pair in alarm["Dimensions"]},
            at=time.time(),
            value=alarm["Threshold"],
        )
        for alarm in alarms
    ]


def test_the_alarms_are_about_these_queues_and_functions(local: Local, troubles: Troubles) -> None:
    outputs = local.deployment.outputs
    queues = {outputs.queue_url.rpartition("/")[2], outputs.dead_letter_queue_url.rpartition("/")[2]}
    named = {pair["Value"] for alarm in troubles.alarms.values() for pair in alarm["Dimensions"]}
    assert named - {"bad"} == queues | set(outputs.functions.values())
    assert all(alarm["AlarmActions"] == [outputs.alarm_topic_arn] for alarm in troubles.alarms.values())


def test_the_topic_takes_nothing_in_the_clear(local: Local) -> None:
    attributes: Any = local.deployment.aws.client("sns").get_topic_attributes(
        TopicArn=local.deployment.outputs.alarm_topic_arn
    )
    statements = json.loads(attributes["Attributes"]["Policy"])["Statement"]
    assert {one["Sid"]: one["Effect"] for one in statements} == {"AllowAlarms": "Allow", "DenyPlainHttp": "Deny"}
