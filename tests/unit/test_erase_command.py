"""`callrec erase` and `callrec hold`: what they ask, print and answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from scripts.context import Context
from scripts.deployment import Deployment
from scripts.erase import command
from scripts.erase.run import Eraser
from scripts.hold import command as hold_command
from scripts.local.airtable_server import AirtableServer
from scripts.recordings.find import Shelf
from tests.unit.bucket_support import NOW, Bucket
from tests.unit.test_erase_run import END, KEY, FakeLiveKit, Rig, info
from tests.unit.verify_support import FakeAws, deployment


@pytest.fixture
def rig() -> Iterator[Rig]:
    with AirtableServer() as server:
        server.rate_limit.enabled = False
        yield Rig(server)


def run(monkeypatch: pytest.MonkeyPatch, rig: Rig, *arguments: str) -> Any:
    """The command as the CLI mounts it, on the rig's bucket and table."""

    def stack(_: Context) -> Deployment:
        clients: Any = {"s3": rig.bucket}
        return deployment(FakeAws(clients=clients))

    monkeypatch.setattr(Context, "deployment", stack)
    monkeypatch.setattr(Eraser, "of", lambda *_: rig.eraser())
    monkeypatch.setattr(Shelf, "of", lambda *_: rig.eraser().shelf)
    app = typer.Typer()

    @app.callback()
    def common(ctx: typer.Context) -> None:
        ctx.obj = Context(stack="unit", console=Console(stderr=True, highlight=False))

    app.command()(command.erase)
    app.command()(hold_command.hold)
    return CliRunner().invoke(app, list(arguments))


def seeded(rig: Rig, **lock: Any) -> str:
    return rig.seed("EG_1", rig.bucket.add(KEY, modified=END, **lock))


def test_a_dry_run_shows_and_changes_nothing(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    record = seeded(rig)
    done = run(monkeypatch, rig, "erase", "EG_1", "--dry-run", "--json")
    assert done.exit_code == 0, done.output
    [told] = json.loads(done.stdout)["erasures"]
    assert told == {
        "egress": "EG_1",
        "outcome": "would be erased",
        "versions": 1,
        "deleteMarkers": 0,
        "unfinishedUploads": 0,
        "bytes": 5,
        "conversations": [record],
        "keys": [KEY],
    }
    assert rig.bucket.halves == 0
    shown = run(monkeypatch, rig, "erase", "EG_1", "--dry-run").stdout
    assert f"{KEY}: would go" in shown
    assert f"conversation {record}: would change recording_duration" in shown


@pytest.mark.parametrize("arguments", [(), ("--confirm", "EG_2"), ("--confirm", "")])
def test_without_the_very_id_nothing_is_touched(
    monkeypatch: pytest.MonkeyPatch, rig: Rig, arguments: tuple[str, ...]
) -> None:
    seeded(rig)
    done = run(monkeypatch, rig, "erase", "EG_1", *arguments)
    assert done.exit_code == 2
    assert "Nothing was touched" in done.stderr
    assert rig.bucket.halves == 0


def test_it_erases_and_says_so_without_the_files_name(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    seeded(rig)
    done = run(monkeypatch, rig, "erase", "EG_1", "--confirm", "EG_1", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["erasures"][0]["outcome"] == "erased"
    assert KEY not in done.stdout
    again = run(monkeypatch, rig, "erase", "EG_1", "--json")  # done: nothing to confirm
    assert again.exit_code == 0
    assert json.loads(again.stdout)["erasures"] == [
        {"egress": "EG_1", "outcome": "already erased", "at": int(NOW.timestamp()), "versions": 1, "bytes": 5}
    ]
    assert "EG_1 was erased on 20" in run(monkeypatch, rig, "erase", "EG_1").stdout


def test_a_conversation_names_all_its_recordings(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    short, longer = rig.bucket.add(KEY, modified=END), rig.bucket.add("calls/two.mp4", modified=END)
    links = f"{rig.link('EG_1', short)}\n{rig.link('EG_2', longer, 'calls/two.mp4')}"
    record = rig.seed("EG_2", longer, "calls/two.mp4", listed=links)
    done = run(monkeypatch, rig, "erase", "--conversation", record, "--confirm", record, "--json")
    assert done.exit_code == 0, done.output
    assert {one["egress"] for one in json.loads(done.stdout)["erasures"]} == {"EG_1", "EG_2"}
    assert rig.keys() == {"erasures/EG_1.json", "erasures/EG_2.json"}
    cells = rig.server.read(record)
    assert "audio_recording_url" not in cells
    assert "audio_recordings" not in cells
    again = run(monkeypatch, rig, "erase", "--conversation", record)
    assert (again.exit_code, "was erased on" in again.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name one recording"),
        (("EG_1", "--conversation", "rec1"), "name one recording"),
        (("--conversation", "rec1", "--key", KEY), "--key is the file of one recording"),
        (("--conversation", "recNowhere"), "there is no conversation recNowhere"),
        (("../x",), "1 to 64 letters"),
    ],
)
def test_what_names_no_recording_is_said(
    monkeypatch: pytest.MonkeyPatch, rig: Rig, arguments: tuple[str, ...], words: str
) -> None:
    done = run(monkeypatch, rig, "erase", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def elsewhere(rig: Rig, version: str, **cells: str) -> str:
    """A conversation with EG_1's link, and what it says of itself."""
    said = {"room_name": "else", "audio_recording_url": rig.link("EG_1", version), **cells}
    return rig.server.seed({name: value for name, value in said.items() if value})


def test_a_copy_of_the_same_room_session_is_cleared_with_what_it_copies(
    monkeypatch: pytest.MonkeyPatch, rig: Rig
) -> None:
    own = seeded(rig)
    copy = elsewhere(rig, rig.bucket.versions[0].id, room_id="RM_1")
    done = run(monkeypatch, rig, "erase", "--conversation", copy, "--confirm", copy)
    assert done.exit_code == 0, done.output
    for record in (own, copy):
        assert "audio_recording_url" not in rig.server.read(record)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"room_id": "RM_9"}, "is of room RM_9, but EG_1, which it names, recorded RM_1"),
        ({"room_id": "RM_9", "egress_id": "EG_1"}, "is of room RM_9, but EG_1, which it names, recorded RM_1"),
        ({"room_id": "RM_9", "egress_id": "EG_1", "audio_recording_url": ""}, "is of room RM_9, but EG_1"),
        ({}, "says that it is its own"),
        ({"egress_id": "EG_1"}, "says that it is its own"),
        ({"egress_id": "EG_1", "audio_recording_url": ""}, "says that it is its own"),
    ],
)
def test_a_conversation_with_another_calls_link_erases_nothing(
    monkeypatch: pytest.MonkeyPatch, rig: Rig, cells: dict[str, str], words: str
) -> None:
    seeded(rig)
    wrong = elsewhere(rig, rig.bucket.versions[0].id, **cells)
    done = run(monkeypatch, rig, "erase", "--conversation", wrong, "--confirm", wrong)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.split())
    assert "callrec erase EG_1" in " ".join(done.stderr.split())
    assert rig.bucket.halves == 0


