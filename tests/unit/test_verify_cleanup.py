"""What probes made is removed, each part whatever becomes of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from botocore.exceptions import EndpointConnectionError

from scripts.verify.cleanup import Cleanup
from scripts.verify.probe import OUTSIDE, Probe, inside
from tests.unit.dead_letters_support import FakeQueue, event
from tests.unit.verify_support import BUCKET, PREFIX, FakeAws, FakeClient, deployment, failure, refusal


class FakeTable:
    """The conversations' side: how many probes there are, or why that cannot be told."""

    def __init__(self, found: int | Exception = 0) -> None:
        self.found = found

    def sweep(self) -> int:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def entry(key: str, version: str) -> dict[str, str]:
    return {"Key": key, "VersionId": version}


def made(table: FakeTable | None = None, sqs: FakeClient | None = None, **s3: Any) -> tuple[Cleanup, FakeClient]:
    answers: dict[str, Any] = {
        "list_multipart_uploads": {},
        "list_object_versions": {},
        "delete_objects": {},
        "abort_multipart_upload": {},
    }
    client = FakeClient(**(answers | s3))
    aws = FakeAws(clients={"s3": client, "sqs": sqs or FakeQueue()})
    fake: Any = table or FakeTable()
    return Cleanup.of(deployment(aws), fake), client


def test_without_leftovers_nothing_is_deleted() -> None:
    cleanup, s3 = made()
    assert cleanup.everything(waiting=True) == "nothing was left"
    assert not s3.called("delete_objects")


def test_versions_markers_uploads_records_and_messages_go() -> None:
    def versions(**call: Any) -> Any:
        pages = {
            inside(PREFIX): [
                {"Versions": [entry("calls/callrec-verify/a", "1"), entry("calls/callrec-verify/a", "2")]},
                {"DeleteMarkers": [entry("calls/callrec-verify/a", "3")]},
            ],
            OUTSIDE: {"Versions": [entry("callrec-verify-outside/a", "null")]},
        }
        return pages[call["Prefix"]]

    def uploads(**call: Any) -> Any:
        return {"Uploads": [{"Key": f"{call['Prefix']}b", "UploadId": "U"}]}

    queue = FakeQueue(event("callrec-verify-1"), event("camille"))
    cleanup, s3 = made(FakeTable(2), queue, list_object_versions=versions, list_multipart_uploads=uploads)
    said = cleanup.everything(waiting=False)
    assert said == "removed 2 unfinished uploads, 4 object versions, 2 conversations, 1 dead letters"
    gone = [item for call in s3.called("delete_objects") for item in call["Delete"]["Objects"]]
    assert [item["VersionId"] for item in gone] == ["1", "2", "3", "null"]
    assert {call["Bucket"] for call in s3.called("abort_multipart_upload")} == {BUCKET}
    assert [json.loads(str(left["Body"]))["room"]["name"] for left in queue.messages.values()] == ["camille"]


def test_the_queue_itself_is_looked_through_only_when_asked() -> None:
    for waiting, urls in (
        (False, {"https://sqs/events-dlq.fifo"}),
        (True, {"https://sqs/events-dlq.fifo", "https://sqs/events.fifo"}),
    ):
        queue = FakeQueue()
        cleanup, _ = made(sqs=queue)
        cleanup.everything(waiting=waiting)
        assert {call["QueueUrl"] for call in queue.called("receive_message")} == urls


def answered(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError("a text that quotes a link", response=response)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (answered(403), "conversations (Airtable answered 403)"),
        (requests.ConnectionError("https://secret"), "conversations (no answer)"),
        (EndpointConnectionError(endpoint_url="https://secret"), "conversations (no answer)"),
        (refusal("AccessDenied"), "conversations (AccessDenied)"),
        (KeyError("secret"), "conversations (KeyError)"),
    ],
)
def test_what_cannot_be_removed_is_said_and_the_rest_goes(error: Exception, words: str) -> None:
    cleanup, s3 = made(FakeTable(error), list_object_versions={"Versions": [entry("calls/callrec-verify/a", "1")]})
    failed = failure(lambda: cleanup.everything(waiting=False))
    assert failed.seen == f"could not remove: {words}"
    assert s3.called("delete_objects")


def test_versions_that_s3_keeps_are_said() -> None:
    kept = {"Errors": [{"Code": "AccessDenied"}]}
    cleanup, _ = made(list_object_versions={"Versions": [entry("k", "1")]}, delete_objects=kept)
    assert "object versions (1 of 1 stayed)" in failure(lambda: cleanup.everything(waiting=False)).seen


@pytest.mark.parametrize(("lock", "bypass"), [("governance", {"BypassGovernanceRetention": True}), ("compliance", {})])
def test_what_object_lock_keeps_is_left_for_a_later_run(lock: str, bypass: dict[str, bool]) -> None:
    kept = {"Errors": [{"Code": "AccessDenied"}]}
    cleanup, s3 = made(list_object_versions={"Versions": [entry("k", "1"), entry("k", "2")]}, delete_objects=kept)
    cleanup.lock = lock
    assert cleanup.everything(waiting=False) == "removed 2 object versions"  # one in each folder
    assert {name: call.get(name) for call in s3.called("delete_objects") for name in bypass} == bypass
    s3.answers["delete_objects"] = {"Errors": [{"Code": "InternalError"}]}
    assert "object versions" in failure(lambda: cleanup.everything(waiting=False)).seen


def test_probes_are_found_again_by_their_names() -> None:
    one, two = Probe.new(PREFIX), Probe.new(PREFIX)
    assert one.room != two.room
    for key in (one.key, one.small_key, one.large_key, one.aborted_key):
        assert key.startswith(inside(PREFIX))
    assert one.outside_key.startswith(OUTSIDE)
    assert not one.outside_key.startswith(PREFIX)
    assert one.room.startswith("callrec-verify-")
