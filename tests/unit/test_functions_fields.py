"""Fields of the table: found by role, and written in their own types or left alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from infra.functions.fields import Field, convert, table_fields

MOMENT = datetime(2026, 11, 24, 1, 0, 35, 123_999, timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        ("x", "singleLineText", "x"),
        ("x", "multilineText", "x"),
        ("x", "richText", "x"),
        ("https://x", "url", "https://x"),
        ("x", "number", None),
        ("x", "dateTime", None),
        ("x", "formula", None),
        ("x", "multipleSelects", None),
        (11.8, "number", 12),
        (2, "duration", 2),
        (11.80000001, "duration", 11.8),
        (11.84, "singleLineText", "11.8"),
        (191897, "singleLineText", "191897"),
        (12345678901234, "singleLineText", "12345678901234"),
        (191897, "checkbox", None),
        (191897, "url", None),
        (MOMENT, "dateTime", "2026-11-23T23:00:35.123Z"),
        (MOMENT, "singleLineText", "2026-11-23T23:00:35.123Z"),
        (MOMENT, "date", "2026-11-23"),
        (MOMENT, "createdTime", None),
        (MOMENT, "number", None),
    ],
)
def test_a_value_in_each_type(value: Any, kind: str, written: Any) -> None:
    assert convert(value, Field(name="f", type=kind)) == written


def test_numbers_are_rounded_to_the_fields_precision() -> None:
    assert convert(11.8765, Field(name="f", type="number", precision=2)) == 11.88
    whole = convert(11.8765, Field(name="f", type="number"))
    assert (whole, type(whole)) == (12, int)


def test_a_single_select_takes_just_its_choices() -> None:
    field = Field(name="f", type="singleSelect", choices=frozenset({"Recorded"}))
    assert convert("Recorded", field) == "Recorded"
    assert convert("recorded", field) is None


SCHEMA: dict[str, Any] = {
    "tables": [
        {"id": "tbl1", "name": "Other", "fields": [{"name": "a", "type": "url"}]},
        {
            "id": "tbl2",
            "name": "Conversations",
            "fields": [
                {"name": "a", "type": "number", "options": {"precision": 3}},
                {"name": "b", "type": "singleSelect", "options": {"choices": [{"name": "x"}, {"name": "y"}, 5]}},
                {"name": 5},
                7,
            ],
        },
    ]
}


@pytest.mark.parametrize("table", ["tbl2", "Conversations"])
def test_fields_are_found_by_role(table: str) -> None:
    assert table_fields(SCHEMA, table, {"size": "a", "status": "b", "room_id": "absent"}) == {
        "size": Field(name="a", type="number", precision=3),
        "status": Field(name="b", type="singleSelect", choices=frozenset({"x", "y"})),
    }


@pytest.mark.parametrize("schema", [SCHEMA, {}, {"tables": 5}, {"tables": [5, {}]}])
def test_a_table_that_is_not_there(schema: dict[str, Any]) -> None:
    assert table_fields(schema, "Absent", {"size": "a"}) is None
