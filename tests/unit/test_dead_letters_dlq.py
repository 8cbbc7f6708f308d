"""`callrec dlq`: everything that lies there, nothing of what it says, and the queue as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import typer
from botocore.exceptions import EndpointConnectionError
from pulumi.automation import CommandError, CommandResult
from rich.console import Console
from typer.testing import CliRunner

from scripts.context import Context
from scripts.dead_letters import dlq, listing
from scripts.dead_letters.listing import read
from scripts.errors import NoStackError
from scripts.interruption import Interrupted
from tests.unit.dead_letters_support import DAY, FakeQueue, ended
from tests.unit.verify_support import FakeAws, deployment, refusal


def invoke(
    queue: FakeQueue, monkeypatch: pytest.MonkeyPatch, *arguments: str, opening: BaseException | None = None
) -> Any:
    def opened(_: Context) -> Any:
        if opening is not None:
            raise opening
        return deployment(FakeAws(clients={"sqs": queue}))

    monkeypatch.setattr(Context, "deployment", opened)
    app = typer.Typer()

    @app.callback()
    def common(ctx: typer.Context) -> None:
        ctx.obj = Context(stack="unit", console=Console(stderr=True, highlight=False))

    app.command()(dlq.dlq)
    return CliRunner().invoke(app, ["dlq", *arguments])


def filled() -> FakeQueue:
    queue = FakeQueue()
    queue.add(ended("camille", "EG_1", "RM_1"), reason="ambiguous", age=120)
    queue.add(ended("camille", "EG_2", "RM_2"), reason="no_conversation", age=3 * DAY + 60)
    queue.add(ended("bob", "EG_3", "RM_3"), reason="ambiguous", age=7_260)
    queue.add("no json", reason=None, age=60)
    return queue


def test_an_empty_queue_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(FakeQueue(), monkeypatch)
    assert done.exit_code == 0
    assert done.stdout == "nothing lies there: everything was delivered, or waits in the queue\n"


def test_letters_are_listed_by_reason_and_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = filled()
    done = invoke(queue, monkeypatch)
    assert done.exit_code == 1
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["reason", "age", "event", "egress", "id", "room", "room", "id", "happened", "(UTC)"]
    assert [row[0] for row in rows[1:5]] == ["ambiguous", "ambiguous", "no_conversation", "receives_exhausted"]
    assert rows[1][1:] == ["2", "h", "1", "min", "egress_ended", "EG_3", "bob", "RM_3", "2026-11-24", "00:00:46"]
    assert rows[2][5:8] == ["egress_ended", "EG_1", "camille"]
    assert rows[4][5:] == ["-"] * 5
    assert queue.held == []
    assert len(queue.messages) == 4


def test_each_reason_is_counted_and_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = invoke(filled(), monkeypatch).stdout.splitlines()
    assert any(line.split()[:2] == ["2", "ambiguous"] and "several conversations fit" in line for line in lines)
    assert any(line.split()[:2] == ["1", "receives_exhausted"] and "Mend: deliver's log" in line for line in lines)
    assert "4 given up, the oldest 3 d 0 h ago: SQS deletes it for ever in 10 d 23 h" in lines
    assert "Send them back: callrec redrive --stack unit [--reason CODE]" in lines


def test_nothing_of_a_body_but_the_calls_name_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in ((), ("--json",)):
        done = invoke(filled(), monkeypatch, *arguments)
        assert "43123" not in done.output
        assert "no json" not in done.output


def test_a_room_name_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(FakeQueue(ended("\x1b[2J[red]evil\x07")), monkeypatch)
    assert "\ufffd[2J[red]evil\ufffd" in done.stdout
    assert "\x1b" not in done.stdout


def test_json_alone_is_on_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(invoke(filled(), monkeypatch, "--json").stdout)
    assert {name: document[name] for name in ("stack", "ok", "count", "complete", "retentionSeconds")} == {
        "stack": "unit",
        "ok": False,
        "count": 4,
        "complete": True,
        "retentionSeconds": 14 * DAY,
    }
    assert [(row["reason"], row["count"]) for row in document["reasons"]] == [
        ("ambiguous", 2),
        ("no_conversation", 1),
        ("receives_exhausted", 1),
    ]
    assert document["letters"][2] == {
        "id": "1",
        "reason": "no_conversation",
        "detail": None,
        "givenUpAt": document["letters"][2]["givenUpAt"],
        "ageSeconds": 3 * DAY + 60,
        "event": "egress_ended",
        "egressId": "EG_2",
        "roomName": "camille",
        "roomId": "RM_2",
        "happenedAt": "2026-11-24T00:00:46+00:00",
    }


def test_json_of_an_empty_queue_is_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(invoke(FakeQueue(), monkeypatch, "--json").stdout)
    assert (document["ok"], document["letters"], document["complete"]) == (True, [], True)


def test_thousands_are_read_completely_and_all_put_back() -> None:
    queue = FakeQueue(*[ended(str(number)) for number in range(2_345)], page=3)
    said: list[str] = []
    fake: Any = queue
    found = read(fake, "url", said.append)
    assert found.complete
    assert len({letter.id for letter in found.letters}) == 2_345
    assert queue.held == []
    assert "2345 of about 2345 read" in said
    assert set(queue.holds) == {listing.HOLD_SECONDS}


def test_what_stands_behind_ten_of_its_room_is_told_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = FakeQueue()
    for _ in range(13):
        queue.add(ended("camille"), group="RM_1")
    done = invoke(queue, monkeypatch)
    assert "10 given up" in done.stdout
    assert "There may be more: SQS counts 13" in done.stdout
    document = json.loads(invoke(queue, monkeypatch, "--json").stdout)
    assert (document["complete"], document["count"], len(document["letters"])) == (False, 13, 10)


def test_letters_that_somebody_else_reads_are_not_taken_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = FakeQueue(ended("camille"))
    queue.held = ["0"]
    done = invoke(queue, monkeypatch)
    assert done.exit_code == 1
    assert "SQS counts 1" in done.stdout
    assert json.loads(invoke(queue, monkeypatch, "--json").stdout)["ok"] is False


def test_reading_ends_though_the_queue_does_not() -> None:
    queue = FakeQueue(*[ended(str(number)) for number in range(50)], page=1)
    ticks = iter(range(0, 10_000, 100))
    fake: Any = queue
    found = read(fake, "url", lambda _: None, lambda: next(ticks))
    assert found.cut_short
    assert len(found.letters) == listing.LONGEST_SECONDS // 100 + 1
    assert queue.held == []


def test_an_interruption_puts_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = filled()
    queue.page = 1
    interrupt_at(queue, 3)
    done = invoke(queue, monkeypatch)
    assert done.exit_code == 2
    assert "dlq: interrupted. No letter is lost" in done.stderr
    assert queue.held == []


def interrupt_at(queue: FakeQueue, number: int) -> None:
    receive: Callable[..., Any] = queue.answers["receive_message"]

    def interrupted(**call: Any) -> Any:
        if len(queue.called("receive_message")) == number:
            raise Interrupted("SIGINT")
        return receive(**call)

    queue.answers["receive_message"] = interrupted


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoStackError("there is no stack 'x'"), "there is no stack 'x'"),
        (CommandError(CommandResult("", "error: incorrect passphrase", 255)), "incorrect passphrase"),
    ],
)
def test_a_stack_that_cannot_be_opened_exits_with_2(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = invoke(FakeQueue(), monkeypatch, "--json", opening=error)
    assert done.exit_code == 2
    assert words in json.loads(done.stdout)["error"]
    assert words in done.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal("AccessDenied", "ReceiveMessage"), "AWS refused ReceiveMessage (AccessDenied)"),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS did not answer (EndpointConnectionError)"),
    ],
)
def test_what_aws_refuses_exits_with_2(error: Exception, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = filled()
    queue.answers["receive_message"] = error
    done = invoke(queue, monkeypatch)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "a text that may quote" not in done.output


def test_it_can_be_run_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["dlq", "--stack", "prod"])
    monkeypatch.setattr(dlq, "guarded", lambda context, *_, **__: {"prod": 7}[context.stack])
    with pytest.raises(SystemExit) as ended_with:
        dlq.main()
    assert ended_with.value.code == 7
