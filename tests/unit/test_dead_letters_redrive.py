"""`callrec redrive`: what it sends, what it says became of it, and its exit codes."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from scripts.cli import app
from scripts.context import Context
from scripts.dead_letters import fate, redrive
from scripts.interruption import Interrupted
from scripts.readme import README
from tests.unit.dead_letters_support import ended
from tests.unit.test_dead_letters_fate import line
from tests.unit.test_dead_letters_resend import Queues
from tests.unit.verify_support import FakeAws, FakeClient, deployment, refusal


class Bench:
    """Both queues with three letters, deliver's log, and the command as the CLI mounts it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *verdicts: dict[str, Any]) -> None:
        self.queues = Queues()
        self.queues.dead.add(ended("camille", "EG_1"), reason="no_conversation")
        self.queues.dead.add(ended("camille", "EG_2"), reason="wrong_key")
        self.queues.dead.add(ended("bob", "EG_3"), reason="no_conversation", age=60)
        self.logs = FakeClient(filter_log_events={"events": list(verdicts)})
        sqs: Any = self.queues
        aws = FakeAws(clients={"sqs": sqs, "logs": self.logs})
        monkeypatch.setattr(Context, "deployment", lambda _: deployment(aws, dead_letter_queue_url="dead"))
        monkeypatch.setattr(fate, "FIRST_PAUSE", 0.01)

    def run(self, *arguments: str) -> Any:
        alone = typer.Typer()

        @alone.callback()
        def common(ctx: typer.Context) -> None:
            ctx.obj = Context(stack="unit", console=Console(stderr=True, highlight=False))

        alone.command()(redrive.redrive)
        return CliRunner().invoke(alone, ["redrive", *arguments])

    @property
    def left(self) -> list[str]:
        return list(self.queues.dead.messages)


DELIVERED = tuple(line(f"copy-{number}", "done") for number in range(3))


def test_all_delivered_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, *DELIVERED)
    done = bench.run()
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[1].split()[:2] == ["delivered", "no_conversation"]
    assert lines[-1] == "3 sent back: 3 delivered; 0 not chosen"
    assert bench.left == []
    assert bench.queues.live.bodies() == [ended("camille", "EG_1"), ended("camille", "EG_2"), ended("bob", "EG_3")]
    assert "43123" not in done.output


def test_only_the_reasons_chosen_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, *DELIVERED)
    done = bench.run("--reason", "wrong_key", "--reason", "ambiguous")
    assert done.exit_code == 0
    assert "1 sent back: 1 delivered; 2 not chosen" in done.stdout
    assert bench.left == ["0", "2"]
    assert bench.queues.dead.held == []


def test_nothing_to_send_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    done = bench.run("--reason", "ambiguous")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == ["nothing to send back; 3 not chosen"]
    assert bench.logs.calls == []


def test_a_dry_run_shows_what_would_be_sent_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    done = bench.run("--dry-run", "--reason", "no_conversation")
    assert done.exit_code == 0
    assert done.stdout.count("would be sent  no_conversation") == 2
    assert "2 would be sent back, 1 not chosen. Nothing was changed" in done.stdout
    assert (bench.left, bench.queues.dead.held, bench.queues.live.messages) == (["0", "1", "2"], [], {})
    document = json.loads(bench.run("--dry-run", "--json").stdout)
    assert (document["ok"], document["dryRun"], document["sent"]) == (True, True, 0)
    assert {row["outcome"] for row in document["letters"]} == {"would_be_sent"}


def test_what_waits_or_dies_again_is_told_with_its_new_reason_and_what_mends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verdicts = (line("copy-0", "waiting", "ambiguous"), line("copy-1", "dead", "wrong_key"))
    bench = Bench(monkeypatch, *verdicts)
    done = bench.run("--wait", "1")
    assert done.exit_code == 1
    rows = [row for row in done.stdout.splitlines() if "egress_ended" in row]
    assert any(row.startswith("waiting") and "ambiguous" in row and "EG_1" in row for row in rows)
    assert any(row.startswith("given up again") and "wrong_key" in row and "EG_2" in row for row in rows)
    assert any(row.startswith("sent") and "no_conversation" in row and "EG_3" in row for row in rows)
    assert "3 sent back: 1 waiting (ambiguous), 1 given up again (wrong_key), 1 not tried yet; 0 not" in done.stdout
    assert "What waits is tried again by itself for a day" in done.stdout
    assert "ambiguous: several conversations fit" in done.stdout
    assert "wrong_key: the recording's path is not under recordingsPrefix" in done.stdout
    assert "Of some there is no verdict yet" in done.stdout


