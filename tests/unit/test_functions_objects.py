"""Which object version a recording is: the very key, the very size, of its own time."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from infra.functions.errors import WaitError
from infra.functions.objects import Version, choose_version, list_versions
from tests.unit.functions_support import END, START, recording

KEY = "calls/camille/1.mp4"


def version(name: str = "v1", **changes: Any) -> Version:
    made: dict[str, Any] = {"key": KEY, "id": name, "size": 100, "modified": END + timedelta(seconds=1)}
    return Version(**(made | changes))


@pytest.mark.parametrize(
    "versions",
    [
        [],
        [version(key=KEY + ".json")],
        [version(key="calls/camille/1")],
        [version(size=99)],
        [version("null")],
        [version(modified=START - timedelta(minutes=6))],
    ],
)
def test_what_does_not_surely_fit_is_missing(versions: list[Version]) -> None:
    with pytest.raises(WaitError) as error:
        choose_version(versions, recording())
    assert error.value.reason == "recording_missing"


def test_the_key_of_a_reused_room_holds_other_peoples_calls() -> None:
    """calls/{room_name}.mp4: each call overwrites the last; the size tells them apart, and the time equal sizes."""
    versions = [
        version("next", modified=END + timedelta(minutes=30)),
        version("ours"),
        version("other size", size=99, modified=END),
        version("before", modified=START - timedelta(minutes=4)),
    ]
    for order in permutations(versions):
        assert choose_version(order, recording()) == "ours"


def test_clocks_may_differ() -> None:
    assert choose_version([version(modified=END - timedelta(minutes=4))], recording()) == "v1"


def test_one_that_was_written_later_goes_before_one_written_during_the_call() -> None:
    long = recording(ended_at=END + timedelta(hours=1))
    during, after = version("during", modified=END), version("after", modified=END + timedelta(hours=3))
    assert choose_version([during, after], long) == "after"


def test_without_a_size_only_a_single_version_is_it() -> None:
    unsized = recording(size_bytes=None)
    assert choose_version([version(size=5), version("old", modified=START - timedelta(days=1))], unsized) == "v1"
    with pytest.raises(WaitError):
        choose_version([version(), version("v2")], unsized)


def test_without_times_the_newest_of_the_size_is_it() -> None:
    untimed = recording(started_at=None, ended_at=None)
    assert choose_version([version("old", modified=START - timedelta(days=1)), version("new")], untimed) == "new"
    assert choose_version([version()], recording(started_at=None)) == "v1"


def test_the_bucket_is_asked_once_for_the_key() -> None:
    class S3:
        asked: dict[str, Any]
        answer: dict[str, Any]

        def list_object_versions(self, **request: Any) -> dict[str, Any]:
            self.asked = request
            return self.answer

    s3: Any = S3()
    s3.answer = {
        "Versions": [{"Key": KEY, "VersionId": "v1", "Size": 100, "LastModified": END, "IsLatest": False}],
        "DeleteMarkers": [{"Key": KEY, "VersionId": "d1", "LastModified": END}],
    }
    assert list_versions(s3, "recordings", KEY) == [version(modified=END)]
    assert s3.asked == {"Bucket": "recordings", "Prefix": KEY}
    s3.answer = {}
    assert list_versions(s3, "recordings", KEY) == []
