"""File paths: whatever a room is called, its recording lies under the prefix, and over no other call's."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.functions.egress import EgressOptions
from infra.functions.errors import SettingsError
from infra.functions.file_path import DEFAULT_PHONE_TEMPLATE, DEFAULT_TEMPLATE, check_template, goes_by_id
from infra.functions.recording import check_place
from tests.unit.functions_support import recording

PREFIX = "recordings/"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def filled(template: str, room_name: str, room_id: str, moment: datetime) -> str:
    """As egress does it: https://github.com/livekit/egress/blob/main/pkg/config/output_file.go."""
    values = {
        "{room_name}": room_name,
        "{room_id}": room_id,
        "{time}": moment.strftime("%Y-%m-%dT%H%M%S"),
        "{utc}": moment.strftime("%Y%m%d%H%M%S") + f"{moment.microsecond // 1000:03d}",
    }
    for placeholder, value in values.items():
        template = template.replace(placeholder, value)
    return template


def accepted(template: str, *, phone: bool = False, prefix: str = PREFIX) -> bool:
    try:
        check_template("filePath", template, prefix, phone=phone)
    except SettingsError:
        return False
    return True


@st.composite
def templates(draw: st.DrawFn) -> str:
    """One that is accepted; most are good by their making, then up to two edits may or may not have broken them."""
    room = draw(st.sampled_from([["{room_name}"], ["{room_id}"], ["{room_name}", "{room_id}"]]))
    moment = draw(st.sampled_from([["{time}"], ["{utc}"], ["{time}", "{utc}"]]))
    filler = draw(st.lists(st.sampled_from(["a", "-", "_", ".", "/", "x/", "b.c", "="]), max_size=6))
    made = f"{PREFIX}{''.join(draw(st.permutations([*room, *moment, *filler])))}.mp4"
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(made)))
        made = made[:at] + draw(st.sampled_from(["", "..", "/", "{", "}", ".", "../", "\\", "x"])) + made[at + 1 :]
    assume(accepted(made))
    return made


ROOM_NAMES = st.one_of(
    st.text(max_size=300),
    st.from_regex(r"[\w .,()+=&!'~/{}-]{1,40}", fullmatch=True),
    st.sampled_from(["..", "../x", "a/../../b", "{time}", "{room_id}", ".", "\\", "a/b", "é" * 100, "\ud800"]),
)
IDS = st.from_regex(r"RM_[A-Za-z0-9]{12}", fullmatch=True)


@given(templates(), ROOM_NAMES, IDS, st.booleans())
def test_a_recording_never_leaves_the_prefix(template: str, room_name: str, room_id: str, phone: bool) -> None:  # noqa: FBT001
    key = filled(EgressOptions(template=template).path(room_name, phone=phone), room_name, room_id, NOW)
    check_place(recording(key=key, buckets=()), "bucket", PREFIX)
    assert key.endswith(".mp4")
    assert not re.search(r"[{}\\\x00-\x1f]|//", key)
    assert len(key.rpartition("/")[2].encode()) <= 255


@given(templates(), ROOM_NAMES, st.tuples(IDS, IDS), st.integers(1, 10**6), st.booleans())
def test_two_calls_never_share_a_path(
    template: str,
    name: str,
    ids: tuple[str, str],
    seconds: int,
    phone: bool,  # noqa: FBT001
) -> None:
    """Calls of one room name follow each other; a session may be recorded again after a failure."""
    path = EgressOptions(template=template).path(name, phone=phone)
    first = filled(path, name, ids[0], NOW)
    assert filled(path, name, ids[1], NOW + timedelta(seconds=seconds)) != first
    assert filled(path, name, ids[0], NOW + timedelta(seconds=seconds)) != first


@given(st.lists(ROOM_NAMES, min_size=2, max_size=2, unique=True), IDS, IDS)
def test_two_rooms_never_share_a_path_in_the_same_second(names: list[str], first: str, second: str) -> None:
    assume(first != second)
    options = EgressOptions()
    keys = {
        filled(options.path(name, phone=False), name, sid, NOW)
        for name, sid in zip(names, (first, second), strict=True)
    }
    assert len(keys) == 2


