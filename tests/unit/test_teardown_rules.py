"""Dispatch rules that record with the key of a stack that goes: put back first of all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from scripts.configure.found import egress_of, with_egress, written
from scripts.configure.keeping import KEY
from scripts.errors import StackError
from scripts.interruption import Interrupted
from scripts.local.livekit_server import Fault, LiveKitServer, Outcome
from scripts.teardown import egresses
from tests.unit.configure_support import SETTINGS, MemoryKeeper, foreign, octets, rule, server, sip, stored
from tests.unit.test_teardown_command import Bench
from tests.unit.test_teardown_engine import FakeStack
from tests.unit.verify_support import refusal


class Stack(FakeStack):
    """One whose configuration can lose a key; it writes down when."""

    def remove_config(self, name: str) -> None:
        del self.config[name]
        self.events.append(f"forget {name}")


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with server() as running:
        yield running


@pytest.fixture
def bench(livekit: LiveKitServer) -> Bench:
    """A stack that has configured one rule."""
    livekit.add_dispatch_rule(rule("a"))
    keeper = MemoryKeeper()
    part = sip(livekit, keeper)
    part.attach(part.attaching(SETTINGS, oust=False))
    stack = Stack()
    stack.config |= {
        "callrec:livekitUrl": livekit.url,
        "callrec:livekitApiKey": livekit.api_key,
        "callrec:livekitApiSecret": livekit.api_secret,
        KEY: written(keeper.load()),
    }
    livekit.journal.clear()
    return Bench(stack)


def test_a_dry_run_says_what_becomes_of_the_rules(bench: Bench, livekit: LiveKitServer) -> None:
    done = bench.run()
    assert (done.exit_code, "dispatch rule SDR_a: put back as it was found, before anything goes" in done.stdout) == (
        0,
        True,
    )
    assert json.loads(bench.run("--json").stdout)["rules"][0]["step"] == "restore"
    assert livekit.journal.count("UpdateSIPDispatchRule") == 0
    assert bench.untouched


def test_rules_are_put_back_before_anything_goes(bench: Bench, livekit: LiveKitServer) -> None:
    done = bench.run("--yes")
    assert done.exit_code == 0
    assert octets(stored(livekit, "SDR_a")) == octets(rule("a"))
    assert bench.stack.events == [f"forget {KEY}", "destroy"]


class Recorder:
    """S3's `get_object`: notes whether the rule still records, and fails from some request on."""

    def __init__(self, livekit: LiveKitServer, sizes: dict[str, int], fails_from: int) -> None:
        self.livekit, self.sizes, self.fails_from = livekit, sizes, fails_from
        self.recording: list[bool] = []

    def __call__(self, **call: Any) -> Any:
        self.recording.append(egress_of(stored(self.livekit, "SDR_a")) is not None)
        if len(self.recording) >= self.fails_from:
            raise OSError("connection reset")
        return {"Body": BytesIO(b"x" * self.sizes[call["VersionId"]])}


def storing(bench: Bench, livekit: LiveKitServer, fails_from: int = 99) -> Recorder:
    """Have the bench's objects fetched, and a new one stored when the first two are."""
    versions = bench.s3.versions["recordings"]
    for version in versions:
        version["LastModified"] = datetime.now(UTC)
    recorder = Recorder(livekit, {"1": 100, "2": 200, "9": 9}, fails_from)

    def get(**call: Any) -> Any:
        done = recorder(**call)
        if len(recorder.recording) == 2:
            late = {"Key": "calls/late.mp4", "VersionId": "9", "IsLatest": True, "Size": 9}
            versions.append({**late, "LastModified": datetime.now(UTC)})
        return done

    bench.s3.answers["get_object"] = get
    return recorder


def test_rules_record_until_the_export_is_complete_once(bench: Bench, livekit: LiveKitServer, tmp_path: Path) -> None:
    recorder = storing(bench, livekit)
    done = bench.run("--yes", "--export", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert recorder.recording == [True, True, False]  # the third was stored meanwhile
    assert "3 files, 309 bytes; 3 of them fetched now" in done.stdout


def test_while_the_export_fails_nothing_is_touched(bench: Bench, livekit: LiveKitServer, tmp_path: Path) -> None:
    storing(bench, livekit, fails_from=1)
    done = bench.run("--yes", "--export", str(tmp_path / "out"))
    assert (done.exit_code, "the export is not complete" in done.stderr) == (1, True)
    assert "do not record any more" not in done.stderr
    assert egress_of(stored(livekit, "SDR_a")) is not None
    assert bench.stack.events == []


AGAIN = "callrec configure sip --rule SDR_a --stack unit"


def test_an_export_that_fails_later_says_what_does_not_record(
    bench: Bench, livekit: LiveKitServer, tmp_path: Path
) -> None:
    storing(bench, livekit, fails_from=3)
    done = bench.run("--yes", "--export", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "dispatch rules do not record any more" in done.stderr
    assert AGAIN in done.stderr
    assert bench.stack.events == [f"forget {KEY}"]


@pytest.mark.parametrize(
    "error",
    [StackError("1 recordings do not end. Nothing was removed."), Interrupted("SIGINT"), refusal("AccessDenied")],
)
def test_a_stop_that_fails_says_what_does_not_record(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def stop(*_: Any) -> None:
        raise error

    monkeypatch.setattr(egresses, "recording_into", lambda *_: ["EG_1"])
    monkeypatch.setattr(egresses, "stop", stop)
    done = bench.run("--yes", "--json")
    assert done.exit_code == 1
    said = json.loads(done.stdout)["error"]
    assert "dispatch rules do not record any more" in said
    assert AGAIN in said
    assert ".." not in said
    assert "destroy" not in bench.stack.events


def test_while_a_rule_cannot_be_put_back_nothing_goes(bench: Bench, livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.STATUS, status=503, methods=frozenset({"UpdateSIPDispatchRule"})))
    done = bench.run("--yes")
    assert (done.exit_code, "rule SDR_a: UpdateSIPDispatchRule: 503" in done.stderr) == (1, True)
    assert bench.stack.events == []
    assert bench.run("--yes").exit_code == 0


def test_a_rule_that_somebody_changed_is_left_and_does_not_keep_the_stack(bench: Bench, livekit: LiveKitServer) -> None:
    livekit.add_dispatch_rule(with_egress(stored(livekit, "SDR_a"), foreign()))
    done = bench.run("--yes")
    assert (done.exit_code, "somebody changed its recording" in done.stdout) == (0, True)
    assert egress_of(stored(livekit, "SDR_a")) == foreign()


def test_without_livekit_they_stay_as_they_are(bench: Bench, livekit: LiveKitServer) -> None:
    assert bench.run("--yes", "--ignore-livekit").exit_code == 0
    assert livekit.journal.count() == 0


def test_a_stack_that_configured_nothing_asks_for_no_rules(bench: Bench, livekit: LiveKitServer) -> None:
    stack: Any = bench.stack
    del stack.config[KEY]
    bench.run()
    assert set(livekit.journal.counts()) == {"ListEgress"}
    assert isinstance(stored(livekit, "SDR_a"), api.SIPDispatchRuleInfo)
