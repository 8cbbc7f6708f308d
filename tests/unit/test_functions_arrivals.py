"""The arrivals' queue: S3's messages are read, and nothing is lost between runs."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.functions.arrivals import HIDDEN_SECONDS, Arrivals, read
from tests.unit.functions_reconcile import ARRIVALS, BUCKET, FakeQueues, arrived, s3_message
from tests.unit.functions_support import Clock

#: The documentation's example message: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
DOCUMENTED: dict[str, Any] = {
    "Records": [
        {
            "eventVersion": "2.2",
            "eventSource": "aws:s3",
            "awsRegion": "us-west-2",
            "eventTime": "1970-01-01T00:00:00.000Z",
            "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
            "requestParameters": {"sourceIPAddress": "172.16.0.1"},
            "responseElements": {
                "x-amz-request-id": "C3D13FE58DE4C810",
                "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9",
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "testConfigRule",
                "bucket": {
                    "name": "amzn-s3-demo-bucket",
                    "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                    "arn": "arn:aws:s3:::amzn-s3-demo-bucket",
                },
                "object": {
                    "key": "HappyFace.jpg",
                    "size": 1024,
                    "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                    "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                    "sequencer": "0055AED6DCD90281E5",
                },
            },
        }
    ]
}
TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2014-10-13T15:57:02.089Z",
    "Bucket": BUCKET,
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
}


def always() -> bool:
    return True


@pytest.fixture
def queues() -> FakeQueues:
    return FakeQueues(Clock())


@pytest.fixture
def arrivals(queues: FakeQueues) -> Arrivals:
    return Arrivals(cast("Any", queues), ARRIVALS, BUCKET)


def test_the_documented_message_is_read() -> None:
    (found,) = read(json.dumps(DOCUMENTED), "amzn-s3-demo-bucket")
    assert (found.key, found.version, found.size) == ("HappyFace.jpg", "096fKKXTRTtl3on89fVO.nfljtsv6qko", 1024)
    assert found.at.isoformat() == "1970-01-01T00:00:00+00:00"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(0, 5 * 10**12))
def test_keys_come_as_they_are(key: str, size: int) -> None:
    one = arrived(1, key=key, size=size)
    assert read(s3_message(one), BUCKET) == (one,)


def test_a_key_with_a_plus_and_one_with_a_space_differ() -> None:
    plus, space = arrived(1, key="calls/+41791234567.mp4"), arrived(2, key="calls/ 41791234567.mp4")
    assert read(s3_message(plus, space), BUCKET) == (plus, space)


def test_what_is_no_arrival_of_ours_tells_nothing() -> None:
    assert read(json.dumps(TEST_EVENT), BUCKET) == ()
    assert read(s3_message(arrived(1), bucket="another"), BUCKET) == ()
    assert read(s3_message(arrived(1), event="ObjectRemoved:Delete"), BUCKET) == ()
    assert read('{"Records": []}', BUCKET) == ()


def test_a_version_that_is_not_named_is_the_null_version() -> None:
    document = json.loads(s3_message(arrived(1)))
    del document["Records"][0]["s3"]["object"]["versionId"]
    assert read(json.dumps(document), BUCKET)[0].version == "null"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"Event": "s3:Else"}',
        '{"Records": [{"eventName": "ObjectCreated:Put"}]}',
        json.dumps(DOCUMENTED).replace("1970-01-01T00:00:00.000Z", "yesterday"),
        json.dumps(DOCUMENTED).replace("1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000"),
    ],
)
def test_what_s3_does_not_send_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(body, "amzn-s3-demo-bucket")


def test_everything_is_taken_ten_at_a_time(queues: FakeQueues, arrivals: Arrivals) -> None:
    wanted = [arrived(number) for number in range(25)]
    queues.arrive(wanted)
    notices, left = arrivals.drain(1000, always)
    assert [arrival for notice in notices for arrival in notice.arrivals] == wanted
    assert left is None
    assert queues.requests == ["receive"] * 4
    assert queues.visible() == 0
    assert arrivals.requests == 4


def test_a_run_that_is_killed_loses_nothing(queues: FakeQueues, arrivals: Arrivals) -> None:
    queues.arrive([arrived(1)])
    arrivals.drain(1000, always)
    assert arrivals.drain(1000, always) == ([], None)
    queues.clock.now += HIDDEN_SECONDS
    assert len(arrivals.drain(1000, always)[0]) == 1


def test_what_is_concluded_never_comes_again_and_the_rest_at_once(queues: FakeQueues, arrivals: Arrivals) -> None:
    queues.arrive(arrived(number) for number in range(25))
    notices, _ = arrivals.drain(1000, always)
    arrivals.delete(notices[:12], always)
    arrivals.give_back(notices[12:], always)
    assert queues.requests[4:] == ["delete"] * 2 + ["give_back"] * 2
    again, _ = arrivals.drain(1000, always)
    assert [notice.arrivals for notice in again] == [notice.arrivals for notice in notices[12:]]


def test_a_limit_and_a_deadline_leave_the_rest(queues: FakeQueues, arrivals: Arrivals) -> None:
    queues.arrive(arrived(number) for number in range(25))
    assert [len(arrivals.drain(10, always)[0]), arrivals.drain(10, always)[1]] == [10, "arrivals_left"]
    assert arrivals.drain(10, lambda: False) == ([], "out_of_time")
    assert queues.visible() == 5


def test_no_time_left_concludes_nothing(queues: FakeQueues, arrivals: Arrivals) -> None:
    queues.arrive([arrived(1)])
    notices, _ = arrivals.drain(10, always)
    arrivals.delete(notices, lambda: False)
    assert len(queues.waiting) == 1


def test_a_queue_that_fails_keeps_what_it_gave(
    queues: FakeQueues, arrivals: Arrivals, capsys: pytest.CaptureFixture[str]
) -> None:
    queues.arrive([arrived(1)])
    queues.broken = {"receive"}
    assert arrivals.drain(10, always) == ([], "arrivals_unavailable")
    queues.broken = {"delete"}
    notices, _ = arrivals.drain(10, always)
    arrivals.delete(notices, always)
    assert len(queues.waiting) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["arrivals_unavailable", "arrivals_not_concluded"]


def test_what_the_queue_could_not_conclude_is_logged(
    queues: FakeQueues, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queues.arrive([arrived(1)])
    notices, _ = arrivals.drain(10, always)
    monkeypatch.setattr(queues, "delete_message_batch", lambda **_: {"Failed": [{"Id": "0"}]})
    Arrivals(cast("Any", queues), ARRIVALS, BUCKET).delete(notices, always)
    assert json.loads(capsys.readouterr().out)["count"] == 1


def test_an_unreadable_message_is_told_and_may_be_deleted(
    queues: FakeQueues, arrivals: Arrivals, capsys: pytest.CaptureFixture[str]
) -> None:
    queues.put("a phone number: +41791234567")
    ((notice,), _) = arrivals.drain(10, always)
    assert notice.arrivals == ()
    out = capsys.readouterr().out
    assert json.loads(out)["event"] == "arrival_unreadable"
    assert "+4179" not in out


def test_no_key_is_printed() -> None:
    assert "calls/" not in repr(arrived(1))