def test_json_tells_each_letter_with_its_message_and_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, line("copy-0", "done"), line("copy-1", "dead", "wrong_key"))
    done = bench.run("--json", "--wait", "1")
    document = json.loads(done.stdout)
    assert done.exit_code == 1
    letters = document.pop("letters")
    assert document == {
        "stack": "unit",
        "ok": False,
        "dryRun": False,
        "sent": 3,
        "notChosen": 0,
        "notSeen": 0,
        "sentButStillThere": 0,
        "stopped": None,
        "unwatched": None,
    }
    told = {row["egressId"]: (row["reason"], row["messageId"], row["outcome"], row["outcomeReason"]) for row in letters}
    assert told == {
        "EG_1": ("no_conversation", "copy-0", "delivered", None),
        "EG_2": ("wrong_key", "copy-1", "dead", "wrong_key"),
        "EG_3": ("no_conversation", "copy-2", "unknown", None),
    }


def test_without_waiting_what_was_sent_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    done = bench.run("--wait", "0")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "3 sent back; 0 not chosen"
    assert bench.logs.calls == []


def test_what_died_again_before_the_end_is_told_also_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.queues.dead.page = 1
    dead = bench.queues.dead

    def die(body: str) -> None:
        if "EG_2" in body:
            dead.add(body, reason="wrong_key", deduplication="copy-1")

    bench.queues.after_send = die
    done = bench.run("--wait", "0")
    assert done.exit_code == 1
    assert "1 of them were given up again already. See: callrec dlq --stack unit" in done.stdout


def test_an_unknown_reason_names_those_there_are_and_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    done = bench.run("--reason", "wrong_keys", "--json")
    assert done.exit_code == 2
    assert "no_conversation, out_of_time, receives_exhausted" in done.stderr
    assert json.loads(done.stdout)["ok"] is False
    assert bench.queues.dead.calls == []


def test_letters_that_could_not_be_had_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, *DELIVERED)
    bench.queues.dead.held = ["2"]  # somebody else reads it
    done = bench.run()
    assert done.exit_code == 1
    assert "1 more may lie there" in done.stdout
    assert json.loads(bench.run("--json").stdout)["notSeen"] == 1


def test_a_refusal_in_the_middle_is_told_and_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, *DELIVERED)

    def refuse(body: str) -> None:
        if "EG_3" in body:
            raise refusal("OverLimit", "SendMessage")

    bench.queues.before_send = refuse
    done = bench.run()
    assert done.exit_code == 1
    assert "2 sent back; 0 not chosen" in done.stdout
    assert "stopped early (AWS refused SendMessage (OverLimit))" in done.stdout
    assert bench.left == ["2"]
    assert bench.logs.calls == []


def test_a_letter_that_stays_after_sending_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, *DELIVERED)
    bench.queues.dead.answers["delete_message_batch"] = refusal("AccessDenied", "DeleteMessageBatch")
    done = bench.run("--reason", "wrong_key")
    assert done.exit_code == 1
    assert "1 were sent but could not be deleted" in done.stdout


def test_a_refusal_before_anything_was_sent_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.queues.dead.answers["receive_message"] = refusal("AccessDenied", "ReceiveMessage")
    done = bench.run()
    assert done.exit_code == 2
    assert "AWS refused ReceiveMessage (AccessDenied). README.md lists the rights" in done.stderr


def test_a_log_that_may_not_be_read_leaves_what_became_of_them_open(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.logs.answers["filter_log_events"] = refusal("AccessDeniedException", "FilterLogEvents")
    done = bench.run()
    assert done.exit_code == 1
    assert "not watched to the end (AWS refused FilterLogEvents (AccessDeniedException)" in done.stdout
    assert bench.left == []


def test_interrupted_while_watching_it_still_says_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, line("copy-0", "done"))

    def interrupted(_: float) -> None:
        raise Interrupted("SIGINT")

    monkeypatch.setattr(redrive, "Watch", partial(fate.Watch, wait=interrupted))
    done = bench.run()
    assert done.exit_code == 1
    assert "3 sent back: 1 delivered, 2 not tried yet" in done.stdout
    assert "not watched to the end (interrupted)" in done.stdout


def test_it_can_be_run_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["redrive", "--stack", "prod", "--reason", "fault"])
    monkeypatch.setattr(redrive, "guarded", lambda context, *_, **__: {"prod": 7}[context.stack])
    with pytest.raises(SystemExit) as ended_with:
        redrive.main()
    assert ended_with.value.code == 7


@pytest.mark.parametrize("command", ["dlq", "redrive"])
def test_the_readme_names_every_option(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    options = set(re.findall(r"^│ (--[a-z-]+)", shown.output, re.MULTILINE)) - {"--help"}
    assert "--json" in options
    chapter = README.read_text().partition("### What could not be delivered\n")[2].partition("\n## ")[0]
    for option in options:
        assert f"`{option}" in chapter, option
