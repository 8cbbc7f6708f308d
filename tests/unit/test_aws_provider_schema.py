"""What the AWS stand-in accepts is what the installed pulumi-aws takes."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_aws import iam, kms, lambda_, s3, sqs

from scripts.local.aws_provider.changes import check_inputs, unsupported
from scripts.local.aws_provider.errors import UnknownTypeError
from scripts.local.aws_provider.registry import KINDS, kind_of
from scripts.local.aws_provider.schema import args_class, check_object, fields_of, output_names
from scripts.local.aws_provider.values import UNKNOWN, Archive, Asset

BUCKET, QUEUE, FUNCTION = "aws:s3/bucket:Bucket", "aws:sqs/queue:Queue", "aws:lambda/function:Function"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"


def reasons(resource: type, inputs: dict[str, Any]) -> dict[str, str]:
    return {failure.path: failure.reason for failure in check_object(args_class(resource), inputs)}


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(UnknownTypeError, match="aws:dynamodb/table:Table"):
        kind_of("aws:dynamodb/table:Table")


@pytest.mark.parametrize("kind", KINDS.values(), ids=sorted(KINDS))
def test_every_kind_speaks_pulumi_aws(kind: Any) -> None:
    known = fields_of(args_class(kind.resource))
    assert {prop.name for prop in kind.props} <= set(known)
    assert {name for name, field in known.items() if field.required} <= {prop.name for prop in kind.props}
    assert kind.autonamed is None or kind.autonamed in kind.by_name
    assert set(kind.identified_by) <= set(kind.by_name)
    assert kind.secrets | kind.changing <= output_names(kind.resource)
    assert ("region" in known) == ("region" in kind.by_name)


def test_arguments_classes_with_a_taken_name_are_found() -> None:
    assert args_class(s3.BucketVersioning).__name__ == "BucketVersioningInitArgs"
    with pytest.raises(TypeError, match="str has no arguments class"):
        args_class(str)


def test_an_unknown_property_is_refused_by_name_wherever_it_is() -> None:
    assert reasons(sqs.Queue, {"colour": "red"}) == {"colour": "Queue has no such property: colour"}
    nested = {"bucket": "b", "versioningConfiguration": {"status": "Enabled", "colour": "red"}}
    assert set(reasons(s3.BucketVersioning, nested)) == {"versioningConfiguration.colour"}
    rules = {"bucket": "b", "rules": [{"id": "x", "status": "Enabled"}, {"id": "y", "status": "Enabled", "shade": 1}]}
    assert set(reasons(s3.BucketLifecycleConfiguration, rules)) == {"rules[1].shade"}


def test_a_missing_property_is_named_wherever_it_is() -> None:
    assert reasons(kms.Alias, {}) == {"targetKeyId": "missing required property: targetKeyId"}
    assert set(reasons(s3.BucketVersioning, {"bucket": "b", "versioningConfiguration": {}})) == {
        "versioningConfiguration.status"
    }


@pytest.mark.parametrize(
    ("resource", "inputs", "reason"),
    [
        (sqs.Queue, {"name": 5}, "name must be a string, not an integer"),
        (sqs.Queue, {"fifoQueue": "true"}, "fifoQueue must be a boolean, not a string"),
        (sqs.Queue, {"delaySeconds": 1.5}, "delaySeconds must be an integer, not a number"),
        (sqs.Queue, {"delaySeconds": True}, "delaySeconds must be an integer, not a boolean"),
        (sqs.Queue, {"tags": ["a"]}, "tags must be an object, not a list"),
        (sqs.Queue, {"tags": {"a": 1}}, "tags.a must be a string, not an integer"),
        (lambda_.Function, {"role": "r", "architectures": "arm64"}, "architectures must be a list, not a string"),
        (lambda_.Function, {"role": "r", "architectures": [1]}, "architectures[0] must be a string, not an integer"),
        (lambda_.Function, {"role": "r", "environment": "A=b"}, "environment must be an object, not a string"),
        (lambda_.Function, {"role": "r", "code": "code.zip"}, "code must be an archive, not a string"),
        (lambda_.Function, {"role": "r", "code": Asset(raw={})}, "code must be an archive, not an object"),
        (iam.GroupPolicy, {"group": "g", "policy": 5}, "policy must be a string, not an integer"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(resource: type, inputs: dict[str, Any], reason: str) -> None:
    assert list(reasons(resource, inputs).values()) == [reason]


@pytest.mark.parametrize(
    ("resource", "inputs"),
    [
        (sqs.Queue, {"name": UNKNOWN, "tags": {"a": UNKNOWN}, "__defaults": []}),
        (sqs.Queue, {"tags": UNKNOWN, "delaySeconds": 5}),
        (lambda_.Function, {"role": "r", "code": Archive(hash="h", raw={}), "environment": {"variables": {"A": "b"}}}),
        (lambda_.Function, {"role": "r", "runtime": "python3.13"}),
        (iam.GroupPolicy, {"group": "g", "policy": {"Version": "2012-10-17", "Statement": []}}),
        (iam.GroupPolicy, {"group": "g", "policy": "{}"}),
    ],
)
def test_what_pulumi_aws_takes_passes(resource: type, inputs: dict[str, Any]) -> None:
    assert reasons(resource, inputs) == {}


def test_what_is_refused_never_repeats_a_value() -> None:
    told = reasons(sqs.Queue, {"delaySeconds": "hush-hush"})
    assert "hush-hush" not in str(told)


@pytest.mark.parametrize(
    ("kind", "inputs", "path"),
    [
        (BUCKET, {"bucket": "b", "acl": "private"}, "acl"),
        (QUEUE, {"namePrefix": "x"}, "namePrefix"),
        (FUNCTION, {"loggingConfig": {"logFormat": "JSON", "shade": 1}}, "loggingConfig.shade"),
        (LIFECYCLE, {"rules": [{"filter": {"tag": {"key": "k"}}}]}, "rules.filter.tag"),
        (ENCRYPTION, {"rules": [{"blockedEncryptionTypes": ["NONE"]}]}, "rules.blockedEncryptionTypes"),
    ],
)
def test_what_pulumi_aws_has_and_the_stand_in_has_not_is_refused_by_name(
    kind: str, inputs: dict[str, Any], path: str
) -> None:
    failures = {failure.path: failure.reason for failure in unsupported(KINDS[kind], inputs)}
    assert path in failures
    assert f"does not support {path} of {kind}" in failures[path]


def test_each_wrong_property_is_told_once() -> None:
    paths = [failure.path for failure in check_inputs(KINDS[BUCKET], {"bucket": "b", "colour": "red", "acl": "x"})]
    assert sorted(paths) == ["acl", "colour"]


@pytest.mark.parametrize(
    ("kind", "inputs", "reason"),
    [
        (QUEUE, {"name": "calls", "fifoQueue": True}, "must end in '.fifo'"),
        (QUEUE, {"name": "calls.fifo"}, "must not end in '.fifo'"),
        ("aws:kms/alias:Alias", {"name": "calls", "targetKeyId": "k"}, "must begin with 'alias/'"),
        ("aws:secretsmanager/secretVersion:SecretVersion", {"secretId": "s"}, "secretString"),
        (FUNCTION, {"name": "f", "role": "r", "packageType": "Image"}, "package type Zip only"),
        (FUNCTION, {"name": "f", "role": "r", "runtime": "x", "handler": "y"}, "missing property: code"),
        (FUNCTION, {"name": "f", "role": "r", "publish": True}, "publishes no versions"),
        (FUNCTION, {"name": "f", "role": "r", "code": Archive("h", {"assets": {}})}, "not an archive of assets"),
        (FUNCTION, {"name": "f", "role": "r", "code": Archive("h", {"uri": "u"})}, "not an archive of uri"),
        (FUNCTION, {"name": "f", "role": "r", "code": Archive("h", {})}, "not an archive of other"),
        (FUNCTION, {"name": "f", "role": "r", "code": Archive("h", {"path": __file__})}, "is none"),
    ],
)
def test_rules_beyond_types_are_checked(kind: str, inputs: dict[str, Any], reason: str) -> None:
    assert any(reason in failure.reason for failure in check_inputs(KINDS[kind], inputs))


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        (QUEUE, {"name": "calls.fifo", "fifoQueue": True}),
        (QUEUE, {"name": UNKNOWN, "fifoQueue": True}),
        (QUEUE, {"name": "calls.fifo", "fifoQueue": UNKNOWN}),
        ("aws:kms/alias:Alias", {"name": UNKNOWN, "targetKeyId": "k"}),
        (FUNCTION, {"name": "f", "role": "r", "runtime": "x", "handler": "y", "code": UNKNOWN}),
    ],
)
def test_what_keeps_the_rules_or_is_not_known_yet_passes(kind: str, inputs: dict[str, Any]) -> None:
    assert check_inputs(KINDS[kind], inputs) == []
