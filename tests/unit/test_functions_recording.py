"""Recording: the captured endings, the guide's sample, mixtures of both, and whatever else JSON can hold."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.functions.errors import PermanentError
from infra.functions.recording import Recording, Status, check_place
from tests.unit.functions_support import ended, recording

# The payload of the setup guide, as people replay it.
SAMPLE: dict[str, Any] = {
    "event": "egress_ended",
    "egressInfo": {
        "egress_id": "EG_abc123",
        "room_id": "RM_xyz789",
        "room_name": "camille",
        "status": "EGRESS_COMPLETE",
        "file_results": [
            {
                "filename": "recordings/camille-20251030-150000.mp4",
                "size": 1234567,
                "duration": 123.45,
                "download_url": "https://s3.amazonaws.com/dr-fillion-recordings/recordings/camille-20251030-150000.mp4",
            }
        ],
        "started_at": 1698765000000,
        "ended_at": 1698765123000,
    },
}


def read(payload: dict[str, Any]) -> Recording:
    made = Recording.from_payload(payload)
    assert made is not None
    return made


def test_the_captured_recording() -> None:
    made = read(ended())
    assert made == Recording(
        egress_id="EG_qSre47Ggpyvq",
        room_id="RM_xRvi3HAA2vta",
        room_name="call1",
        key="calls/call1/2026-11-24T000035.mp4",
        buckets=("recordings",),
        size_bytes=191897,
        duration_s=11.800000001,
        started_at=datetime(2026, 11, 24, 0, 0, 35, 740634, UTC),
        ended_at=datetime(2026, 11, 24, 0, 0, 47, 829534, UTC),
        status=Status.COMPLETE,
        backup_storage_used=False,
        reason=None,
    )
    assert (made.has_file, made.truncated, made.partial, made.alert) == (True, False, False, None)
    assert made.status_text == "Recorded"


def test_the_guides_sample() -> None:
    made = read(SAMPLE)
    assert (made.egress_id, made.room_id, made.room_name) == ("EG_abc123", "RM_xyz789", "camille")
    assert (made.key, made.size_bytes) == ("recordings/camille-20251030-150000.mp4", 1234567)
    assert made.duration_s == pytest.approx(123.45)
    assert made.started_at == datetime(2023, 10, 31, 15, 10, 0, tzinfo=UTC)
    assert made.ended_at == datetime(2023, 10, 31, 15, 12, 3, tzinfo=UTC)
    assert made.has_file


def test_its_repr_shows_no_names() -> None:
    shown = repr(recording(room_name="+41791234567", key="calls/+41791234567.mp4"))
    assert "+4179" not in shown
    assert "EG_1" in shown


@pytest.mark.parametrize(
    ("name", "alert", "text"),
    [
        ("egress_ended.failed.auth3", "upload_refused", "Not recorded: the recording could not be stored"),
        ("egress_ended.aborted.nopub1", "nobody_joined", "Not recorded: there was no sound from anybody"),
    ],
)
def test_the_captured_failures_have_no_file(name: str, alert: str, text: str) -> None:
    made = read(ended(name))
    assert (made.has_file, made.partial, made.alert, made.status_text) == (False, False, alert, text)


FILE = [{"filename": "calls/a.mp4", "size": "5"}]


@pytest.mark.parametrize(
    ("info", "has_file", "alert", "text"),
    [
        (
            {"status": "EGRESS_LIMIT_REACHED", "errorCode": 413},
            True,
            "truncated",
            "Recorded, but cut off at the time limit",
        ),
        ({"status": "EGRESS_FAILED", "fileResults": FILE}, True, "partial", "Partly recorded: the recording broke off"),
        (
            {"status": "EGRESS_ABORTED", "fileResults": FILE},
            True,
            "partial",
            "Partly recorded: the recording broke off",
        ),
        (
            {"status": "EGRESS_FAILED", "errorCode": 500, "fileResults": [{"filename": "calls/a.mp4"}]},
            False,
            "recorder_failed",
            "Not recorded: the recorder stopped unexpectedly",
        ),
        (
            {"status": "EGRESS_FAILED", "errorCode": 999, "fileResults": [{"filename": "calls/a.mp4", "size": 0}]},
            False,
            "unknown",
            "Not recorded: the recorder failed",
        ),
        (
            {"status": "EGRESS_ABORTED", "fileResults": [], "file": None},
            False,
            "unknown",
            "Not recorded: stopped before it began",
        ),
        ({"backupStorageUsed": True}, False, "backup_storage", "Recorded, but not in your own storage"),
        ({"backup_storage_used": True}, False, "backup_storage", "Recorded, but not in your own storage"),
        (
            {"status": "EGRESS_FAILED", "fileResults": FILE, "backupStorageUsed": True},
            False,
            "backup_storage",
            "Recorded, but not in your own storage",
        ),
        ({"status": 3}, True, None, "Recorded"),
        ({"status": 6}, True, "truncated", "Recorded, but cut off at the time limit"),
    ],
)
def test_each_ending(info: dict[str, Any], has_file: bool, alert: str | None, text: str) -> None:  # noqa: FBT001
    made = read(ended(**info))
    assert (made.has_file, made.alert, made.status_text) == (has_file, alert, text)
    assert made.truncated is (made.status is Status.LIMIT_REACHED)


@pytest.mark.parametrize("kind", ["streamResults", "segmentResults", "imageResults"])
@pytest.mark.parametrize("status", ["EGRESS_COMPLETE", "EGRESS_FAILED"])
def test_an_egress_that_made_no_file_is_no_recording(kind: str, status: str) -> None:
    info = {"fileResults": None, "file": None, kind: [{"url": "rtmp://x"}], "status": status}
    assert Recording.from_payload(ended(**info)) is None


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"egressInfo": 5},
        ended(egressId=None),
        ended(egressId=5),
        ended(status=None),
        ended(status="EGRESS_ACTIVE"),
        ended(status="EGRESS_NEW"),
        ended(status=1),
        ended(status=True),
        ended(fileResults=[], file=None),
        ended(fileResults=[{}], file={}),
    ],
    ids=range(11),
)
def test_what_is_no_recording_at_all(payload: dict[str, Any]) -> None:
    with pytest.raises(PermanentError) as error:
        Recording.from_payload(payload)
    assert error.value.reason == "bad_recording"


def test_the_deprecated_file_serves_where_the_list_is_missing() -> None:
    assert read(ended(fileResults=None)) == read(ended())


def test_location_and_download_url_are_never_read() -> None:
    poisoned = json.loads(
        re.sub(r'"(location|download_url)": "[^"]*"', r'"\1": "https://evil.example/x"', json.dumps(ended()))
    )
    assert read(poisoned) == read(ended())


def snake(value: Any) -> Any:
    """As if the whole of egressInfo had been written in snake_case."""
    if isinstance(value, dict):
        return {re.sub("(?=[A-Z])", "_", key).lower(): snake(item) for key, item in value.items()}
    return [snake(item) for item in value] if isinstance(value, list) else value


def test_snake_case_and_mixtures_read_the_same() -> None:
    payload = ended()
    payload["egressInfo"] = snake(payload["egressInfo"])
    assert read(payload) == read(ended())
    payload["egressInfo"]["fileResults"] = ended()["egressInfo"]["fileResults"]
    assert read(payload) == read(ended())


UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
MOMENTS = st.integers(946_684_800, 4_102_444_800)


@given(
    MOMENTS, st.integers(2, 6 * 86_400), *[st.sampled_from([*UNITS]) for _ in range(3)], st.booleans(), st.booleans()
)
def test_any_mixture_of_units_is_told_apart(  # noqa: PLR0917
    start: int,
    seconds: int,
    start_unit: str,
    end_unit: str,
    duration_unit: str,
    text: bool,  # noqa: FBT001
    real: bool,  # noqa: FBT001
) -> None:
    def written(value: int, unit: str) -> Any:
        scaled = value * UNITS[unit]
        return str(scaled) if text else float(scaled) if real else scaled

    file = {"filename": "calls/a.mp4", "duration": written(seconds, duration_unit)}
    info = {
        "startedAt": written(start, start_unit),
        "endedAt": written(start + seconds, end_unit),
        "fileResults": [file],
        "file": None,
    }
    made = read(ended(**info))
    assert made.started_at is not None
    assert made.ended_at is not None
    assert abs(made.started_at.timestamp() - start) < 0.001
    assert abs(made.ended_at.timestamp() - start - seconds) < 0.001
    assert made.duration_s == pytest.approx(seconds, rel=1e-3)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("11800000001", 11.800000001),
        ("5000000", 0.005),
        (11800000001, 11.800000001),
        (123.45, 123.45),
        ("123.45", 123.45),
        (123, 123.0),
        (0, None),
        ("0", None),
        (-5, None),
        (True, None),
        ("soon", None),
        (1e300, None),
        (5e-324, None),
    ],
)
def test_a_duration_alone(duration: Any, seconds: float | None) -> None:
    file = {"filename": "calls/a.mp4", "duration": duration}
    payload = ended(startedAt=None, endedAt=None, fileResults=[file], file=None)
    made = read(payload | {"createdAt": None})
    assert made.duration_s == (None if seconds is None else pytest.approx(seconds))
    assert (made.started_at, made.ended_at) == (None, None)


def test_a_duration_that_is_missing_is_the_time_between() -> None:
    made = read(ended(fileResults=[{"filename": "calls/a.mp4"}], file=None))
    assert made.duration_s == pytest.approx(12.0889)


def test_the_end_may_be_known_by_the_event_alone() -> None:
    made = read(ended(startedAt=None, endedAt=None, fileResults=[{"filename": "calls/a.mp4"}], file=None))
    assert made.ended_at == datetime.fromtimestamp(1795478447, UTC)
    assert made.duration_s is None


@pytest.mark.parametrize("duration", [0, 5e-324, "0"])
def test_a_duration_that_says_nothing_is_the_time_between(duration: Any) -> None:
    """A float so small that its nanoseconds are zero is none either."""
    made = read(ended(fileResults=[{"filename": "calls/a.mp4", "duration": duration}], file=None))
    assert made.duration_s == pytest.approx(12.0889)


def test_a_duration_is_never_longer_than_any_call() -> None:
    """Where start and end are years apart, milliseconds would come nearest to them."""
    file = {"filename": "calls/a.mp4", "duration": 6 * 86_400 * 10**9}
    made = read(ended(startedAt=946_684_800, endedAt=4_102_444_800, fileResults=[file], file=None))
    assert made.duration_s == 6 * 86_400


@pytest.mark.parametrize("name", ["egressId", "roomId", "roomName"])
def test_half_a_character_in_a_name_fails_alone(name: str) -> None:
    """Airtable's request for the whole batch could not be written with it."""
    with pytest.raises(PermanentError) as error:
        Recording.from_payload(ended(**{name: "x\ud800"}))
    assert error.value.reason == "bad_recording"
    assert read(ended(**{name: "x\U0001f600"}))


