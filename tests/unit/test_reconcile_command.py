"""`callrec reconcile`: what it prints where, and its exit codes."""

from __future__ import annotations

import ast
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import infra.functions
from scripts.context import Context
from scripts.deployment import Deployment
from scripts.errors import NoStackError
from scripts.interruption import Interrupted
from scripts.reconcile import command, progress, report
from scripts.reconcile.answer import Answer
from scripts.reconcile.problems import PROBLEMS, SKIPPED, explained
from tests.unit.reconcile_support import MISSING, STUCK, UNWANTED, WITHOUT, Reply, answer, stack
from tests.unit.verify_support import refusal


def invoke(monkeypatch: pytest.MonkeyPatch, reply: Reply | Exception, *arguments: str, **context: Any) -> Any:
    """Run the command as the CLI mounts it; `reply` is what the function says, or why there is no stack."""

    def deployment(_: Context) -> Deployment:
        if isinstance(reply, BaseException):
            raise reply
        return stack(reply)[0]

    monkeypatch.setattr(Context, "deployment", deployment)
    app = typer.Typer()

    @app.callback()
    def common(ctx: typer.Context) -> None:
        ctx.obj = Context(stack="unit", console=Console(stderr=True, highlight=False), **context)

    app.command()(command.reconcile)
    return CliRunner().invoke(app, ["reconcile", *arguments])


def said(**changes: Any) -> Reply:
    return lambda _: answer(**changes)


def test_nothing_to_do_is_exit_0_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(monkeypatch, said())
    assert done.exit_code == 0
    assert "nothing is left to do; requests: 3 airtable, 2 livekit" in done.stdout
    assert re.search(r"3 +recordings +a conversation tells of them", done.stdout)
    assert re.search(r"0 +conversations +their recording is nowhere", done.stdout)
    assert "looking at the last 1d" in done.stderr
    assert "looking" not in done.stdout


def test_what_was_put_on_the_queue_is_listed_and_is_exit_0(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(monkeypatch, said(missing=[MISSING], counts={"enqueued": 1}))
    assert done.exit_code == 0
    assert re.search(r"EG_lost +camille +2026-11-24 09:00:00 +EGRESS_COMPLETE +yes", done.stdout)
    assert re.search(r"1 +recordings +put on the queue again, for deliver", done.stdout)
    assert "callrec dlq" in done.stdout


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stuck": [STUCK]}, r"EG_stuck +camille .* EGRESS_FAILED"),
        ({"unwanted": [UNWANTED]}, r"calls/x y.mp4 +v1 +1234 +2026-11-24 09:00:00"),
        ({"without_recording": [WITHOUT]}, r"rec1 +2026-11-24 08:00:00"),
        ({"missing": [MISSING | {"enqueued": False}]}, r"EG_lost .* no"),
        ({"problems": ["out_of_time"]}, r"problem out_of_time: not all .* Mend: .*shorter --since"),
        ({"problems": ["new_code"]}, r"problem new_code: .* update callrec"),
    ],
)
def test_what_is_left_is_listed_and_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], words: str
) -> None:
    done = invoke(monkeypatch, said(**changes))
    assert done.exit_code == 1
    assert re.search(words, done.stdout)
    assert "something is left to look at" in done.stdout


def test_a_dry_run_says_so_and_tells_what_is_missing_by_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def reply(call: dict[str, Any]) -> Any:
        asked.append(call)
        return answer(missing=[MISSING | {"enqueued": False}])

    done = invoke(monkeypatch, reply, "--dry-run", "--since", "90m")
    assert done.exit_code == 1
    assert asked == [{"by_hand": True, "since_seconds": 5400, "until_seconds": 0, "dry_run": True}]
    assert "dry run: nothing was put on the queue" in done.stdout
    assert "deliver now looks" not in done.stdout
    assert invoke(monkeypatch, said(), "--dry-run").exit_code == 0


def test_days_are_runs_of_their_own_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(monkeypatch, said(unwanted=[UNWANTED]), "--since", "3d")
    assert [line for line in done.stderr.splitlines() if "day" in line] == [f"day {day} of 3 …" for day in (1, 2, 3)]
    assert done.stdout.count("calls/x y.mp4") == 1
    assert re.search(r"9 +recordings +a conversation tells", done.stdout)


def test_json_is_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"missing": [MISSING], "without_recording": [WITHOUT], "problems": ["airtable_throttled"]}
    done = invoke(monkeypatch, said(**changes), "--json", "--since", "2h")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert document["stack"] == "unit"
    assert (document["ok"], document["dryRun"], document["sinceSeconds"]) == (False, False, 7200)
    assert document["missing"] == [MISSING]
    assert document["withoutRecording"] == [WITHOUT]
    assert document["stuck"] == document["unwanted"] == []
    assert document["counts"]["missing"] == 1
    assert document["requests"] == {"livekit": 2, "airtable": 3}
    [problem] = document["problems"]
    assert problem["code"] == "airtable_throttled"
    assert problem["mend"]
    assert json.loads(invoke(monkeypatch, said(), "--json", "--dry-run").stdout)["dryRun"] is True


