"""The audit lines of one recording out of a log with others."""

from __future__ import annotations

import json
from typing import Any, cast

from scripts.link.trail import Play, sources, trail
from tests.unit.functions_support import NOW

SOURCE = "0123456789abcdef"


def line(**changes: Any) -> dict[str, Any]:
    fields = {"event": "play", "egress": "EG_1", "outcome": "played", "issued": 5, "source": SOURCE} | changes
    return {"message": json.dumps(fields), "timestamp": int(NOW * 1000), "eventId": json.dumps(fields)}


class FakeLogs:
    """Pages of what CloudWatch found for the word."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events, self.asked = events, dict[str, Any]()

    def get_paginator(self, _: str) -> FakeLogs:
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        self.asked = request
        return [{"events": [event]} for event in self.events]


def read(*events: dict[str, Any]) -> list[Play]:
    logs = FakeLogs(*events)
    plays = trail(cast("Any", logs), "/aws/lambda/play", "EG_1", NOW - 60, NOW)
    assert logs.asked["filterPattern"] == '"EG_1"'
    assert logs.asked["startTime"] == int((NOW - 60) * 1000)
    return plays


def test_only_the_recordings_own_lines_count() -> None:
    other = {"message": "REPORT RequestId: EG_1", "timestamp": 0, "eventId": "x"}
    plays = read(
        line(), line(egress="EG_10"), line(event="object_forbidden"), other, line(outcome="expired", source=None)
    )
    assert [(play.outcome, play.source, play.issued) for play in plays] == [("played", SOURCE, 5), ("expired", None, 5)]
    assert plays[0].at == int(NOW * 1000) / 1000


def test_what_is_no_pseudonym_is_not_shown() -> None:
    [play] = read(line(source="198.51.100.7", issued="soon"))
    assert (play.source, play.issued) == (None, None)


def test_the_busiest_address_comes_first() -> None:
    played = [Play(at=0, outcome="played", issued=None, source=source) for source in ("b", "a", "a", None)]
    refused = Play(at=0, outcome="revoked", issued=None, source="c")
    assert sources([*played, refused]) == {"a": 2, "b": 1, "unknown": 1}
    assert next(iter(sources(played))) == "a"
