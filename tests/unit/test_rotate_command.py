"""`callrec rotate` as a user runs it: what it says, its exit codes, and where secrets may come from and never go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.livekit_access import LiveKit
from scripts.rotate import command, new_secret
from scripts.rotate.settings import state_key
from tests.unit.rotate_support import NEW_LIVEKIT, NEW_SECRET, NEW_TOKEN, OLD_LIVEKIT, OLD_SECRET
from tests.unit.rotate_support import World as Ground
from tests.unit.stack_support import Done, World, world


class Bench:
    """The commands on a ground in memory."""

    def __init__(self, stack: World, ground: Ground) -> None:
        self.stack, self.ground = stack, ground

    def __call__(self, *words: str, text: str | None = None) -> Done:
        return self.stack.run_app(command.app, *words, text=text)


@pytest.fixture
def rotate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    ground = Ground()
    monkeypatch.setattr(command, "StackGround", lambda **_: ground)
    monkeypatch.setattr(command, "StackSettings", lambda **_: ground)
    monkeypatch.setattr(LiveKit, "egresses", lambda *_, **__: [])
    monkeypatch.setattr(LiveKit, "dispatch_rules", lambda *_: [])
    return Bench(world(tmp_path, monkeypatch), ground)


def test_a_rotation_from_its_first_run_to_its_last(rotate: Bench) -> None:
    first = rotate("uploader", "--copies-replaced", "--json")
    assert (first.code, first.document["finished"], first.document["begun"]) == (0, False, True)
    assert first.document["again"] is not None
    assert [row["done"] for row in first.document["steps"]] == [True] * 8 + [False] * 2
    early = rotate("uploader", "--finish")
    assert early.code == 0
    assert "is deleted by the same command after" in early.said
    rotate.ground.time += 8 * 24 * 3600
    last = rotate("uploader", "--finish", "--json")
    assert (last.code, last.document["finished"]) == (0, True)
    assert rotate("uploader", "--finish").said.count("nothing to finish") == 1


def test_what_a_person_has_to_do_is_one_sentence_and_exit_code_1(rotate: Bench) -> None:
    done = rotate("uploader", "--json")
    assert (done.code, done.document["ok"]) == (1, False)
    assert "--copies-replaced" in done.document["error"]
    assert "rotate uploader: " in done.told


@pytest.mark.parametrize(
    "words",
    [
        ("uploader", "--grace", "soon"),
        ("uploader", "--grace", "99999d"),
        ("livekit",),
        ("links", "--grace", "0"),
        ("uploader", "--wait", "-1"),
    ],
)
def test_what_cannot_be_meant_is_exit_code_2_and_touches_nothing(rotate: Bench, words: tuple[str, ...]) -> None:
    assert rotate(*words, text=f"{NEW_SECRET}\n").code == 2
    assert rotate.ground.effects == 0


def test_a_grace_of_nothing_ends_in_one_run(rotate: Bench) -> None:
    assert rotate("uploader", "--copies-replaced", "--grace", "0", "--json").document["finished"] is True


def test_a_secret_comes_by_a_pipe_and_is_never_said(rotate: Bench) -> None:
    done = rotate("livekit", "--key", NEW_LIVEKIT, "--json", text=f"  {NEW_SECRET}\n")
    assert done.code == 0
    assert NEW_LIVEKIT in done.document["advice"][0]
    for secret in (NEW_SECRET, OLD_SECRET):
        assert secret not in done.said + done.told
    assert set(rotate.ground.honoured()) == {OLD_LIVEKIT, NEW_LIVEKIT}
    again = rotate("livekit")  # one that has begun asks for nothing
    assert (again.code, "Both keys are honoured" in again.said) == (0, True)


def test_a_token_that_is_not_given_is_asked_for_in_words(rotate: Bench) -> None:
    done = rotate("airtable", text="")
    assert (done.code, "CALLREC_NEW_AIRTABLE_TOKEN" in done.told) == (2, True)
    assert state_key("airtable") not in rotate.ground.config


def test_a_dry_run_asks_for_nothing(rotate: Bench) -> None:
    for kind in ("uploader", "livekit", "links", "airtable"):
        done = rotate(kind, "--dry-run", "--json", text="")
        assert (done.code, done.document["kind"], done.document["dryRun"]) == (0, kind, True)
    assert rotate.ground.effects == 0


def test_links_say_what_to_do_next(rotate: Bench) -> None:
    assert "callrec link refresh" in rotate("links", "--grace", "3d").said
    assert "within 5 minutes" in rotate("links", "--grace", "0", "--yes").said.lower()


def test_the_environment_comes_before_a_prompt_and_a_prompt_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert new_secret.ask("q", "V", {"V": f" {NEW_TOKEN} "}, lambda _: "typed") == NEW_TOKEN
    stdin: Any = type("Terminal", (), {"isatty": lambda _: True})()
    monkeypatch.setattr("sys.stdin", stdin)
    asked: list[str] = []
    assert new_secret.ask("the key", "V", {}, lambda question: asked.append(question) or "typed ") == "typed"
    assert asked == ["the key: "]
