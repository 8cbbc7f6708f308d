"""configure, rooms create, status and env on the real engine: what LiveKit records arrives, and undo undoes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from livekit import api
from typer.testing import CliRunner

from infra.package import ROOT
from scripts import cli
from scripts.configure.found import egress_of
from scripts.configure.keeping import KEY
from scripts.local import commands, stack
from scripts.status.snapshot import Observer
from tests.pipeline.calls import cells, wait_for
from tests.pipeline.conftest import Local
from tests.unit.configure_support import FOREIGN_SECRET, foreign, full, octets, rule

RECORDING = (ROOT / "tests" / "recordings" / "call1.mp4").read_bytes()

pytestmark = pytest.mark.pipeline


@pytest.fixture
def callrec(local: Local, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callrec]:
    monkeypatch.setattr(commands, "handle", lambda: stack.handle(local.services, local.engine))
    yield Callrec(local)
    for one in ("SDR_a", "SDR_full"):
        local.livekit.sip._rules.pop(one, None)


class Callrec:
    """The commands on the shared stack; keeps everything they said."""

    def __init__(self, local: Local) -> None:
        self.local = local
        self.said = ""

    def __call__(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, [*words, "--stack", "local"])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        self.said += done.stdout + done.stderr
        return done.exit_code, done.stdout

    def rule(self, name: str) -> api.SIPDispatchRuleInfo:
        return self.local.livekit.sip._rules[name]

    @property
    def settings(self) -> str:
        """The stack's own configuration file."""
        return next(Path(self.local.services.folder).glob("workspace/local/Pulumi.*.yaml")).read_text()


def test_rules_there_and_back_with_what_was_found_encrypted_in_the_stack(callrec: Callrec, local: Local) -> None:
    whole = full(api.SIPDispatchRuleInfo)
    assert isinstance(whole, api.SIPDispatchRuleInfo)
    whole.sip_dispatch_rule_id = "SDR_full"
    local.livekit.add_dispatch_rule(rule("a", room_config=api.RoomConfiguration(egress=foreign())))
    local.livekit.add_dispatch_rule(whole)
    before = {name: octets(callrec.rule(name)) for name in ("SDR_a", "SDR_full")}
    code, said = callrec("configure", "sip", "--replace", "--json")
    assert (code, json.loads(said)["sip"]["changed"]) == (0, 2)
    egress = egress_of(callrec.rule("SDR_a"))
    assert egress is not None
    assert egress.room.file_outputs[0].s3.secret == local.deployment.outputs.uploader_secret_access_key
    assert f"{KEY}:\n    secure: " in callrec.settings
    assert callrec("configure", "--undo")[0] == 0
    assert {name: octets(callrec.rule(name)) for name in before} == before
    assert KEY not in callrec.settings
    for secret in (
        FOREIGN_SECRET,
        local.deployment.outputs.uploader_secret_access_key,
        local.services.livekit_api_secret,
    ):
        assert secret not in callrec.said + callrec.settings


def test_a_test_event_and_livekits_own_arrive(callrec: Callrec) -> None:
    code, said = callrec("configure", "webhook", "--wait", "60", "--json")
    webhook = json.loads(said)["webhook"]
    assert (code, webhook["tried"]) == (0, "webhook: a signed test event was accepted")
    assert webhook["arrived"] == "webhook: LiveKit's own events arrive (room_started)"


def test_a_room_made_for_a_call_is_seen_while_it_records_and_once_it_is_linked(
    callrec: Callrec, local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local.livekit.recorder, "recording", RECORDING)
    room = f"status-{time.time_ns()}"
    code, said = callrec("rooms", "create", room, "--json")
    egress = json.loads(said)["egress"]["id"]
    assert code == 0
    sid = json.loads(said)["room"]["sid"]
    conversation = local.airtable.seed({"room_name": room, "room_id": sid})
    local.livekit.join(room, "caller")
    shown = json.loads(callrec("status", "--json")[1])
    assert egress in [row["egressId"] for row in shown["recording"]]
    local.livekit.leave(room, "caller")
    assert cells(local, conversation, "audio_recording_url")["egress_id"] == egress
    observer = Observer(deployment=local.deployment, most=10)
    wait_for(lambda: egress in (observer.look().linked or ()), "the line that says so in deliver's log")
    [row] = [row for row in json.loads(callrec("status", "--json")[1])["recorded"] if row["egressId"] == egress]
    assert (row["status"], row["link"], row["sizeBytes"]) == ("COMPLETE", "written", len(RECORDING))


def test_an_agents_environment_is_the_stacks(callrec: Callrec, local: Local, tmp_path: Path) -> None:
    assert callrec("env", "--output", str(tmp_path / ".env"))[0] == 0
    lines = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    assert lines["AWS_SECRET_KEY"] == local.deployment.outputs.uploader_secret_access_key
    assert lines["LIVEKIT_URL"] == local.livekit.url
    assert lines["AWS_SECRET_KEY"] not in callrec.said
