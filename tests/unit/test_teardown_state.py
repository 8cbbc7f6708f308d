"""What goes and what stays, from a state as the engine exports it; and how that is shown."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.teardown.plan import Plan
from scripts.teardown.recordings import Holding
from scripts.teardown.state import Resource, Split, shown, unprotected

PRE = "urn:pulumi:unit::callrec::"


def entry(kind: str, name: str, parent: str = "", identity: str = "", **more: Any) -> dict[str, Any]:
    found = {"urn": f"{PRE}{kind}::{name}", "type": kind, "custom": bool(identity), "parent": parent, **more}
    return found | ({"id": identity} if identity else {})


STACK = f"{PRE}pulumi:pulumi:Stack::callrec-unit"
RECORDINGS = f"{PRE}callrec:RecordingBucket::recordings"
PRIVATE = f"{PRE}callrec:PrivateBucket::recordings"
LOGS = f"{PRE}callrec:PrivateBucket::recordings-access-logs"
KEPT: dict[str, Any] = {"protect": True, "retainOnDelete": True}

STATE: dict[str, Any] = {
    "manifest": {},
    "resources": [
        entry("pulumi:pulumi:Stack", "callrec-unit"),
        entry("pulumi:providers:aws", "default", STACK, "uuid"),
        # A state is not always in the order of parents.
        entry("aws:s3/bucket:Bucket", "recordings-access-logs", LOGS, "recordings-access-logs", **KEPT),
        entry("aws:s3/bucket:Bucket", "recordings", PRIVATE, "recordings", **KEPT),
        entry("callrec:PrivateBucket", "recordings", RECORDINGS, **KEPT),
        entry("callrec:PrivateBucket", "recordings-access-logs", RECORDINGS, **KEPT),
        entry("callrec:RecordingBucket", "recordings", STACK),
        entry("aws:kms/key:Key", "recordings", RECORDINGS, "key-id", **KEPT),
        entry("callrec:Pipeline", "pipeline", STACK),
        entry("aws:lambda/function:Function", "receive", f"{PRE}callrec:Pipeline::pipeline", "callrec-unit-receive"),
        entry("aws:iam/accessKey:AccessKey", "uploader", STACK, "AKIA"),
    ],
}


def names(resources: Any) -> set[str]:
    return {f"{resource.kind} {resource.name}" for resource in resources}


def test_the_bucket_and_everything_below_it_stays() -> None:
    split = Split.of(STATE)
    assert names(split.going) == {"callrec Pipeline pipeline", "lambda Function receive", "iam AccessKey uploader"}
    assert names(split.staying) == {
        "callrec RecordingBucket recordings",
        "callrec PrivateBucket recordings",
        "callrec PrivateBucket recordings-access-logs",
        "s3 Bucket recordings",
        "s3 Bucket recordings-access-logs",
        "kms Key recordings",
    }
    assert len(split.everything) == 9
    assert split.buckets == ["recordings", "recordings-access-logs"]


def test_the_log_of_who_listened_stays() -> None:
    group = "aws:cloudwatch/logGroup:LogGroup"
    more = [
        entry(group, "play", f"{PRE}callrec:PlayLog::play-log", "play-group", **KEPT),
        entry("callrec:PlayLog", "play-log", STACK),
        entry(group, "receive", f"{PRE}callrec:Pipeline::pipeline", "receive-group"),
    ]
    split = Split.of({**STATE, "resources": [*STATE["resources"], *more]})
    assert {"callrec PlayLog play-log", "cloudwatch LogGroup play"} <= names(split.staying)
    assert "cloudwatch LogGroup receive" in names(split.going)
    assert split.logs == ["play-group"]


@pytest.mark.parametrize("state", [{}, {"resources": None}, {"resources": []}])
def test_a_stack_that_was_never_up_has_nothing(state: dict[str, Any]) -> None:
    split = Split.of(state)
    assert split.everything == []
    assert split.buckets == []
    assert unprotected(state)["resources"] == []


def test_unprotecting_changes_nothing_else() -> None:
    freed = unprotected(STATE)
    assert not any("protect" in one or "retainOnDelete" in one for one in freed["resources"])
    again = [
        {**one, **{k: v for k, v in before.items() if k in KEPT}}
        for one, before in zip(freed["resources"], STATE["resources"], strict=True)
    ]
    assert {**freed, "resources": again} == STATE


def test_components_are_not_shown() -> None:
    assert [resource.id for resource in shown(Split.of(STATE).going)] == ["AKIA", "callrec-unit-receive"]


def plan(**changes: Any) -> Plan:
    split = Split.of(STATE)
    values: dict[str, Any] = {
        "stack": "unit",
        "deletes_recordings": False,
        "going": split.going,
        "staying": split.staying,
        "buckets": {"recordings": Holding(objects=2, versions=3, size=1_500_000)},
        "queues": {},
        "egresses": [],
    }
    return Plan(**(values | changes))


def test_access_logs_are_named_among_what_is_deleted_and_not_exported() -> None:
    buckets = {"recordings": Holding(objects=2), "access-logs": Holding(objects=9)}
    lines = list(plan(buckets=buckets, deletes_recordings=True, export="/out").lines(dry=True))
    [own] = [line for line in lines if line.startswith("bucket recordings: 2 objects")]
    [logs] = [line for line in lines if line.startswith("bucket access-logs: 9 objects")]
    assert own.endswith("deleted for ever")
    assert logs.endswith("deleted for ever; access logs, which --export does not download")
    assert "downloaded first, with a manifest: every version in recordings" in lines
    kept = list(plan(buckets=buckets).lines(dry=True))
    assert not any("--export" in line for line in kept)


def test_what_waits_in_a_queue_is_said_before_it_is_lost() -> None:
    lines = list(plan(queues={"events.fifo": 3, "events-dlq.fifo": 0, "arrivals": 2}).lines(dry=True))
    assert "queue events.fifo: 3 events not delivered yet; lost with it" in lines
    assert not any("events-dlq" in line for line in lines)
    [arrivals] = [line for line in lines if line.startswith("queue arrivals: 2 stored files")]
    assert "lost" not in arrivals


def test_lost_links_are_said_when_the_addresses_go() -> None:
    address = Resource(urn="u", type="aws:lambda/functionUrl:FunctionUrl", id="play", parent="")
    assert any("links in Airtable end" in line for line in plan(going=[address]).lines(dry=True))
    assert not any("links in Airtable end" in line for line in plan(going=[]).lines(dry=True))


def test_a_dry_run_says_so_and_shows_everything() -> None:
    lines = list(plan().lines(dry=True))
    assert lines[0] == "Stack unit (dry run: nothing is changed)"
    assert "would go:" in lines
    assert "  iam AccessKey    AKIA" in lines
    assert "would stay:" in lines
    assert "bucket recordings: 2 objects in 3 versions, 1.5 MB; kept" in lines
    assert not any("LiveKit" in line for line in lines)


def test_deleting_everything_says_what_is_lost() -> None:
    everything = Split.of(STATE).everything
    made = plan(deletes_recordings=True, going=everything, staying=[], egresses=["EG_1"], buckets={"recordings": None})
    lines = list(made.lines(dry=False))
    assert "bucket recordings: not there any more" in lines
    assert any("30 days" in line for line in lines)
    assert "recording now, stopped first: EG_1" in lines
    assert "staying:" not in lines


def test_an_unasked_livekit_is_said_when_it_matters() -> None:
    assert "LiveKit is not asked what it records now" in list(plan(egresses=None).lines(dry=False))
    nothing = list(plan(going=[], egresses=None).lines(dry=False))
    assert "nothing is left to remove" in nothing
    assert not any("LiveKit" in line for line in nothing)


def test_the_document_holds_the_same() -> None:
    document = plan(egresses=None).document()
    assert document["going"] == [
        {"kind": "iam AccessKey", "id": "AKIA"},
        {"kind": "lambda Function", "id": "callrec-unit-receive"},
    ]
    counted = {"objects": 2, "versions": 3, "bytes": 1_500_000}
    assert document["buckets"] == {"recordings": counted | {"youngerThanADay": 0, "locked": 0, "lockedUntil": None}}
    assert document["egresses"] is None
    assert plan(buckets={"recordings": None}, egresses=["EG_1"]).document()["buckets"] == {"recordings": None}


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (29_000_000, "29.0 MB"), (10**15, "1000.0 TB")],
)
def test_sizes_are_readable(size: int, words: str) -> None:
    assert Holding(size=size).words.endswith(words)
