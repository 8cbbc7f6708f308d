"""Erasure records: their key, and what they hold."""

from __future__ import annotations

import json

import pytest

from infra.functions.erasures import PREFIX, Erasure, State, record_key
from infra.functions.errors import CallrecError

DONE = Erasure(egress_id="EG_abc", state=State.DONE, at=1_790_000_000, versions=2, size_bytes=7_500_000)


def test_the_key_is_made_of_the_egress_id_alone() -> None:
    assert record_key("EG_3tQ9x_Z") == "erasures/EG_3tQ9x_Z.json"
    assert PREFIX == "erasures/"


@pytest.mark.parametrize("egress_id", ["", "../recordings/a", "EG a", "EG_ä", "EG_1\n", "E" * 65, "EG.json", "EG/1"])
def test_what_is_no_egress_id_makes_no_key(egress_id: str) -> None:
    with pytest.raises(CallrecError, match="1 to 64 letters"):
        record_key(egress_id)


def test_a_record_comes_back_as_it_was_written() -> None:
    assert Erasure.from_json(DONE.to_json()) == DONE


def test_a_record_says_nothing_more_than_this() -> None:
    assert json.loads(DONE.to_json()) == {
        "egress_id": "EG_abc",
        "state": "done",
        "at": 1_790_000_000,
        "versions": 2,
        "size_bytes": 7_500_000,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"egress_id": "EG_a", "state": "maybe", "at": 1, "versions": 1, "size_bytes": 1}',
        '{"egress_id": "EG_a", "state": "done", "at": "1", "versions": 1, "size_bytes": 1}',
        '{"egress_id": 7, "state": "done", "at": 1, "versions": 1, "size_bytes": 1}',
    ],
)
def test_what_is_no_record_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an erasure record|not JSON|not a JSON object|not a valid State"):
        Erasure.from_json(text)
