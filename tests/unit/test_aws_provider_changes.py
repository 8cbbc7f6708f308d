"""How the AWS stand-in compares what is wanted with what is known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.local.aws_provider import lifecycle
from scripts.local.aws_provider.changes import DEFAULTS, changed_props, inputs_of, merged_tags, planned, remembered
from scripts.local.aws_provider.equality import covers, same, same_json, same_set, same_tail
from scripts.local.aws_provider.registry import KINDS
from scripts.local.aws_provider.s3_notifications import same_queues
from scripts.local.aws_provider.values import UNKNOWN, Archive

BUCKET, QUEUE, FUNCTION = (
    KINDS["aws:s3/bucket:Bucket"],
    KINDS["aws:sqs/queue:Queue"],
    KINDS["aws:lambda/function:Function"],
)
ROLE, KEY = KINDS["aws:iam/role:Role"], KINDS["aws:kms/key:Key"]


@pytest.mark.parametrize(
    ("want", "have", "equal"),
    [
        (None, {}, True),
        ([], None, True),
        ({"a": None, "b": False, "c": ""}, {}, True),
        ({"days": 0}, {}, False),
        ({"a": 1}, {"a": 2}, False),
        ([{"a": 1}], [{"a": 1, "b": []}], True),
        ("", None, False),
        (False, None, False),
    ],
)
def test_absent_empty_and_false_parts_of_objects_are_one(want: Any, have: Any, *, equal: bool) -> None:
    assert same(want, have) is equal


@pytest.mark.parametrize(
    ("want", "have", "equal"),
    [
        ('{"Action": ["b", "a"]}', '{"Action":["a","b"]}', True),
        ('{"Action": ["a"]}', {"Action": "a"}, True),
        ('{"Bool": {"x": true}}', '{"Bool": {"x": "true"}}', True),
        ('{"Statement": [{"Sid": "1"}, {"Sid": "2"}]}', '{"Statement": [{"Sid": "2"}, {"Sid": "1"}]}', False),
        ('{"maxReceiveCount": 5}', '{"maxReceiveCount": 6}', False),
        ("not JSON", "not JSON", True),
        ("not JSON", "{}", False),
    ],
)
def test_policies_are_the_same_when_they_mean_the_same(want: Any, have: Any, *, equal: bool) -> None:
    assert same_json(want, have) is equal


def test_sets_names_and_partly_named_objects() -> None:
    assert same_set(["a", "b"], ["b", "a"])
    assert not same_set(["a"], None)
    assert same_tail("arn:aws:lambda:r:1:function:f", "f")
    assert same_tail("arn:aws:kms:r:1:key/k", "k")
    assert not same_tail(None, "k")
    assert covers({"logFormat": "JSON"}, {"logFormat": "JSON", "systemLogLevel": "INFO"})
    assert not covers({"logFormat": "JSON"}, {"logFormat": "Text"})
    assert not covers({"logFormat": "JSON"}, None)
    told = {"queueArn": "q", "events": ["e"], "id": "chosen-by-aws"}
    assert same_queues([{"queueArn": "q", "events": ["e"]}], [told])
    assert not same_queues([{"queueArn": "q", "events": ["e"], "id": "ours"}], [told])
    assert not same_queues([{"queueArn": "other", "events": ["e"]}], [told])
    assert not same_queues([told], [])
    assert same_queues(None, [])


REPLACING: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("aws:s3/bucket:Bucket", {"bucket": "a"}, {"bucket": "b"}),
    ("aws:s3/bucket:Bucket", {"objectLockEnabled": True}, {"objectLockEnabled": False}),
    ("aws:s3/bucketVersioning:BucketVersioning", {"bucket": "a"}, {"bucket": "b"}),
    ("aws:kms/alias:Alias", {"name": "alias/a"}, {"name": "alias/b"}),
    ("aws:iam/user:User", {"name": "a"}, {"name": "b"}),
    ("aws:iam/role:Role", {"path": "/a/"}, {"path": "/"}),
    ("aws:iam/accessKey:AccessKey", {"user": "a"}, {"user": "b"}),
    ("aws:iam/groupPolicy:GroupPolicy", {"group": "a"}, {"group": "b"}),
    ("aws:iam/rolePolicy:RolePolicy", {"name": "a"}, {"name": "b"}),
    ("aws:iam/userGroupMembership:UserGroupMembership", {"user": "a"}, {"user": "b"}),
    ("aws:secretsmanager/secret:Secret", {"name": "a"}, {"name": "b"}),
    ("aws:secretsmanager/secretVersion:SecretVersion", {"secretString": "a"}, {"secretString": "b"}),
    ("aws:sqs/queue:Queue", {"fifoQueue": True}, {"fifoQueue": False}),
    ("aws:sqs/queue:Queue", {"name": "a"}, {"name": "b"}),
    ("aws:sqs/queuePolicy:QueuePolicy", {"queueUrl": "a"}, {"queueUrl": "b"}),
    ("aws:lambda/function:Function", {"name": "a"}, {"name": "b"}),
    ("aws:lambda/function:Function", {"packageType": "Image"}, {"packageType": "Zip"}),
    ("aws:lambda/functionUrl:FunctionUrl", {"functionName": "a"}, {"functionName": "b"}),
    ("aws:lambda/permission:Permission", {"action": "a"}, {"action": "b"}),
    ("aws:lambda/eventSourceMapping:EventSourceMapping", {"eventSourceArn": "a"}, {"eventSourceArn": "b"}),
    ("aws:cloudwatch/logGroup:LogGroup", {"name": "a"}, {"name": "b"}),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", {"name": "a"}, {"name": "b"}),
    ("aws:cloudwatch/dashboard:Dashboard", {"dashboardName": "a"}, {"dashboardName": "b"}),
]


@pytest.mark.parametrize(("kind", "wanted", "known"), REPLACING)
def test_what_aws_cannot_change_replaces(kind: str, wanted: dict[str, Any], known: dict[str, Any]) -> None:
    found = lifecycle.diff(KINDS[kind], wanted, known)
    assert any(prop.replaces for prop in found.props if prop.name in wanted)


@pytest.mark.parametrize(
    ("kind", "wanted", "known"),
    [
        ("aws:sqs/queue:Queue", {"visibilityTimeoutSeconds": 60}, {"visibilityTimeoutSeconds": 30}),
        ("aws:lambda/function:Function", {"timeout": 60}, {"timeout": 3}),
        ("aws:lambda/function:Function", {"code": Archive("a", {})}, {"code": Archive("b", {})}),
        ("aws:lambda/eventSourceMapping:EventSourceMapping", {"functionName": "a"}, {"functionName": "b"}),
        ("aws:iam/userGroupMembership:UserGroupMembership", {"groups": ["a"]}, {"groups": ["b"]}),
        ("aws:s3/bucket:Bucket", {"tags": {"a": "b"}}, {}),
    ],
)
def test_what_aws_can_change_does_not(kind: str, wanted: dict[str, Any], known: dict[str, Any]) -> None:
    found = lifecycle.diff(KINDS[kind], wanted, known)
    assert [prop.name for prop in found.props] == list(wanted)
    assert not any(prop.replaces for prop in found.props)
    assert not found.delete_first


def test_absent_means_the_default_or_somebody_elses_choice() -> None:
    live = {"name": "q", "visibilityTimeoutSeconds": 30, "sqsManagedSseEnabled": True, "policy": "{}"}
    assert changed_props(QUEUE, {}, live) == []
    drifted = live | {"visibilityTimeoutSeconds": 31}
    assert [prop.name for prop in changed_props(QUEUE, {}, drifted)] == ["visibilityTimeoutSeconds"]


def test_what_is_not_known_yet_counts_as_a_change() -> None:
    assert [prop.name for prop in changed_props(BUCKET, {"tags": {"a": UNKNOWN}}, {"tags": {"a": "b"}})] == ["tags"]


@pytest.mark.parametrize("path", ["tags", "tags.a", 'tags["a"]'])
def test_ignored_paths_are_no_change(path: str) -> None:
    assert changed_props(BUCKET, {"tags": {"a": "b"}}, {"tags": {"a": "c"}}, [path]) == []


@pytest.mark.parametrize(
    ("kind", "wanted", "known", "first"),
    [
        (BUCKET, {"bucket": "b", "objectLockEnabled": True}, {"bucket": "b"}, True),
        (BUCKET, {"bucket": "b-1", "objectLockEnabled": True, DEFAULTS: ["bucket"]}, {"bucket": "b-1"}, False),
        (BUCKET, {"bucket": "new"}, {"bucket": "old"}, False),
        (KINDS["aws:iam/accessKey:AccessKey"], {"user": "a"}, {"user": "b"}, False),
        (KINDS["aws:secretsmanager/secretVersion:SecretVersion"], {"secretString": "a"}, {"secretString": "b"}, False),
        (KINDS["aws:sqs/queuePolicy:QueuePolicy"], {"queueUrl": "a"}, {"queueUrl": "b"}, False),
    ],
)
def test_the_old_one_goes_first_when_the_new_one_needs_its_name(
    kind: Any, wanted: dict[str, Any], known: dict[str, Any], *, first: bool
) -> None:
    assert lifecycle.diff(kind, wanted, known).delete_first is first


def test_a_preview_promises_what_is_asked_for_and_nothing_only_aws_knows() -> None:
    outputs = planned(FUNCTION, {"name": "f", "role": "r", DEFAULTS: ["name"]})
    assert (outputs["name"], outputs["timeout"], outputs["arn"]) == ("f", 3, UNKNOWN)
    assert "reservedConcurrentExecutions" in outputs
    assert DEFAULTS not in outputs


def test_a_preview_of_an_update_keeps_what_will_not_change() -> None:
    known = {"name": "f", "arn": "arn:f", "codeSha256": "old", "timeout": 3, "description": "gone"}
    outputs = planned(FUNCTION, {"timeout": 9}, known)
    assert (outputs["arn"], outputs["timeout"], outputs["codeSha256"]) == ("arn:f", 9, UNKNOWN)
    assert (outputs["name"], outputs["description"]) == ("f", "")


def test_the_state_keeps_its_own_words_and_what_aws_never_tells() -> None:
    trust = json.dumps({"Statement": [{"Action": ["sts:AssumeRole"]}]})
    live = {"assumeRolePolicy": '{"Statement":[{"Action":"sts:AssumeRole"}]}', "description": "theirs", "arn": None}
    state = {"assumeRolePolicy": trust, "description": "ours", "forceDetachPolicies": True}
    assert remembered(ROLE, live, state) == {
        "assumeRolePolicy": trust,
        "description": "theirs",
        "forceDetachPolicies": True,
    }


def test_read_inputs_are_the_old_ones_where_they_still_hold() -> None:
    outputs = {"bucket": "b", "tags": {"theirs": "yes"}, "objectLockEnabled": False, "region": "r", "arn": "a"}
    old = {"bucket": "b", DEFAULTS: ["bucket"]}
    assert inputs_of(BUCKET, outputs, old) == {"bucket": "b", "tags": {"theirs": "yes"}, DEFAULTS: ["bucket"]}
    assert inputs_of(BUCKET, outputs, old | {"tags": {"ours": "yes"}})["tags"] == {"theirs": "yes"}
    assert "tags" not in inputs_of(BUCKET, {"bucket": "b"}, old | {"tags": {"ours": "yes"}})


def test_read_inputs_of_an_import_are_all_that_is_not_default() -> None:
    outputs = {"keyId": "k", "description": "d", "isEnabled": True, "policy": "{}", "enableKeyRotation": True}
    assert inputs_of(KEY, outputs, {}) == {"description": "d", "policy": "{}", "enableKeyRotation": True}


def test_default_tags_lie_under_the_resources_own() -> None:
    assert merged_tags(BUCKET, {"tags": {"a": "own"}}, {"a": "default", "b": "default"})["tags"] == {
        "a": "own",
        "b": "default",
    }
    assert merged_tags(BUCKET, {"tags": UNKNOWN}, {"a": "default"}) == {"tags": UNKNOWN}
    assert merged_tags(BUCKET, {}, {}) == {}
    assert merged_tags(KINDS["aws:iam/group:Group"], {}, {"a": "default"}) == {}
