"""`callrec configure` as a user runs it: plans, parts, exit codes, JSON; and that no secret is in anything it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from scripts.configure.command import configure
from scripts.configure.found import egress_of
from scripts.configure.keeping import KEY
from scripts.local.livekit_server import Fault, LiveKitServer, Outcome
from tests.unit.configure_support import FOREIGN_SECRET, foreign, octets, rule, server, stored
from tests.unit.stack_support import UPLOAD_SECRET, World, world
from tests.unit.verify_support import API_SECRET, Request, web


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with server() as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, livekit: LiveKitServer) -> World:
    return world(tmp_path, monkeypatch, livekit)


def test_a_dry_run_shows_every_rule_and_changes_nothing(stack: World, livekit: LiveKitServer) -> None:
    livekit.add_dispatch_rule(rule("a"))
    before = octets(stored(livekit, "SDR_a"))
    done = stack.run(configure, "--dry-run")
    assert done.code == 0
    assert "SDR_a a\n    is       no recording\n    will be  records the room to S3 bucket recordings" in done.said
    assert "sip: 1 of 1 dispatch rule would change" in done.said
    assert octets(stored(livekit, "SDR_a")) == before
    assert stack.stack.get_all_config() == {}


def test_sip_there_and_back(stack: World, livekit: LiveKitServer) -> None:
    livekit.add_dispatch_rule(rule("a"))
    before = octets(stored(livekit, "SDR_a"))
    done = stack.run(configure, "sip", "--json")
    assert (done.code, done.document["ok"], done.document["sip"]["changed"]) == (0, True, 1)
    assert egress_of(stored(livekit, "SDR_a")) is not None
    assert list(stack.stack.get_all_config()) == [KEY]
    assert stack.run(configure, "sip", "--json").document["sip"]["changed"] == 0
    done = stack.run(configure, "--undo")
    assert (done.code, "1 dispatch rule changed back" in done.said) == (0, True)
    assert octets(stored(livekit, "SDR_a")) == before
    assert stack.stack.get_all_config() == {}
    assert "sip: nothing to undo" in stack.run(configure, "--undo").said


def test_no_secret_is_in_anything_said_or_kept_in_clear_or_on_a_command_line(
    stack: World, livekit: LiveKitServer
) -> None:
    livekit.add_dispatch_rule(rule("a", 1))
    livekit.add_dispatch_rule(rule("b", 2, room_config=api.RoomConfiguration(egress=foreign())))
    said = ""
    for words in (["--dry-run"], [], ["sip", "--json"], ["sip", "--replace"], ["sip", "--json", "--replace"]):
        done = stack.run(configure, *words)
        said += done.said + done.told
    assert UPLOAD_SECRET in str(egress_of(stored(livekit, "SDR_a")))
    said += stack.stack.argv
    done = stack.run(configure, "--undo")
    said += done.said + done.told
    for secret in (UPLOAD_SECRET, FOREIGN_SECRET, livekit.api_secret):
        assert secret not in said
    assert FOREIGN_SECRET in str(egress_of(stored(livekit, "SDR_b")))


def test_a_rule_left_alone_is_an_exit_code_of_one_and_says_how_on(stack: World, livekit: LiveKitServer) -> None:
    livekit.add_dispatch_rule(rule("a", room_config=api.RoomConfiguration(egress=foreign())))
    done = stack.run(configure, "sip")
    assert (done.code, "left alone" in done.said, "--replace" in done.said) == (1, True, True)
    assert stack.run(configure, "sip", "--json").document["ok"] is False
    assert stack.run(configure, "sip", "--replace").code == 0


def test_what_failed_midway_is_an_exit_code_of_one_and_in_the_document(stack: World, livekit: LiveKitServer) -> None:
    livekit.add_dispatch_rule(rule("a", 1))
    livekit.add_dispatch_rule(rule("b", 2))
    livekit.faults.add(Fault(outcome=Outcome.STATUS, status=503, methods=frozenset({"UpdateSIPDispatchRule"})))
    done = stack.run(configure, "sip", "--json")
    assert (done.code, done.document["ok"]) == (1, False)
    assert "SDR_a: UpdateSIPDispatchRule: 503" in done.document["problems"][0]
    assert stack.run(configure, "sip", "--json").document["sip"]["changed"] == 1


def test_a_control_character_in_a_rules_name_does_not_reach_the_terminal(stack: World, livekit: LiveKitServer) -> None:
    livekit.add_dispatch_rule(rule("a", name="\x1b[2Jcalm"))
    assert "\x1b" not in stack.run(configure, "sip", "--dry-run").said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rooms", "--rule", "SDR_a"], "--rule belongs to the part sip"),
        (["webhook", "--replace"], "--replace belongs to the part sip"),
        (["sip", "--write", "x"], "--write belongs to the part webhook"),
        (["sip", "--wait", "3"], "--wait belongs to the part webhook"),
        (["--undo", "--replace"], "--undo goes with --rule and --dry-run only"),
        (["rooms", "--undo"], "--undo is for sip"),
        (["sip", "--rule", "SDR_x"], "LiveKit has no dispatch rule SDR_x"),
    ],
)
def test_what_contradicts_itself_is_said(stack: World, words: list[str], sentence: str) -> None:
    done = stack.run(configure, *words)
    assert (done.code, sentence in done.told) == (2, True)
    done = stack.run(configure, *words, "--json")
    assert sentence in done.document["error"]


def test_without_livekit_sip_does_not_apply_unless_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = world(tmp_path, monkeypatch)
    done = stack.run(configure, "--dry-run", "--json")
    assert (done.code, done.document["notes"]) == (0, ["sip: the stack knows no LiveKit (livekitUrl is not set)"])
    done = stack.run(configure, "webhook", "--dry-run")
    assert ("LiveKit Cloud: in the project's dashboard" in done.said, "resource_url_notifier" in done.said) == (
        True,
        True,
    )
    done = stack.run(configure, "sip")
    assert (done.code, "pulumi config set livekitUrl" in done.told) == (2, True)


def test_a_livekit_without_sip_does_not_apply_unless_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = b'{"code":"internal","msg":"sip not connected (redis required)"}'

    def answer(_: Request) -> tuple[int, dict[str, str], bytes]:
        return 500, {"Content-Type": "application/json"}, refused

    with web(answer) as url:
        stack = world(tmp_path, monkeypatch)
        stack.config["livekitUrl"] = url
        done = stack.run(configure, "--dry-run", "--json")
        assert (done.code, done.document["notes"]) == (0, ["sip: this LiveKit runs without SIP"])
        done = stack.run(configure, "sip")
    assert (done.code, "needs Redis" in done.told) == (2, True)


def test_an_engine_that_cannot_keep_what_was_found_keeps_the_rules_as_they_are(
    stack: World, livekit: LiveKitServer, tmp_path: Path
) -> None:
    livekit.add_dispatch_rule(rule("a"))
    before = octets(stored(livekit, "SDR_a"))
    (tmp_path / "broken").touch()
    done = stack.run(configure, "sip")
    assert (done.code, "no passphrase" in done.told) == (2, True)
    assert octets(stored(livekit, "SDR_a")) == before


def test_what_was_kept_by_another_version_is_not_guessed(stack: World, tmp_path: Path) -> None:
    (tmp_path / f"secret:{KEY}").write_text('{"rules": {"2": {}}}')
    done = stack.run(configure, "--undo")
    assert (done.code, "not of this version" in done.told) == (2, True)


@pytest.mark.parametrize(
    ("config", "deployed", "words"),
    [
        ({}, {}, "rooms made elsewhere are not recorded (recordRooms is not set)"),
        ({"recordRooms": "true"}, {"CALLREC_RECORD_ROOMS": "true"}, "rooms made elsewhere are recorded"),
        ({"recordRooms": "true"}, {}, "recordRooms is true, but deployed otherwise. Apply it: pulumi up"),
        ({}, {"CALLREC_RECORD_ROOMS": "true"}, "recordRooms is not set, but deployed otherwise"),
        (
            {"recordRooms": "true", "recordExclude": "lab-*"},
            {"CALLREC_RECORD_ROOMS": "true", "CALLREC_RECORD_EXCLUDE": "test-*,debug-*"},
            "but deployed otherwise",
        ),
    ],
)
def test_rooms_tells_what_is_recorded(
    stack: World, config: dict[str, str], deployed: dict[str, str], words: str
) -> None:
    stack.config |= config
    stack.aws.clients["lambda"].answers["get_function_configuration"] = {"Environment": {"Variables": deployed}}
    done = stack.run(configure, "rooms")
    assert (done.code, words in done.said) == (0, True)
    assert ("lab-*" if "recordExclude" in config else "test-*, debug-*") in done.said
    assert stack.run(configure, "rooms", "--json").document["rooms"]["pending"] == ("otherwise" in words)


def test_webhook_tells_what_to_enter_and_tries_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []

    def receive(request: Request) -> tuple[int, dict[str, str], bytes]:
        bodies.append(request.body)
        return 200, {}, b"ok"

    with web(receive) as url:
        stack = world(tmp_path, monkeypatch, webhook_url=f"{url}/hook")
        stack.config["livekitUrl"] = "wss://practice.livekit.cloud"
        done = stack.run(configure, "webhook")
        assert (done.code, f"URL          {url}/hook" in done.said) == (0, True)
        assert "signing key  APIunit" in done.said
        assert "resource_url_notifier" not in done.said
        assert "a signed test event was accepted" in done.said
        assert b"room_finished" in bodies[0]
        stack.config["livekitUrl"] = "wss://livekit.practice.example"
        block = tmp_path / "webhook.yaml"
        done = stack.run(configure, "webhook", "--write", str(block), "--json")
        assert (done.code, block.read_text()) == (0, done.document["webhook"]["yaml"])
        assert f"    - {url}/hook\n" in block.read_text()
        assert "    max_age: 30m" in block.read_text()
        assert stack.run(configure, "webhook", "--write", str(block)).code == 0
        block.write_text("keys: {}")
        done = stack.run(configure, "webhook", "--write", str(block))
        assert (done.code, "Name a file of its own" in done.told, block.read_text()) == (2, True, "keys: {}")
        sent = len(bodies)
        assert stack.run(configure, "webhook", "--dry-run").code == 0
        assert len(bodies) == sent
    assert API_SECRET not in done.said + done.told


def test_a_test_event_that_is_refused_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with web(lambda _: (503, {}, b"")) as url:
        stack = world(tmp_path, monkeypatch, webhook_url=url)
        done = stack.run(configure, "webhook", "--json")
    assert (done.code, done.document["ok"]) == (1, False)
    assert "answered with 503" in done.document["problems"][0]


def test_the_server_reads_the_block_as_it_is_meant() -> None:
    yaml: Any = pytest.importorskip("yaml")
    from scripts.configure.webhook import WebhookPlan  # noqa: PLC0415 -- only where YAML can be read

    plan = WebhookPlan(url="https://receive.example/", key="APIunit", livekit=None)
    assert yaml.safe_load(plan.block) == {
        "webhook": {
            "api_key": "APIunit",
            "urls": ["https://receive.example/"],
            "resource_url_notifier": {"max_age": "30m", "max_depth": 2000},
        }
    }
