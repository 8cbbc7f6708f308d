"""`callrec local …` and the commands on it, as a user runs them: a stack of their own, in a folder of their own."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest
from typer.testing import CliRunner

from scripts import cli
from scripts.errors import LocalStackError
from scripts.local import commands, emulator, supervisor
from scripts.local.process import free_port
from tests.pipeline.calls import wait_for

pytestmark = pytest.mark.pipeline


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(commands, "FOLDER", tmp_path / "stack")
    monkeypatch.setattr(commands, "DEMO_FOLDER", tmp_path / "demo")
    return tmp_path


def callrec(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, list(words))
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def running_in(folder: Path) -> list[psutil.Process]:
    """Processes that have the folder in their command line or environment."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if str(folder) in " ".join(process.cmdline()) or str(folder) in " ".join(process.environ().values()):
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.pid != psutil.Process().pid]


def services_in(folder: Path) -> set[int]:
    """The processes that stay: not the engine's, which may be about to end, nor the functions'."""
    found: set[int] = set()
    for process in running_in(folder):
        with contextlib.suppress(psutil.Error):
            if {"scripts.local.supervisor", "scripts.local.emulator_server"} & set(process.cmdline()):
                found.add(process.pid)
    return found


def nothing_runs_in(folder: Path) -> None:
    """What was killed needs a moment to be gone."""
    wait_for(lambda: not running_in(folder), "the end of all processes")


def test_demo_ends_with_every_hop_and_leaves_nothing(folder: Path) -> None:
    code, said = callrec("local", "demo", "--json")
    document = json.loads(said)
    assert (code, document["ok"], document["counts"]["failed"]) == (0, True, 0)
    assert [row["id"] for row in document["results"]][:4] == [
        "call.upload",
        "call.webhook",
        "call.conversation",
        "call.plays",
    ]
    assert {row["outcome"] for row in document["results"]} == {"ok"}
    assert list(folder.iterdir()) == []
    nothing_runs_in(folder)


def test_up_verify_and_down(folder: Path) -> None:
    code, said = callrec("local", "up", "--json")
    assert code == 0
    addresses = json.loads(said)
    secrets_file = Path(addresses["secretsFile"])
    assert stat.S_IMODE(secrets_file.stat().st_mode) == 0o600
    kept = json.loads(secrets_file.read_text())
    assert kept["airtable_token"] not in said
    assert kept["livekit_api_secret"] not in said
    assert kept["livekit_admin_token"] not in said
    try:
        pids = services_in(folder)
        assert len(pids) >= 2
        assert callrec("local", "up", "--json")[0] == 0  # again: the same services, nothing changed
        assert services_in(folder) == pids
        junit = folder / "verify.xml"
        code, said = callrec("verify", "--stack", "local", "--json", "--junit", str(junit))
        assert code == 0
        assert json.loads(said)["ok"] is True
        assert len(ET.fromstring(junit.read_text())) == len(json.loads(said)["results"])  # noqa: S314 -- our own file
        assert callrec("verify", "--stack", "local")[1].count("✓") > 40
    finally:
        assert json.loads(callrec("local", "down", "--json")[1]) == {"stopped": True}
    nothing_runs_in(folder)
    assert not (folder / "stack").exists()
    assert callrec("local", "down") == (0, "nothing was running\n")
    with pytest.raises(LocalStackError, match="callrec local up"):
        commands.handle()


def test_services_of_a_killed_supervisor_are_not_taken_for_running(folder: Path) -> None:
    place = folder / "killed"
    supervisor.start(place)
    family = running_in(place)
    [head] = [process for process in family if "scripts.local.supervisor" in process.cmdline()]
    head.kill()
    psutil.wait_procs(family, timeout=60)
    nothing_runs_in(place)
    assert supervisor.running(place) is None
    assert supervisor.start(place).folder == str(place)
    assert supervisor.stop(place) is True


def test_services_that_cannot_start_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(LocalStackError, match=r"supervisor\.log"):
        supervisor.start(folder / "never")


def test_a_port_that_somebody_took_meanwhile_is_given_up_for_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as theirs:
        theirs.bind(("127.0.0.1", 0))
        ports = iter([theirs.getsockname()[1], free_port()])
        monkeypatch.setattr(emulator, "free_port", lambda: next(ports))
        with emulator.run(folder / "aws") as found:
            assert found.endpoint_url != f"https://127.0.0.1:{theirs.getsockname()[1]}"
    assert list(ports) == []
    assert not (folder / "aws" / "emulator").exists()


def test_an_emulator_that_ends_at_every_start_says_why(folder: Path) -> None:
    with pytest.raises(LocalStackError, match="No module named"), emulator.run(folder / "aws", "nobody.knows.this"):
        pass
    assert not (folder / "aws" / "emulator").exists()
