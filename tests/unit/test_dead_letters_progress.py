"""What a command shows meanwhile: the latest word on a terminal, few lines in a log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from scripts.dead_letters import progress
from scripts.dead_letters.listing import Listing
from scripts.dead_letters.report import closing
from tests.unit.dead_letters_support import letter


def said(words: list[str], *, terminal: bool) -> str:
    out = io.StringIO()
    with progress.shown(Console(file=out, force_terminal=terminal, width=80), "reading") as say:
        for word in words:
            say(word)
    return out.getvalue()


def test_a_log_hears_of_a_long_run_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["[1] read", "[2] read", "[3] read"]
    assert said(words, terminal=False) == "reading …\n"
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    assert said(words, terminal=False).splitlines() == ["reading …", "  [1] read", "  [2] read", "  [3] read"]


def test_a_terminal_shows_words_as_they_are_and_keeps_none() -> None:
    shown = said(["[red]1 read"], terminal=True)
    assert "reading: [red]1 read" in shown
    assert "\x1b[2K" in shown  # the line is removed in the end


def test_a_list_that_took_too_long_says_that_it_is_not_whole() -> None:
    lines = closing(Listing(letters=(letter(),), count=1, cut_short=True, retention_s=100.0), 0.0)
    assert lines[1] == "There may be more: reading was ended after 1. Redrive these first"
