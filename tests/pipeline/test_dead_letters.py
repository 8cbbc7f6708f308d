"""`callrec dlq` and `callrec redrive` on the local stack: what died is told, mended, sent back, and never lost."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from scripts.aws_access import AwsAccess, Key
from scripts.context import Context
from scripts.dead_letters import redrive as redriving
from scripts.dead_letters.dlq import dlq
from scripts.dead_letters.redrive import redrive
from scripts.deployment import Deployment
from scripts.local import stack
from scripts.readme import README
from scripts.verify.probe import Probe
from scripts.verify.signing import egress_ended
from tests.pipeline.calls import announce, cells, depth, drained, upload, wait_for
from tests.pipeline.conftest import Local

pytestmark = pytest.mark.pipeline

ROOT = Path(__file__).resolve().parents[2]
CONTENT = b"a recording"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened(Context):
    """A context whose stack is open already: asking the engine each time takes seconds."""

    opened: Deployment

    def deployment(self) -> Deployment:
        return self.opened


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The operator's commands on the shared stack, and its two queues."""

    local: Local
    sqs: Any

    def run(self, *arguments: str, aws: AwsAccess | None = None) -> tuple[int, dict[str, Any]]:
        """Exit code and JSON document; with `aws` as somebody else."""
        app = typer.Typer()
        deployment = self.local.deployment if aws is None else replace(self.local.deployment, aws=aws)

        @app.callback()
        def common(ctx: typer.Context) -> None:
            ctx.obj = Opened(stack="local", console=Console(stderr=True), opened=deployment)

        app.command()(dlq)
        app.command()(redrive)
        done = CliRunner().invoke(app, [*arguments, "--json", "--stack", "local"])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, json.loads(done.stdout)

    @property
    def dead(self) -> str:
        return self.local.deployment.outputs.dead_letter_queue_url

    def bury(self, bodies: dict[str, str], reason: str | None) -> None:
        """Put letters there as `deliver` does; `bodies` by group."""
        attributes = {} if reason is None else {"reason": {"DataType": "String", "StringValue": reason}}
        entries = [
            {
                "Id": str(number % 10),
                "MessageBody": body,
                "MessageGroupId": group,
                "MessageDeduplicationId": secrets.token_hex(8),
                "MessageAttributes": attributes,
            }
            for number, (group, body) in enumerate(bodies.items())
        ]
        for start in range(0, len(entries), 10):
            answer = self.sqs.send_message_batch(QueueUrl=self.dead, Entries=entries[start : start + 10])
            assert not answer.get("Failed")

    def visible(self) -> int:
        names = ["ApproximateNumberOfMessages"]
        return int(self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=names)["Attributes"][names[0]])

    def verdicts(self, since: float) -> list[dict[str, Any]]:
        """What `deliver` logged as verdicts."""
        deployment = self.local.deployment
        found = deployment.aws.client("logs").filter_log_events(
            logGroupName=deployment.outputs.log_groups["deliver"],
            startTime=int(since * 1000),
            filterPattern='"verdict"',
        )
        lines = [json.loads(event.get("message", "")) for event in found.get("events", [])]
        return [line for line in lines if line.get("event") == "verdict"]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of the reused room `camille` that was recorded a minute ago."""

    room_id: str
    egress_id: str
    body: str
    started: datetime

    @classmethod
    def of(cls, local: Local, *, key: str | None = None) -> Call:
        """The file is uploaded, unless `key` says that it went somewhere else."""
        run = secrets.token_hex(6)
        own = key or f"{stack.PREFIX}dead-letters/{run}.mp4"
        if key is None:
            upload(local, own, CONTENT)
        probe = replace(
            Probe.new(stack.PREFIX),
            room="camille",
            room_id=f"RM_{run}",
            egress_id=f"EG_{run}",
            key=own,
            content=CONTENT,
        )
        ended = datetime.now(UTC)
        started = ended - timedelta(seconds=60)
        body = egress_ended(probe, stack.BUCKET, started, ended).decode()
        return cls(room_id=probe.room_id, egress_id=probe.egress_id, body=body, started=started)

    def conversation(self, local: Local) -> str:
        return local.airtable.seed(
            {"room_name": "camille", "room_id": self.room_id, "started_at": self.started.isoformat()}
        )


@pytest.fixture
def desk(local: Local) -> Iterator[Desk]:
    """With both queues empty before and after."""
    found = Desk(local=local, sqs=local.deployment.aws.client("sqs"))
    assert depth(local, found.dead) == 0
    yield found
    found.sqs.purge_queue(QueueUrl=found.dead)
    wait_for(lambda: drained(local), "an empty queue")


def test_an_empty_queue_is_told_as_one(desk: Desk) -> None:
    assert desk.run("dlq")[0] == 0
    code, document = desk.run("redrive")
    assert (code, document["sent"], document["letters"]) == (0, 0, [])


def test_a_letter_is_listed_mended_sent_back_and_delivered_and_the_others_stay(desk: Desk) -> None:
    call, other = Call.of(desk.local), Call.of(desk.local)
    desk.bury({call.room_id: call.body}, "no_conversation")
    desk.bury({other.room_id: other.body}, "ambiguous")
    desk.bury({"RM_nothing": "no event at all"}, None)

    code, document = desk.run("dlq")
    assert (code, document["complete"], document["count"]) == (1, True, 3)
    rows = {letter["reason"]: letter for letter in document["letters"]}
    assert set(rows) == {"no_conversation", "ambiguous", "receives_exhausted"}
    shown = rows["no_conversation"]
    assert (shown["event"], shown["roomName"]) == ("egress_ended", "camille")
    assert (shown["egressId"], shown["roomId"]) == (call.egress_id, call.room_id)
    assert "calls/" not in json.dumps(document)

    code, document = desk.run("redrive", "--dry-run", "--reason", "no_conversation")
    assert (code, len(document["letters"]), document["notChosen"]) == (0, 1, 2)
    assert desk.visible() == 3

    record = call.conversation(desk.local)
    code, document = desk.run("redrive", "--reason", "no_conversation", "--wait", "120")
    assert [letter["outcome"] for letter in document["letters"]] == ["delivered"]
    assert (code, document["sent"], document["notChosen"]) == (0, 1, 2)
    assert cells(desk.local, record, "audio_recording_url")["egress_id"] == call.egress_id
    assert desk.visible() == 2


def test_a_poison_letter_dies_of_its_reason_and_dies_again(desk: Desk) -> None:
    call = Call.of(desk.local, key="elsewhere/call.mp4")
    assert announce(desk.local, call.body.encode()).status_code == 200
    wait_for(lambda: depth(desk.local, desk.dead), "a dead letter")
    [first] = desk.run("dlq")[1]["letters"]
    assert (first["reason"], first["egressId"]) == ("wrong_key", call.egress_id)
    assert first["detail"] == "the recording lies outside the recordings' prefix"

    code, document = desk.run("redrive", "--wait", "120")
    [told] = document["letters"]
    assert (code, told["outcome"], told["outcomeReason"]) == (1, "dead", "wrong_key")
    [again] = desk.run("dlq")[1]["letters"]
    assert again["id"] != first["id"]
    assert again["egressId"] == call.egress_id


def test_what_still_lacks_something_waits_and_is_delivered_once_it_is_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, began = Call.of(desk.local), time.time()
    desk.bury({call.room_id: call.body}, "no_conversation")

    tried = [False]

    def clock() -> float:
        """Its time is over when it has read the log once more since `deliver` tried, however long that takes."""
        over = tried[-1]
        tried.append(any(line.get("reason") == "no_conversation" for line in desk.verdicts(began)))
        return time.monotonic() + (3600 if over else 0)

    monkeypatch.setattr(redriving, "Watch", partial(redriving.Watch, clock=clock))
    code, document = desk.run("redrive", "--wait", "300")
    [told] = document["letters"]
    assert (code, told["outcome"], told["outcomeReason"]) == (1, "waiting", "no_conversation")
    record = call.conversation(desk.local)
    assert cells(desk.local, record, "audio_recording_url")["egress_id"] == call.egress_id


def test_more_than_a_thousand_are_listed_completely_and_stay_as_they_are(desk: Desk) -> None:
    desk.bury({f"RM_{number}": f'{{"event": "room_finished", "n": {number}}}' for number in range(1_200)}, "fault")
    code, document = desk.run("dlq")
    assert (code, document["complete"], len(document["letters"])) == (1, True, 1_200)
    assert len({letter["id"] for letter in document["letters"]}) == 1_200
    assert desk.visible() == 1_200


# Each command in a process of its own: it may be killed, or interrupted as by Ctrl-C.
PROGRAM = """
    import os, signal, sys, time
    from pathlib import Path
    import typer
    from scripts.context import Context
    from scripts.dead_letters import queue, resend
    from scripts.dead_letters.redrive import redrive
    from scripts.local import stack
    from scripts.local.engine.find import find
    from scripts.local.services import Services

    services = Services.load(Path(sys.argv.pop(1)))
    if sys.argv.pop(1) == "kill":
        resend.SENDING_SECONDS = 2
        queue.Hold.delete = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    else:  # 40 s for all 800 letters: however busy the machine is, the signal finds it sending
        copy = resend.Redrive._copy
        resend.Redrive._copy = lambda *given: time.sleep(0.05) or copy(*given)
    app = typer.Typer()
    app.command()(redrive)
    app(obj=Context(stack="local", local={"local": lambda: stack.handle(services, find(print))}))