@pytest.mark.parametrize(
    "template",
    [
        DEFAULT_TEMPLATE,
        DEFAULT_PHONE_TEMPLATE,
        "recordings/{room_name}/{utc}.mp4",
        "recordings/{time}/{room_name}.mp4",
        "recordings/a.b/c=d/{room_id}_{time}.mp4",
    ],
)
def test_good_templates(template: str) -> None:
    assert accepted(template)


@pytest.mark.parametrize(
    "template",
    [
        "",
        "recordings/",
        "recordings/{room_name}.mp4",  # the next call of the room would take its place
        "recordings/{time}.mp4",  # so would a call of another room in the same second
        "recordings/{room_name}-{time}",
        "recordings/{room_name}-{time}.ogg",
        "recordings/{room_name}-{time}.mp4/",
        "recordings/{room_name}-{time}.mp4\n",
        "recordings/../{room_name}-{time}.mp4",
        "recordings/{room_name}..{time}.mp4",
        "recordings/./{room_name}-{time}.mp4",
        "recordings//{room_name}-{time}.mp4",
        "recordings/{room_name}-{time}-{time}.mp4",
        "recordings/{room_name}-{time}-{track_id}.mp4",
        "recordings/{room_name}-{time}-{retry}.mp4",
        "recordings/{room_name}-{{time}}.mp4",
        "recordings/{room_name} {time}.mp4",
        "recordingsx/{room_name}-{time}.mp4",
        "calls/{room_name}-{time}.mp4",
        "/recordings/{room_name}-{time}.mp4",
        f"recordings/{'a' * 70}{{room_name}}-{{time}}.mp4",
    ],
)
def test_bad_templates(template: str) -> None:
    assert not accepted(template)


def test_the_error_says_rule_value_and_prefix() -> None:
    with pytest.raises(SettingsError, match=r"filePath must be .*\{time\}.*recordings/; got 'calls/x'"):
        check_template("filePath", "calls/x", PREFIX)


@pytest.mark.parametrize(
    ("template", "good"),
    [
        (DEFAULT_PHONE_TEMPLATE, True),
        ("recordings/phone/{room_id}/{utc}.mp4", True),
        ("recordings/{room_name}-{time}.mp4", False),
        ("recordings/{room_id}-{room_name}-{time}.mp4", False),
        ("recordings/{time}.mp4", False),
    ],
)
def test_phone_templates_hold_no_room_name(template: str, good: bool) -> None:  # noqa: FBT001
    assert accepted(template, phone=True) == good


def test_another_prefix() -> None:
    assert accepted("practice/calls/{room_name}-{time}.mp4", prefix="practice/calls/")
    assert not accepted("practice/{room_name}-{time}.mp4", prefix="practice/calls/")
    with pytest.raises(SettingsError, match="filePath"):
        replace(EgressOptions(), prefix="calls/")


@pytest.mark.parametrize(
    "name",
    ["camille", "Dr. Fillion (room 2)", "visit-42", "café", "診察室", "a+b", "x" * 128, "call-123456", "a_b~c"],
)
def test_plain_names_stand_in_the_path(name: str) -> None:
    assert not goes_by_id(name)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "../x",
        "a..b",
        "a/b",
        "a\\b",
        "{time}",
        ".hidden",
        " camille",
        "camille ",
        "a\nb",
        "a@b.example",
        "sip:camille",
        "x" * 129,
        "é" * 65,
        "+15105550100",
        "call-_+15105550100_Xy7",
        "(510) 555-0100",
        "phone-555.01.00",
        "5550100",
        "٠١٢٣٤٥٦٧",
    ],
)
def test_other_names_stay_out_of_the_path(name: str | None) -> None:
    assert goes_by_id(name)