def test_a_conversation_whose_room_another_one_has_erases_nothing(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    version = rig.bucket.add(KEY, modified=END)
    rig.server.seed({"room_name": "camille", "room_id": "RM_1"})
    wrong = elsewhere(rig, version)
    done = run(monkeypatch, rig, "erase", "--conversation", wrong, "--confirm", wrong)
    assert (done.exit_code, rig.bucket.halves) == (2, 0)


def test_a_conversation_without_a_recording_is_said(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    record = rig.server.seed({"room_name": "camille"})
    done = run(monkeypatch, rig, "erase", "--conversation", record)
    assert (done.exit_code, "has no recording of this stack" in done.stderr) == (2, True)


def test_what_may_not_be_erased_is_exit_1(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    rig.bucket.locks = True
    seeded(rig, hold=True)
    done = run(monkeypatch, rig, "erase", "EG_1", "--dry-run", "--json")
    assert done.exit_code == 1
    assert "callrec link revoke EG_1" in json.loads(done.stdout)["error"]


def test_what_still_records_is_exit_1(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    rig.livekit = FakeLiveKit(info("EG_1", status=1))
    assert run(monkeypatch, rig, "erase", "EG_1", "--dry-run").exit_code == 1


def test_a_hold_is_set_seen_by_erase_and_lifted(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    rig.bucket.locks = True
    seeded(rig)
    version = rig.bucket.versions[0].id
    assert run(monkeypatch, rig, "hold", "EG_1", "--dry-run").exit_code == 0
    assert not rig.bucket.versions[0].hold
    done = run(monkeypatch, rig, "hold", "EG_1", "--json")
    assert (done.exit_code, json.loads(done.stdout)["versions"]) == (0, [version])
    assert run(monkeypatch, rig, "erase", "EG_1", "--confirm", "EG_1").exit_code == 1
    released = run(monkeypatch, rig, "hold", "EG_1", "--release")
    assert f"EG_1: {version} released" in released.stdout
    assert run(monkeypatch, rig, "erase", "EG_1", "--confirm", "EG_1").exit_code == 0


@pytest.mark.parametrize(
    ("bucket", "words"), [(Bucket(), "objectLock governance"), (Bucket(locks=True), "no conversation")]
)
def test_what_cannot_be_held_is_said(monkeypatch: pytest.MonkeyPatch, rig: Rig, bucket: Bucket, words: str) -> None:
    rig.bucket = bucket
    done = run(monkeypatch, rig, "hold", "EG_1")
    assert (done.exit_code, words in done.stderr) == (2, True)
