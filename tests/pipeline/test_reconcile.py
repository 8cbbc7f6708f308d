"""`reconcile` as deployed: the bucket tells its queue, the clock sets it off, and by hand it finds what got lost."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError
from rich.console import Console
from typer.testing import CliRunner

from infra.package import ROOT
from scripts.context import Context
from scripts.local import stack
from scripts.reconcile.command import reconcile
from tests.pipeline.calls import cells, upload, wait_for
from tests.pipeline.conftest import Local

pytestmark = pytest.mark.pipeline

BODY = (ROOT / "tests" / "events" / "egress_ended.json").read_bytes()
RECORDING = (ROOT / "tests" / "recordings" / "call1.mp4").read_bytes()


def call(local: Local, *arguments: str) -> Any:
    """`callrec reconcile` on the local stack."""
    app = typer.Typer()
    handle = stack.handle(local.services, local.engine)

    @app.callback()
    def common(ctx: typer.Context) -> None:
        console = Console(file=io.StringIO(), highlight=False)
        ctx.obj = Context(stack="local", console=console, local={"local": lambda: handle})

    app.command()(reconcile)
    return CliRunner().invoke(app, ["reconcile", "--stack", "local", "--json", *arguments])


def missing(done: Any, egress: str) -> list[bool]:
    """Whether this egress was found missing, and if so, whether it was put on the queue."""
    return [item["enqueued"] for item in json.loads(done.stdout)["missing"] if item["egress"] == egress]


def announced(local: Local, key: str) -> Callable[[], Any]:
    """What the queue of arrivals says of a key; everything stays in it."""
    sqs, url = local.deployment.aws.client("sqs"), local.deployment.outputs.arrivals_queue_url

    def look() -> Any:
        messages: list[Any] = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30).get("Messages"):
            messages += found  # other tests' arrivals lie there too
        for message in messages:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
        bodies = [json.loads(message["Body"]) for message in messages]
        records = [record for body in bodies for record in body.get("Records", [])]
        return next((record for record in records if record["s3"]["object"]["key"] == key), None)

    return look


def test_the_bucket_tells_the_queue_of_what_arrives_under_the_prefix(local: Local) -> None:
    name = secrets.token_hex(8)
    s3, bucket = local.deployment.aws.client("s3"), local.deployment.outputs.bucket
    s3.put_object(Bucket=bucket, Key=f"elsewhere/{name}", Body=b"x")
    version = upload(local, f"calls/{name} +1.mp4", b"a recording")
    told = wait_for(announced(local, f"calls/{name}+%2B1.mp4"), "the announcement")
    assert told["s3"]["bucket"]["name"] == bucket
    assert told["s3"]["object"]["versionId"] == version
    assert told["s3"]["object"]["size"] == len(b"a recording")
    assert announced(local, f"elsewhere/{name}")() is None
    s3.delete_object(Bucket=bucket, Key=f"calls/{name} +1.mp4", VersionId=version)
    s3.delete_object(Bucket=bucket, Key=f"elsewhere/{name}")


def test_no_other_bucket_can_tell_it_anything(local: Local) -> None:
    aws, outputs = local.deployment.aws, local.deployment.outputs
    attributes: Any = aws.client("sqs").get_queue_attributes(
        QueueUrl=outputs.arrivals_queue_url, AttributeNames=["QueueArn"]
    )
    queue = {"QueueArn": attributes["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
    told: Any = {"QueueConfigurations": [queue]}
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="a-stranger")
    try:
        with pytest.raises(ClientError, match="InvalidArgument"):
            s3.put_bucket_notification_configuration(Bucket="a-stranger", NotificationConfiguration=told)
    finally:
        s3.delete_bucket(Bucket="a-stranger")


def test_the_clock_sets_it_off(local: Local) -> None:
    """The rule as it was made, but for its pace: a rule goes off when its interval has passed since it was made."""
    aws, name = local.deployment.aws, local.deployment.outputs.functions["reconcile"]
    events, logs, group = aws.client("events"), aws.client("logs"), local.deployment.outputs.log_groups["reconcile"]
    before = events.describe_rule(Name=name)
    assert before.get("ScheduleExpression") == "rate(15 minutes)"
    since = int(datetime.now(UTC).timestamp() * 1000)

    def ran() -> Any:
        found = logs.filter_log_events(logGroupName=group, startTime=since, filterPattern='"reconciled"')
        lines = [json.loads(event.get("message", "{}")) for event in found["events"]]
        return [line for line in lines if line.get("event") == "reconciled" and not line["by_hand"]]

    events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")
    try:
        [line, *_] = wait_for(ran, "a run by the clock", seconds=150)
    finally:
        events.put_rule(Name=name, ScheduleExpression="rate(15 minutes)", Description=before.get("Description", ""))
    assert line["problems"] == ""
    assert line["livekit_requests"] > 0


def test_by_hand_it_finds_a_call_whose_webhook_never_came(local: Local) -> None:
    name, now = secrets.token_hex(6), datetime.now(UTC)
    key = f"calls/lost-{name}.mp4"
    event = json.loads(BODY)
    egress = event["egressInfo"]
    started, ended = now - timedelta(minutes=6), now - timedelta(minutes=5)
    times = {"startedAt": _nanoseconds(started), "endedAt": _nanoseconds(ended), "updatedAt": _nanoseconds(ended)}
    egress |= {"egressId": f"EG_{name}", "roomId": f"RM_{name}", "roomName": f"lost-{name}", **times}
    for file in egress["fileResults"]:
        file |= {
            "filename": key,
            "size": str(len(RECORDING)),
            **{name: times[name] for name in ("startedAt", "endedAt")},
        }
    record = local.airtable.seed({"room_name": f"lost-{name}", "started_at": started.isoformat()})
    upload(local, key, RECORDING)
    local.livekit.add_egress(json.dumps(event))

    looked = call(local, "--since", "1h", "--dry-run")
    assert looked.exit_code == 1, looked.output
    assert missing(looked, f"EG_{name}") == [False]
    assert "audio_recording_url" not in local.airtable.read(record)

    done = call(local, "--since", "1h")
    assert missing(done, f"EG_{name}") == [True]
    assert json.loads(done.stdout)["problems"] == []
    assert cells(local, record, "audio_recording_url")["egress_id"] == f"EG_{name}"

    assert missing(call(local, "--since", "1h"), f"EG_{name}") == []


def _nanoseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 10**6) * 1000)


def test_a_function_that_somebody_stopped_is_named(local: Local) -> None:
    functions, name = local.deployment.aws.client("lambda"), local.deployment.outputs.functions["reconcile"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        done = call(local)
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert done.exit_code == 2
    assert "callrec verify --stack local" in json.loads(done.stdout)["error"]
