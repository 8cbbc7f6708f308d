"""Progress: a moving line on a terminal, a short log elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from scripts.local import progress


def test_a_log_hears_each_kind_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    screen = io.StringIO()
    with progress.step(Console(file=screen, force_terminal=False), "building") as say:
        for word in ("compiled 1 of 9", "compiled 2 of 9", "", "linking"):
            say(word)
        now[0] += progress.LOG_SECONDS
        say("compiled 7 of 9")
    assert screen.getvalue().splitlines() == [
        "building …",
        "  compiled 1 of 9",
        "  linking",
        "  compiled 7 of 9",
    ]


def test_a_terminal_shows_the_latest_word() -> None:
    screen = io.StringIO()
    with progress.step(Console(file=screen, force_terminal=True, width=80), "building") as say:
        say("compiled 1 of 9")
    assert "building: compiled 1 of 9" in screen.getvalue()
