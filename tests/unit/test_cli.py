"""The command line itself: help, version, which stack, and that no error comes as a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pulumi.automation import CommandError, CommandResult
from typer.testing import CliRunner

from scripts import cli, deployment
from scripts.context import Context, choose
from scripts.errors import EngineError, StackError


def run(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_version_is_the_distributions() -> None:
    done = CliRunner().invoke(cli.app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, "0.1.0\n")


def test_no_command_shows_the_help() -> None:
    done = CliRunner().invoke(cli.app, [])
    assert "Exit codes: 0 done, 1 something does not hold" in done.output


def test_an_error_of_ours_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, StackError("no such stack")) == 2
    assert capsys.readouterr().err == "callrec: no such stack\n"


def test_an_error_of_the_engine_is_said_in_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, CommandError(CommandResult("", "error: no stack", 255))) == 2
    said = capsys.readouterr().err
    assert said.startswith("callrec: the engine could not: ")
    assert "no stack" in said


def test_a_reader_that_went_away_is_no_error_to_print() -> None:
    command = [sys.executable, "-c", "from scripts.cli import main; main()", "verify", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


class _Ctx:
    """What Typer passes to a callback, as far as it is read."""

    resilient_parsing = False

    def __init__(self, stack: str = "") -> None:
        self.obj = Context(stack=stack)


@pytest.mark.parametrize(
    ("given", "before", "selected", "expected"),
    [("a", "", "b", "a"), (None, "c", "b", "c"), (None, "", "b", "b"), (None, "", None, "local")],
)
def test_which_stack(
    given: str | None, before: str, selected: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.context.selected", lambda: selected)
    ctx = _Ctx(before)
    assert choose(ctx, given) == given  # pyright: ignore[reportArgumentType]
    assert ctx.obj.stack == expected


def pulumi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_selected_stack_is_asked_of_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert deployment.selected(tmp_path) is None
    pulumi(tmp_path, 'test "$*" = "stack --show-name --non-interactive" && echo practice', monkeypatch)
    assert deployment.selected(tmp_path) == "practice"
    pulumi(tmp_path, "echo 'error: no stack selected' >&2; exit 1", monkeypatch)
    assert deployment.selected(tmp_path) is None


def test_without_the_cli_a_real_stack_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="no `pulumi` on PATH"):
        deployment.real_handle("practice", tmp_path)