def test_a_start_after_the_end_is_none() -> None:
    made = read(ended(startedAt="1795478999740634397"))
    assert made.started_at is None
    assert made.ended_at is not None


@pytest.mark.parametrize("size", [0, "0", -1, 1.5, "x", True, None, "1" * 400, float("inf")])
def test_a_size_that_is_none(size: Any) -> None:
    assert read(ended(fileResults=[{"filename": "calls/a.mp4", "size": size}])).size_bytes is None


@pytest.mark.parametrize(
    ("info", "buckets"),
    [
        ({}, ("recordings",)),
        ({"roomComposite": {"file": {"s3": {"bucket": "b"}}}}, ("b",)),
        ({"roomComposite": {"storage": {"s3": {"bucket": "b"}}, "fileOutputs": [{"s3": {"bucket": "a"}}]}}, ("a", "b")),
        ({"roomComposite": None, "web": {"file_outputs": [{"s3": {"bucket": "b"}}]}}, ("b",)),
        ({"roomComposite": None}, ()),
        ({"roomComposite": {"fileOutputs": [{"s3": 5}, {"s3": {"bucket": 5}}, 7]}}, ()),
    ],
)
def test_the_buckets_it_was_asked_to_write_to(info: dict[str, Any], buckets: tuple[str, ...]) -> None:
    assert read(ended(**info)).buckets == buckets


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"buckets": ()},
        {"buckets": ("other", "recordings")},
        {"key": None},
        {"key": "calls/a..b/c.mp4"},
        {"key": "calls/é"},
    ],
)
def test_a_recording_in_its_place(changes: dict[str, Any]) -> None:
    check_place(recording(**changes), "recordings", "calls/")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"buckets": ("other",)}, "wrong_bucket"),
        ({"buckets": ("Recordings",)}, "wrong_bucket"),
        ({"key": "other/a.mp4"}, "wrong_key"),
        ({"key": "/calls/a.mp4"}, "wrong_key"),
        ({"key": "calls"}, "wrong_key"),
        ({"key": "calls/"}, "wrong_key"),
        ({"key": "callsx/a"}, "wrong_key"),
        ({"key": "calls/../other/a.mp4"}, "wrong_key"),
        ({"key": "calls/a/.."}, "wrong_key"),
        ({"key": "calls/./a"}, "wrong_key"),
        ({"key": "calls/" + "x" * 1024}, "wrong_key"),
        ({"key": "calls/\ud800"}, "wrong_key"),
        ({"buckets": ("other",), "key": None}, "wrong_bucket"),
    ],
)
def test_a_recording_out_of_place(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(PermanentError) as error:
        check_place(recording(**changes), "recordings", "calls/")
    assert error.value.reason == reason
    assert str(changes.get("key")) not in str(error.value)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([5e-324, 10**400, "\ud800", "9" * 400])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*ended()["egressInfo"], "egress_id", "file_results", "backupStorageUsed"])


@settings(max_examples=800)
@given(
    st.dictionaries(NAMES, JSON, max_size=4),
    st.dictionaries(st.sampled_from(["filename", "size", "duration", "startedAt"]), JSON),
)
def test_no_json_does_more_than_say_no(info: dict[str, Any], file: dict[str, Any]) -> None:
    payload = ended(**({"fileResults": [ended()["egressInfo"]["fileResults"][0] | file]} | info))
    try:
        made = Recording.from_payload(payload)
        if made is not None:
            check_place(made, "recordings", "calls/")
    except PermanentError:
        return
    if made is None:
        return
    assert made.egress_id
    for text in (made.egress_id, made.room_id, made.room_name, made.key):
        assert text is None or text.encode()
    for moment in (made.started_at, made.ended_at):
        assert moment is None or (moment.utcoffset() == timedelta(0) and 2000 <= moment.year < 2200)
    assert made.duration_s is None or 0 < made.duration_s < 1e10
    assert made.size_bytes is None or made.size_bytes > 0
    assert made.key is None or made.key.startswith("calls/")
    assert made.status_text
    assert made.has_file or made.alert
