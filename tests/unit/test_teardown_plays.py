"""Who listened, saved before a stack goes with everything."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from scripts.errors import UnfinishedError
from scripts.teardown.plays import FILE, save

LINES = [
    {"event": "play", "egress": "EG_1", "outcome": "played", "source": "0123456789abcdef"},
    {"event": "play_failed", "error": "ClientError"},
    {"event": "play", "egress": "EG_2", "outcome": "expired", "source": None},
]


class FakeLogs:
    """One log group, in two pages, the newer one first; or the refusal of every request."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal

    def get_paginator(self, _name: str) -> Any:
        return self

    def paginate(self, **_request: Any) -> list[dict[str, Any]]:
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal}}, "FilterLogEvents")
        events = [{"timestamp": 1000 * number, "message": json.dumps(line)} for number, line in enumerate(LINES)]
        return [{"events": [*events[1:], {"timestamp": 1, "message": "START"}]}, {"events": events[:1]}]


def saved(folder: Path, refusal: str = "") -> int:
    return save(cast("Any", FakeLogs(refusal)), "group", folder)


def test_every_line_of_who_listened_is_saved_oldest_first(tmp_path: Path) -> None:
    assert saved(tmp_path) == saved(tmp_path) == 2
    kept = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert kept == [
        {"logged": "1970-01-01T00:00:00+00:00", **LINES[0]},
        {"logged": "1970-01-01T00:00:02+00:00", **LINES[2]},
    ]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_log_that_is_gone_has_nothing_to_save(tmp_path: Path) -> None:
    assert saved(tmp_path, "ResourceNotFoundException") == 0


def test_a_refusal_is_none_of_ours_to_hide(tmp_path: Path) -> None:
    with pytest.raises(ClientError):
        saved(tmp_path, "AccessDeniedException")


def test_what_cannot_be_written_leaves_the_stack_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(UnfinishedError, match="could not be saved"):
        saved(tmp_path / "nowhere")
