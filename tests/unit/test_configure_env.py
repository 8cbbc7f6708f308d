"""`callrec env` and `callrec check-token`: secrets go where they should, and nowhere else."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from infra.functions.egress import EgressOptions, room_egress
from scripts import egress_settings
from scripts.configure import command, participant_token
from scripts.configure import env as env_module
from scripts.configure.env import env, merged
from scripts.configure.participant_token import check_token, refusal
from scripts.deployment import Deployment
from scripts.errors import UsageError
from scripts.rooms import command as rooms_command
from scripts.status import command as status_command
from tests.unit.configure_support import SECRET, SETTINGS
from tests.unit.stack_support import UPLOAD_SECRET, World, world
from tests.unit.verify_support import API_SECRET


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = world(tmp_path, monkeypatch)
    made.config |= {"livekitUrl": "wss://practice.livekit.cloud", "audioBitrate": "64"}
    return made


def parsed(path: Path) -> dict[str, str]:
    """The file as a shell reads it."""
    script = f"set -a; . {path}; env -0"
    done = subprocess.run(["/bin/sh", "-c", script], env={}, capture_output=True, check=True)
    rows = done.stdout.decode().split("\0")
    return dict(row.split("=", 1) for row in rows if "=" in row)


def test_the_file_holds_the_guides_names_and_is_for_its_owner_only(stack: World, tmp_path: Path) -> None:
    done = stack.run(env, "--output", str(tmp_path / ".env"))
    assert done.code == 0
    found = parsed(tmp_path / ".env")
    assert (
        found.items()
        >= {
            "AWS_ACCESS_KEY": "AKIAUNIT",
            "AWS_SECRET_KEY": UPLOAD_SECRET,
            "AWS_BUCKET": "recordings",
            "AWS_REGION": "eu-central-1",
            "LIVEKIT_URL": "wss://practice.livekit.cloud",
            "LIVEKIT_API_KEY": "APIunit",
            "LIVEKIT_API_SECRET": API_SECRET,
            "CALLREC_PREFIX": "calls/",
            "CALLREC_AUDIO_BITRATE": "64",
        }.items()
    )
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert UPLOAD_SECRET not in done.said + done.told
    assert API_SECRET not in done.said + done.told


def test_an_agent_records_with_it_as_the_stack_does(stack: World, tmp_path: Path) -> None:
    stack.config |= {"filePath": "calls/{room_id}/{time}.mp4", "audioMixing": "dual-agent"}
    stack.run(env, "--output", str(tmp_path / ".env"))
    options = egress_settings.of(Deployment.of(stack.handle())).options
    assert EgressOptions.from_env(parsed(tmp_path / ".env")) == options


def test_lines_of_others_stay_and_ours_are_replaced_in_their_places(stack: World, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nOPENAI_API_KEY=sk\nexport AWS_BUCKET=old\nAWS_BUCKET=older\nLAST='x y'")
    file.chmod(0o644)
    assert stack.run(env, "-o", str(file)).code == 0
    lines = file.read_text().splitlines()
    assert lines[:4] == ["# mine", "OPENAI_API_KEY=sk", "AWS_BUCKET=recordings", "LAST='x y'"]
    assert len([line for line in lines if "AWS_BUCKET" in line]) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert stack.run(env, "-o", str(file)).code == 0
    assert file.read_bytes() == before


def test_a_link_to_a_file_stays_a_link(stack: World, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("A=1\n")
    (tmp_path / ".env").symlink_to(tmp_path / "real")
    stack.run(env, "-o", str(tmp_path / ".env"))
    assert (tmp_path / ".env").is_symlink()
    assert "AWS_BUCKET" in (tmp_path / "real").read_text()


def test_nobody_can_read_it_at_any_moment(stack: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []

    def watched(self: Path, target: Path) -> Path:
        modes.append(stat.S_IMODE(self.stat().st_mode))
        os.replace(self, target)  # noqa: PTH105 -- Path's own is what is watched
        return target

    monkeypatch.setattr(Path, "replace", watched)
    stack.run(env, "-o", str(tmp_path / ".env"))
    assert modes == [0o600]


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(
    stack: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / ".env").write_text("A=1\n")

    def fail(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    done = stack.run(env, "-o", str(folder / ".env"))
    assert (done.code, "No space left on device" in done.told) == (2, True)
    assert [path.name for path in folder.iterdir()] == [".env"]
    assert (folder / ".env").read_text() == "A=1\n"


def test_one_value_by_its_name(stack: World) -> None:
    assert stack.run(env, "--name", "AWS_BUCKET").said == "recordings\n"
    assert stack.run(env, "--name", "AWS_SECRET_KEY").said == f"{UPLOAD_SECRET}\n"
    assert stack.run(env, "--name", "AWS_BUCKET", "--json").document["value"] == "recordings"
    done = stack.run(env, "--name", "NOPE")
    assert (done.code, "There are: AWS_ACCESS_KEY" in done.told, UPLOAD_SECRET in done.told) == (2, True, False)


def test_a_role_stands_in_place_of_the_key(stack: World, tmp_path: Path) -> None:
    stack.outputs |= {
        "uploader_role_arn": "arn:aws:iam::1:role/r",
        "uploader_access_key_id": "",
        "uploader_secret_access_key": "",
    }
    stack.config["uploaderExternalId"] = "said-and-kept"
    assert stack.run(env, "-o", str(tmp_path / ".env")).code == 0
    lines = (tmp_path / ".env").read_text().splitlines()
    assert "CALLREC_UPLOADER_ROLE_ARN=arn:aws:iam::1:role/r" in lines
    assert "CALLREC_UPLOADER_EXTERNAL_ID=said-and-kept" in lines
    assert not [line for line in lines if line.startswith(("AWS_ACCESS_KEY", "AWS_SECRET_KEY"))]


def test_without_saying_where_to_nothing_is_printed(stack: World) -> None:
    for words in ([], ["--json"], ["--name", "AWS_BUCKET", "--output", "x"]):
        done = stack.run(env, *words)
        assert (done.code, "callrec env --output .env" in done.told) == (2, True)
        assert UPLOAD_SECRET not in done.said + done.told


def test_all_of_it_goes_through_a_pipe_but_not_to_a_terminal(stack: World, monkeypatch: pytest.MonkeyPatch) -> None:
    done = stack.run(env, "--output", "-")
    assert (done.code, f"AWS_SECRET_KEY={UPLOAD_SECRET}\n" in done.said) == (0, True)

    class Terminal:
        class stdout:  # noqa: N801 -- sys has it so
            isatty = staticmethod(lambda: True)

    monkeypatch.setattr(env_module, "sys", Terminal)
    done = stack.run(env, "--output", "-")
    assert (done.code, UPLOAD_SECRET in done.said + done.told) == (2, False)


def test_the_document_holds_no_value(stack: World, tmp_path: Path) -> None:
    done = stack.run(env, "-o", str(tmp_path / ".env"), "--json")
    assert "AWS_SECRET_KEY" in done.document["names"]
    assert UPLOAD_SECRET not in done.said


def test_a_place_that_cannot_be_written_is_named(stack: World, tmp_path: Path) -> None:
    done = stack.run(env, "-o", str(tmp_path / "no" / ".env"))
    assert (done.code, "cannot be written: No such file" in done.told) == (2, True)
    done = stack.run(env, "-o", str(tmp_path))
    assert (done.code, "cannot be read" in done.told) == (2, True)


@pytest.mark.parametrize("value", ["with blank", "#hash", "$HOME", "a;b", "`id`", "*"])
def test_values_are_quoted_where_a_shell_would_take_them_differently(value: str, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text(merged("", {"A": value}))
    assert parsed(file)["A"] == value


def test_a_value_that_no_quoting_carries_everywhere_is_refused() -> None:
    with pytest.raises(UsageError, match="A holds a quote"):
        merged("", {"A": "it's"})


def token(**config: Any) -> str:
    grants = api.VideoGrants(room_join=True, room="camille")
    made = api.AccessToken("APIunit", API_SECRET).with_identity("a").with_grants(grants)
    return made.with_room_config(api.RoomConfiguration(**config)).to_jwt() if config else made.to_jwt()


def test_a_token_that_starts_an_egress_is_refused_with_the_reason(stack: World) -> None:
    leaking = token(egress=room_egress(SETTINGS, "camille"))
    done = stack.run(check_token, text=leaking)
    assert (done.code, "the key that uploads recordings" in done.said) == (1, True)
    done = stack.run(check_token, "--json", text=f"Bearer {leaking}\n")
    assert (done.code, done.document["ok"]) == (1, False)
    assert SECRET not in done.said + done.told
    assert leaking not in done.said + done.told


@pytest.mark.parametrize("config", [{}, {"metadata": "m", "agents": [api.RoomAgentDispatch(agent_name="camille")]}])
def test_other_tokens_may_be_given_away(stack: World, config: dict[str, Any]) -> None:
    assert stack.run(check_token, text=token(**config)).code == 0


@pytest.mark.parametrize("name", ["roomConfig", "roomconfig", "room_config"])
def test_the_claim_is_known_as_livekit_reads_it(name: str) -> None:
    import jwt  # noqa: PLC0415 -- to make tokens that LiveKit's own library would not

    assert refusal(jwt.encode({name: {"egress": {"room": {}}}}, API_SECRET)) is not None
    assert refusal(jwt.encode({name: {"metadata": "x"}}, API_SECRET)) is None
    assert refusal(jwt.encode({name: "egress"}, API_SECRET)) is None


def test_what_is_no_token_is_said(stack: World) -> None:
    done = stack.run(check_token, text="hello")
    assert (done.code, "this is no token" in done.told) == (2, True)


@pytest.mark.parametrize(
    "main", [command.main, env_module.main, participant_token.main, rooms_command.main, status_command.main]
)
def test_each_command_runs_by_itself(
    main: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["command", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, "--json" in capsys.readouterr().out) == (0, True)
