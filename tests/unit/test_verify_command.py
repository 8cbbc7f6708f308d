"""`callrec verify`: what it prints where, its files, and its exit codes."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import typer
from pulumi.automation import CommandError, CommandResult
from rich.console import Console
from typer.testing import CliRunner

from scripts.context import Context
from scripts.errors import NoStackError
from scripts.interruption import Interrupted
from scripts.verify import command, report
from scripts.verify.hop import Hop, Outcome, Result
from scripts.verify.progress import shown

OK = Result(id="bucket.versioning", title="bucket keeps versions", outcome=Outcome.OK, seen="Enabled", ms=12)
RED = Result(
    id="functions.deliver",
    title="deliver is active",
    outcome=Outcome.FAILED,
    seen="it is <stopped> & \x00 [bold]",
    ms=1500,
    cause="somebody stopped it",
    mend="aws lambda …",
)
GREY = Result(id="livekit.room_record", title="LiveKit", outcome=Outcome.SKIPPED, seen="no livekitUrl", ms=0)


def invoke(monkeypatch: pytest.MonkeyPatch, results: Any, *arguments: str, **context: Any) -> Any:
    """Run the command as the CLI mounts it; `results` is what the run gives, or raises."""

    def run(_: Any, *, on_start: Any, on_result: Any) -> list[Result]:
        if isinstance(results, BaseException):
            raise results
        for result in results:
            on_start(Hop(id=result.id, title=result.title, probe=str))
            on_result(result)
        return results

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(Context, "deployment", lambda _: None)
    app = typer.Typer()

    @app.callback()
    def common(ctx: typer.Context) -> None:
        ctx.obj = Context(stack="unit", console=Console(stderr=True, highlight=False), **context)

    app.command()(command.verify)
    return CliRunner().invoke(app, ["verify", *arguments])


def test_all_green_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(monkeypatch, [OK, GREY])
    assert done.exit_code == 0
    assert "✓  bucket keeps versions" in done.stdout
    assert "1 hold, 0 fail, 1 not tried" in done.stdout
    assert done.stderr.splitlines()[0] == "✓ bucket keeps versions: Enabled"


def test_a_failure_exits_with_1_and_says_why_and_what_next(monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(monkeypatch, [OK, RED])
    assert done.exit_code == 1
    assert "likely: somebody stopped it" in done.stdout
    assert "next:   aws lambda …" in done.stdout
    assert "[bold]" in done.stdout  # what was seen is text, not markup


@pytest.mark.parametrize("way", [("--json",), ()])
def test_json_alone_is_on_stdout(monkeypatch: pytest.MonkeyPatch, way: tuple[str, ...]) -> None:
    done = invoke(monkeypatch, [OK, RED, GREY], *way, json=not way)
    document = json.loads(done.stdout)
    assert done.exit_code == 1
    assert document["stack"] == "unit"
    assert document["ok"] is False
    assert document["counts"] == {"ok": 1, "failed": 1, "skipped": 1, "warning": 0}
    assert [row["outcome"] for row in document["results"]] == ["ok", "failed", "skipped"]
    assert document["results"][0]["cause"] is None
    assert document["results"][1]["next"] == "aws lambda …"


def test_junit_is_xml_that_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "verify.xml"
    assert invoke(monkeypatch, [OK, RED, GREY], "--junit", str(file)).exit_code == 1
    suite = ET.fromstring(file.read_bytes())  # noqa: S314 -- our own
    assert suite.attrib | {"time": ""} == {
        "name": "callrec verify unit",
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
        "time": "",
    }
    assert suite.attrib["time"] == "1.512"
    green, red, grey = list(suite)
    assert green.attrib["classname"] == "callrec.bucket"
    failure = red.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "it is <stopped> & ? [bold]"
    assert "somebody stopped it" in str(failure.text)
    skipped = grey.find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "no livekitUrl"


def test_a_junit_file_that_cannot_be_written_is_said_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "verify.xml"):
        done = invoke(monkeypatch, AssertionError("it ran"), "--junit", str(path))
        assert done.exit_code == 2
        assert "--junit" in done.stderr


def test_a_junit_file_that_vanishes_meanwhile_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "_writable", lambda _: None)
    done = invoke(monkeypatch, [OK], "--junit", str(tmp_path / "gone" / "verify.xml"))
    assert done.exit_code == 2
    assert "could not be written" in done.stderr


ENGINE = CommandError(CommandResult(stdout="", stderr="error: incorrect passphrase\nmore", code=255))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoStackError("there is no stack 'unit'"), "there is no stack"),
        (Interrupted("SIGINT"), "interrupted"),
        (ENGINE, "incorrect passphrase"),
    ],
)
def test_what_could_not_run_exits_with_2(monkeypatch: pytest.MonkeyPatch, error: BaseException, words: str) -> None:
    done = invoke(monkeypatch, error)
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stdout == ""
    document = json.loads(invoke(monkeypatch, error, "--json").stdout)
    assert document["ok"] is False
    assert words in document["error"]


def test_a_terminal_shows_a_spinner_and_keeps_only_failures() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    with shown(console) as progress:
        progress.start(Hop(id="a.b", title="trying", probe=str))
        progress.result(OK)
        progress.result(RED)
    assert "bucket keeps versions" not in screen.getvalue()
    assert "deliver is active" in screen.getvalue()


def test_a_terminal_without_the_signs_gets_words() -> None:
    plain = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert [report.mark(outcome, plain).plain for outcome in Outcome] == ["ok", "FAIL", "-", "warn"]


def test_a_table_on_a_terminal_keeps_to_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        command, "Console", lambda **_: Console(file=screen, force_terminal=True, color_system=None, width=60)
    )
    command.show(Context(stack="unit"), [replace(OK, seen="x" * 200)], as_json=False)
    assert max(map(len, screen.getvalue().splitlines())) <= 60
    assert screen.getvalue().count("x") == 200


def test_it_can_be_run_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["verify", "--stack", "prod", "--json"])
    monkeypatch.setattr(command, "execute", lambda context, **_: {"prod": 7}[context.stack])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 7
