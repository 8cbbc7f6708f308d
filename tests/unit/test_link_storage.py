"""What S3 holds for a link, and how links are withdrawn there."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from infra.functions.links import Link
from scripts.link.storage import State, Stored, outlast, revoke, stored
from tests.unit.functions_support import NOW, Clock

LINK = Link(
    key="calls/a.mp4",
    version="v1",
    egress_id="EG_1",
    file_name="a.mp4",
    issued_at=int(NOW),
    expires_at=int(NOW) + 60,
    room_id=None,
    duration_s=None,
    ended_at=None,
)


def refusal(status: int) -> ClientError:
    return ClientError({"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Op")  # pyright: ignore[reportArgumentType]


class FakeS3:
    """One version and one erasure record; each is an answer or an error."""

    def __init__(self) -> None:
        self.head: Any = {}
        self.erasure: Any = refusal(404)
        self.tags: list[dict[str, str]] = []

    def head_object(self, **request: Any) -> Any:
        answer = self.head if "VersionId" in request else self.erasure
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get_object_tagging(self, **request: Any) -> Any:
        assert request == {"Bucket": "b", "Key": LINK.key, "VersionId": "v1"}
        if isinstance(self.head, Exception):
            raise self.head
        headers = {"date": "Tue, 24 Nov 2026 00:00:47 GMT"}
        return {"TagSet": self.tags, "ResponseMetadata": {"HTTPHeaders": headers}}

    def put_object_tagging(self, **request: Any) -> None:
        assert request["VersionId"] == "v1"
        self.tags = request["Tagging"]["TagSet"]


@pytest.fixture
def s3() -> Any:
    return cast("Any", FakeS3())


@pytest.mark.parametrize(
    ("found", "issued", "state"),
    [
        (Stored(), 5, State.PLAYS),
        (Stored(cold=True), 5, State.ARCHIVED),
        (Stored(revoked_before=5), 5, State.REVOKED),
        (Stored(revoked_before=5), 6, State.PLAYS),
        (Stored(revoked_before=math.inf), math.inf, State.REVOKED),
        (Stored(there=False, revoked_before=9), 5, State.GONE),
        (Stored(erased=True), 5, State.ERASED),
    ],
)
def test_what_a_link_is_good_for(found: Stored, issued: float, state: State) -> None:
    assert found.state(issued) is state


def test_all_of_it_is_asked_for(s3: Any) -> None:
    s3.head = {"StorageClass": "DEEP_ARCHIVE"}
    s3.tags = [{"Key": "callrec-revoked-before", "Value": "17"}]
    assert stored(s3, "b", LINK) == Stored(cold=True, revoked_before=17)
    s3.head = refusal(404)
    assert stored(s3, "b", LINK) == Stored(there=False)
    s3.erasure = {}
    assert stored(s3, "b", LINK) == Stored(erased=True)


@pytest.mark.parametrize("what", ["head", "erasure"])
def test_a_right_that_is_missing_is_no_missing_recording(s3: Any, what: str) -> None:
    setattr(s3, what, refusal(403))
    with pytest.raises(ClientError):
        stored(s3, "b", LINK)


def test_a_link_that_a_clock_ahead_of_s3s_issued_is_withdrawn_too(s3: Any) -> None:
    later = 1_795_478_447 + 600
    assert revoke(s3, "b", replace(LINK, issued_at=later)) == later


def test_links_are_withdrawn_by_s3s_clock_and_other_tags_stay(s3: Any) -> None:
    s3.tags = [{"Key": "own", "Value": "x"}, {"Key": "callrec-revoked-before", "Value": "17"}]
    moment = revoke(s3, "b", LINK)
    assert moment == 1_795_478_447
    assert s3.tags == [{"Key": "own", "Value": "x"}, {"Key": "callrec-revoked-before", "Value": "1795478447"}]
    s3.head = refusal(405)
    assert revoke(s3, "b", LINK) is None


@pytest.mark.parametrize(
    ("before", "lasts", "waited"),
    [
        (float("-inf"), True, 0.0),
        (NOW - 100, True, 0.0),
        (NOW, True, 1.0),
        (NOW + 3, True, 4.0),
        (NOW + 11, False, 0.0),
        (math.inf, False, 0.0),
    ],
)
def test_a_new_link_waits_for_a_clock_that_is_a_little_ahead(before: float, lasts: bool, waited: float) -> None:  # noqa: FBT001
    slept: list[float] = []
    assert outlast(Stored(revoked_before=before), Clock(NOW), slept.append) is lasts
    assert sum(slept) == pytest.approx(waited)