"""


@contextmanager
def process(local: Local, folder: Path, what: str) -> Generator[subprocess.Popen[str]]:
    """`callrec redrive --json --wait 0`; `kill` ends it between sending and deleting."""
    file = folder / "services.json"
    local.services.save(file)
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(file), what, "--json", "--wait", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def test_killed_between_sending_and_deleting_it_is_delivered_once(desk: Desk, tmp_path: Path) -> None:
    call, began = Call.of(desk.local), time.time()
    record = call.conversation(desk.local)
    desk.bury({call.room_id: call.body}, "no_conversation")
    with process(desk.local, tmp_path, "kill") as killed:
        assert killed.wait(300) == -signal.SIGKILL
    assert depth(desk.local, desk.dead) == 1
    wait_for(desk.visible, "the letter, hidden while it was sent")
    code, document = desk.run("redrive", "--wait", "120")
    [told] = document["letters"]
    assert (code, told["outcome"]) == (0, "delivered")
    assert depth(desk.local, desk.dead) == 0
    assert "audio_recording_url" in cells(desk.local, record, "audio_recording_url")
    done = [line["message"] for line in desk.verdicts(began) if line["outcome"] == "done"]
    assert done == [told["messageId"]]


def test_interrupted_each_letter_lies_in_exactly_one_queue(desk: Desk, tmp_path: Path) -> None:
    functions, outputs = desk.local.deployment.aws.client("lambda"), desk.local.deployment.outputs
    bodies = {f"RM_{number}": f'{{"event": "room_finished", "n": {number}}}' for number in range(800)}
    desk.bury(bodies, "fault")
    functions.update_event_source_mapping(UUID=outputs.deliver_mapping, Enabled=False)
    try:
        with process(desk.local, tmp_path, "interrupt") as running:
            wait_for(lambda: depth(desk.local, outputs.queue_url) >= 10, "some letters sent")
            running.send_signal(signal.SIGINT)
            said = running.communicate(timeout=300)[0]
        document = json.loads(said)
        assert (running.returncode, document["stopped"]) == (1, "interrupted")
        live, dead = depth(desk.local, outputs.queue_url), desk.visible()
        assert live == document["sent"]
        assert (live + dead, dead > 0) == (len(bodies), True)
    finally:
        functions.update_event_source_mapping(UUID=outputs.deliver_mapping, Enabled=True)
    wait_for(lambda: drained(desk.local), "an empty queue")


DLQ_RIGHTS = ("sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility")
REDRIVE_RIGHTS = (*DLQ_RIGHTS, "sqs:DeleteMessage", "sqs:SendMessage", "logs:FilterLogEvents")


@contextmanager
def operator(desk: Desk, rights: tuple[str, ...]) -> Generator[AwsAccess]:
    """Somebody who may do only this, each on the very queue or log group that README.md says."""
    aws, outputs = desk.local.deployment.aws, desk.local.deployment.outputs
    iam: Any = aws.client("iam")

    def arn(url: str) -> str:
        return desk.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    group = outputs.log_groups["deliver"]
    [log] = [
        one["arn"].removesuffix(":*")
        for one in aws.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        if one.get("logGroupName") == group
    ]
    places: dict[str, Any] = {"sqs:SendMessage": arn(outputs.queue_url), "logs:FilterLogEvents": [log, f"{log}:*"]}
    statements = [
        {"Effect": "Allow", "Action": right, "Resource": places.get(right, arn(outputs.dead_letter_queue_url))}
        for right in rights
    ]
    name = f"operator-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    try:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        yield replace(aws, key=Key(access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"]))
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="only")
    finally:
        iam.delete_user(UserName=name)


def test_the_rights_that_the_readme_names_are_enough(desk: Desk) -> None:
    text = " ".join(README.read_text().split())
    for right in REDRIVE_RIGHTS:
        assert f"`{right}`" in text
    call = Call.of(desk.local)
    call.conversation(desk.local)
    desk.bury({call.room_id: call.body}, "no_conversation")
    with operator(desk, DLQ_RIGHTS) as aws:
        assert desk.run("dlq", aws=aws)[0] == 1
    with operator(desk, REDRIVE_RIGHTS) as aws:
        code, document = desk.run("redrive", "--wait", "120", aws=aws)
    assert (code, document["letters"][0]["outcome"]) == (0, "delivered")


@pytest.mark.parametrize("missing", REDRIVE_RIGHTS)
def test_without_any_of_them_it_says_so_and_loses_nothing(desk: Desk, missing: str) -> None:
    call = Call.of(desk.local)
    record = call.conversation(desk.local)
    desk.bury({call.room_id: call.body}, "no_conversation")
    desk.bury({"RM_other": "no event"}, "fault")
    rights = tuple(right for right in REDRIVE_RIGHTS if right != missing)
    with operator(desk, rights) as aws:
        code, document = desk.run("redrive", "--reason", "no_conversation", "--wait", "120", aws=aws)
    assert code in (1, 2)
    assert missing.partition(":")[2] in json.dumps(document)
    if document.get("sent"):
        cells(desk.local, record, "audio_recording_url")
    else:
        assert (code, depth(desk.local, desk.dead)) == (2, 2)