def test_json_asked_for_all_commands_holds_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(invoke(monkeypatch, said(), json=True).stdout)["ok"] is True


@pytest.mark.parametrize(
    ("reply", "arguments", "words"),
    [
        (said(), ["--since", "soon"], "--since: a number and its unit"),
        (lambda _: refusal("ResourceNotFoundException", "Invoke"), [], "there is no function callrec-unit-reconcile"),
        (lambda _: ({"errorType": "X"}, "Unhandled"), [], "callrec-unit-reconcile broke off (X)"),
        (NoStackError("there is no stack 'unit'"), [], "there is no stack"),
        (lambda _: Interrupted("SIGINT"), [], "interrupted. The function ends its run by itself"),
    ],
)
def test_what_cannot_run_is_exit_2_and_one_sentence(
    monkeypatch: pytest.MonkeyPatch, reply: Any, arguments: list[str], words: str
) -> None:
    done = invoke(monkeypatch, reply, *arguments, "--json")
    assert done.exit_code == 2
    assert f"reconcile: {words}" in done.stderr
    assert words in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.output


def test_a_name_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(monkeypatch, said(unwanted=[UNWANTED | {"key": "a\x1b[2Jb [bold]c"}]))
    assert "\x1b" not in done.stdout
    assert "[bold]c" in done.stdout


def test_a_long_list_is_cut_and_says_so() -> None:
    many = [WITHOUT | {"record": f"rec{number}"} for number in range(report.MOST_SHOWN + 5)]
    console = Console(file=io.StringIO(), width=160)
    report.show(Answer.of(answer(without_recording=many)), console, dry_run=False)
    shown: Any = console.file
    assert "… and 5 more" in shown.getvalue()
    assert "rec49" in shown.getvalue()
    assert "rec50" not in shown.getvalue()


def test_what_was_not_done_is_said_and_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(monkeypatch, said(skipped=["livekit_not_configured"]))
    assert done.exit_code == 0
    assert "LiveKit was not asked" in done.stdout
    assert "pulumi config set livekitUrl" in done.stdout


def test_a_time_that_is_none_is_shown_as_unknown() -> None:
    console = Console(file=io.StringIO(), width=160)
    report.show(Answer.of(answer(without_recording=[{"record": "rec1", "started": "soon"}])), console, dry_run=False)
    shown: Any = console.file
    assert re.search(r"rec1 +-", shown.getvalue())


def codes(tree: ast.AST) -> Iterator[str]:
    """Every code that a module names as its run's problem, by call, by exception, or beside what it returns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in NAMING:
            yield from _texts(node.args[0])
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and node.value.elts:
            yield from _texts(node.value.elts[-1])


NAMING = ("problem", "LiveKitError", "WaitError", "PermanentError")


def _name(call: ast.expr) -> str:
    return call.attr if isinstance(call, ast.Attribute) else call.id if isinstance(call, ast.Name) else ""


def _texts(node: ast.expr) -> Iterator[str]:
    parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    yield from (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def test_every_problem_that_the_function_names_is_explained() -> None:
    folder = Path(str(infra.functions.__file__)).parent
    known = ("airtable", "arrivals", "conversations", "livekit_list")
    modules = [path for path in folder.glob("*.py") if path.stem in known or ".problem(" in path.read_text()]
    found = {code for path in modules for code in codes(ast.parse(path.read_text()))}
    assert {"secret_unavailable", "livekit_refused", "storage_refused", "airtable_refused", "arrivals_left"} <= found
    assert found <= PROBLEMS.keys()


def test_everything_that_the_function_leaves_out_is_explained() -> None:
    folder = Path(str(infra.functions.__file__)).parent
    sources = "".join(path.read_text() for path in folder.glob("*.py"))
    assert set(re.findall(r"skipped\.append\(\s*\"(\w+)\"", sources)) == SKIPPED.keys()


def test_a_code_of_another_version_is_no_error() -> None:
    assert explained("of_tomorrow").mend == "update callrec"


def test_a_log_hears_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.01)
    console = Console(file=io.StringIO(), width=160)
    text: Any = console.file
    with progress.shown(console, "looking") as say:
        say("day 2 of 3")
        until = time.monotonic() + 60
        while not re.search(r"  day 2 of 3: \d+ s", text.getvalue()):
            assert time.monotonic() < until
            time.sleep(0.01)
    before = text.getvalue()
    time.sleep(0.05)
    assert text.getvalue() == before
    assert before.startswith("looking …\nday 2 of 3 …\n")


def test_a_terminal_sees_the_time_that_passes() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    text: Any = console.file
    with progress.shown(console, "looking") as say:
        say("day [bold]2")
    assert "looking: day [bold]2" in text.getvalue()
    assert "0:00:0" in text.getvalue()
