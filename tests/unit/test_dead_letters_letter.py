"""What is read of a letter: any body at all, and never more than is needed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from scripts.dead_letters.letter import About, Letter, ago
from tests.unit.dead_letters_support import EGRESS_ENDED, letter


def test_a_recordings_end_tells_its_call() -> None:
    assert About.of(json.dumps(EGRESS_ENDED)) == About(
        event="egress_ended",
        egress_id="EG_1",
        room_id="RM_1",
        room_name="camille",
        happened_at=datetime(2026, 11, 24, 0, 0, 46, tzinfo=UTC),
    )


def test_another_event_tells_when_it_was_made() -> None:
    about = About.of('{"event": "room_finished", "createdAt": 1795478447, "room": {"name": "camille", "sid": "RM_2"}}')
    assert (about.event, about.room_name, about.room_id) == ("room_finished", "camille", "RM_2")
    assert about.happened_at == datetime(2026, 11, 24, 0, 0, 47, tzinfo=UTC)


def test_an_event_that_lacks_what_a_recording_has_still_tells_the_rest() -> None:
    event: dict[str, Any] = {**EGRESS_ENDED, "egressInfo": {"egressId": "EG_1", "status": "EGRESS_NEW"}}
    about = About.of(json.dumps(event))
    assert (about.egress_id, about.room_name) == ("EG_1", None)
    assert about.happened_at == datetime(2026, 11, 24, 0, 0, 47, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    ["", "no json", "[]", "{}", '{"event": 5}', '{"event": "x", "event": "y"}', "\ud800", "[" * 100_000],
)
def test_a_body_that_is_no_event_tells_nothing(body: str) -> None:
    assert About.of(body) == About()


@pytest.mark.parametrize("created", ["1e400", "99999999999999", "-5", '"x"', "null", '{"a": 1}'])
def test_a_time_that_is_none_is_left_out(created: str) -> None:
    assert About.of(f'{{"event": "x", "createdAt": {created}}}').happened_at is None


def test_a_letter_without_attributes_was_given_up_by_the_queue_itself() -> None:
    found = Letter.of({"MessageId": "1", "ReceiptHandle": "r", "Body": "x"}, 50.0)
    assert (found.reason, found.detail, found.given_up_at) == ("receives_exhausted", None, 50.0)


def test_a_letter_is_as_old_as_its_lying_there() -> None:
    found = letter(given_up_at=1_000.0)
    assert (found.reason, found.detail, found.group) == ("ambiguous", "a sentence", "RM_1")
    assert found.age(1_060.0) == 60.0
    assert found.age(900.0) == 0.0


def test_neither_body_nor_names_stand_in_its_text() -> None:
    shown = repr(letter())
    assert "camille" not in shown
    assert "43123" not in shown
    assert "receipt" not in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 min 0 s"), (61, "1 min 1 s"), (7_265, "2 h 1 min"), (86_400, "1 d 0 h"), (1_000_000, "11 d 13 h")],
)
def test_a_time_span_in_words(seconds: float, words: str) -> None:
    assert ago(seconds) == words
