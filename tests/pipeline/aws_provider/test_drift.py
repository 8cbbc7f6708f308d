"""What others do to AWS behind Pulumi's back: `refresh` shows it, `up` repairs it, what is gone is no failure."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from .bench import Bench, Run, client_of, run
from .program import ACCOUNT, Wanted, allow, everything, write_zip
from .truth import BUCKET, LOGS, inventory, settings, topic_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.local.aws_provider import AwsTarget

pytestmark = pytest.mark.pipeline

Meddle = "Callable[[AwsTarget, dict[str, Any]], object]"


def s3(target: AwsTarget) -> Any:
    return client_of(target, "s3")


def iam(target: AwsTarget) -> Any:
    return client_of(target, "iam")


def function(target: AwsTarget) -> Any:
    return client_of(target, "lambda")


def other_code(target: AwsTarget) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return {'statusCode': 200, 'body': 'theirs'}\n")
    function(target).update_function_code(FunctionName="standin-function", ZipFile=held.getvalue())


def mapping_of(target: AwsTarget) -> str:
    found = function(target).list_event_source_mappings(FunctionName="standin-function")["EventSourceMappings"]
    return found[0]["UUID"]


def function_arn(target: AwsTarget) -> str:
    return function(target).get_function_configuration(FunctionName="standin-function")["FunctionArn"]


def key_of(target: AwsTarget) -> str:
    return client_of(target, "kms").describe_key(KeyId="alias/standin")["KeyMetadata"]["KeyId"]


def queue_attribute(target: AwsTarget, url: str, name: str, value: str) -> None:
    client_of(target, "sqs").set_queue_attributes(QueueUrl=url, Attributes={name: value})


def url_of(target: AwsTarget, name: str) -> str:
    return client_of(target, "sqs").get_queue_url(QueueName=name)["QueueUrl"]


DENY_HTTP = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}
)
OPEN_QUEUE = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}
)
OPEN_TOPIC = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:*", "Resource": "*"}]}
)

# resource name → what somebody does to it
CHANGES: dict[str, Callable[[AwsTarget, dict[str, Any]], object]] = {
    "access-key": lambda target, outputs: iam(target).update_access_key(
        UserName="standin-uploader", AccessKeyId=outputs["accessKeyId"], Status="Inactive"
    ),
    "alarm": lambda target, _: client_of(target, "cloudwatch").put_metric_alarm(
        AlarmName="standin-alarm",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="ApproximateNumberOfMessagesVisible",
        Namespace="AWS/SQS",
        Period=60,
        Statistic="Maximum",
        Threshold=999,
    ),
    "bucket": lambda target, _: s3(target).put_bucket_tagging(
        Bucket=BUCKET, Tagging={"TagSet": [{"Key": "theirs", "Value": "yes"}]}
    ),
    "bucket-policy": lambda target, _: s3(target).put_bucket_policy(Bucket=BUCKET, Policy=DENY_HTTP),
    "dashboard": lambda target, _: client_of(target, "cloudwatch").put_dashboard(
        DashboardName="standin-dashboard", DashboardBody='{"widgets": [], "start": "-PT1H"}'
    ),
    "encryption": lambda target, _: s3(target).delete_bucket_encryption(Bucket=BUCKET),
    "function": lambda target, _: other_code(target),
    "function-url": lambda target, _: function(target).update_function_url_config(
        FunctionName="standin-function", AuthType="AWS_IAM"
    ),
    "group-policy": lambda target, _: iam(target).put_group_policy(
        GroupName="standin-writers", PolicyName="write", PolicyDocument=allow("s3:GetObject", "s3:ListBucket")
    ),
    "invoke-config": lambda target, _: function(target).put_function_event_invoke_config(
        FunctionName="standin-function", MaximumRetryAttempts=2
    ),
    "key": lambda target, _: client_of(target, "kms").disable_key_rotation(KeyId=key_of(target)),
    "lifecycle": lambda target, _: s3(target).put_bucket_lifecycle_configuration(
        Bucket=BUCKET,
        LifecycleConfiguration={
            "Rules": [{"ID": "keep", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
        },
    ),
    "log-group": lambda target, _: client_of(target, "logs").put_retention_policy(
        logGroupName="/standin/function", retentionInDays=1
    ),
    "lock": lambda target, _: s3(target).put_object_lock_configuration(
        Bucket=LOGS,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}},
        },
    ),
    "logging": lambda target, _: s3(target).put_bucket_logging(
        Bucket=BUCKET, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": BUCKET, "TargetPrefix": "x/"}}
    ),
    "mapping": lambda target, _: function(target).update_event_source_mapping(UUID=mapping_of(target), BatchSize=1),
    "notification": lambda target, _: s3(target).put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={}
    ),
    "ownership": lambda target, _: s3(target).put_bucket_ownership_controls(
        Bucket=BUCKET, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    ),
    "public-access": lambda target, _: s3(target).put_public_access_block(
        Bucket=BUCKET, PublicAccessBlockConfiguration={"BlockPublicAcls": False}
    ),
    "queue": lambda target, outputs: queue_attribute(target, outputs["queueUrl"], "VisibilityTimeout", "1"),
    "queue-policy": lambda target, outputs: queue_attribute(target, outputs["queueUrl"], "Policy", OPEN_QUEUE),
    "redrive": lambda target, _: queue_attribute(
        target,
        url_of(target, "standin-plain"),
        "RedrivePolicy",
        json.dumps(
            {"deadLetterTargetArn": f"arn:aws:sqs:{target.region}:{ACCOUNT}:standin-plain-dead", "maxReceiveCount": 1}
        ),
    ),
    "redrive-allow": lambda target, _: queue_attribute(
        target, url_of(target, "standin-dead.fifo"), "RedriveAllowPolicy", '{"redrivePermission": "denyAll"}'
    ),
    "role": lambda target, _: iam(target).update_role(RoleName="standin-role", Description="theirs"),
    "role-policy": lambda target, _: iam(target).put_role_policy(
        RoleName="standin-role", PolicyName="queue", PolicyDocument=allow("s3:*", "sqs:*")
    ),
    "rule": lambda target, _: client_of(target, "events").disable_rule(Name="standin-rule"),
    "secret": lambda target, _: client_of(target, "secretsmanager").update_secret(
        SecretId="standin-secret", Description="theirs"
    ),
    "target": lambda target, _: client_of(target, "events").put_targets(
        Rule="standin-rule", Targets=[{"Id": "function", "Arn": function_arn(target), "Input": "{}"}]
    ),
    "topic": lambda target, _: client_of(target, "sns").tag_resource(
        ResourceArn=topic_of(target), Tags=[{"Key": "theirs", "Value": "yes"}]
    ),
    "topic-policy": lambda target, _: client_of(target, "sns").set_topic_attributes(
        TopicArn=topic_of(target), AttributeName="Policy", AttributeValue=OPEN_TOPIC
    ),
    "user": lambda target, _: iam(target).tag_user(
        UserName="standin-uploader", Tags=[{"Key": "theirs", "Value": "yes"}]
    ),
    "versioning": lambda target, _: s3(target).put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}
    ),
}


def take_away(target: AwsTarget, outputs: dict[str, Any]) -> None:
    """Deletes everything the program made, without the engine."""
    kms, secrets, sqs, cloudwatch = (client_of(target, name) for name in ("kms", "secretsmanager", "sqs", "cloudwatch"))
    function(target).delete_event_source_mapping(UUID=mapping_of(target))
    client_of(target, "events").remove_targets(Rule="standin-rule", Ids=["function"])
    client_of(target, "events").delete_rule(Name="standin-rule")
    function(target).delete_function_url_config(FunctionName="standin-function")
    function(target).delete_function(FunctionName="standin-function")
    key = key_of(target)
    kms.delete_alias(AliasName="alias/standin")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    for bucket in (BUCKET, "standin-logs"):
        s3(target).delete_bucket(Bucket=bucket)
    iam(target).remove_user_from_group(UserName="standin-uploader", GroupName="standin-writers")
    iam(target).delete_access_key(UserName="standin-uploader", AccessKeyId=outputs["accessKeyId"])
    iam(target).delete_user(UserName="standin-uploader")
    iam(target).delete_group_policy(GroupName="standin-writers", PolicyName="write")
    for group in ("standin-writers", "standin-readers"):
        iam(target).delete_group(GroupName=group)
    iam(target).delete_role_policy(RoleName="standin-role", PolicyName="queue")
    iam(target).delete_role(RoleName="standin-role")
    secrets.delete_secret(SecretId="standin-secret", RecoveryWindowInDays=7)
    for url in (
        outputs["queueUrl"],
        *(url_of(target, f"standin-{name}") for name in ("plain", "plain-dead", "dead.fifo", "arrivals")),
    ):
        sqs.delete_queue(QueueUrl=url)
    client_of(target, "logs").delete_log_group(logGroupName="/standin/function")
    cloudwatch.delete_alarms(AlarmNames=["standin-alarm"])
    client_of(target, "sns").delete_topic(TopicArn=topic_of(target))
    cloudwatch.delete_dashboards(DashboardNames=["standin-dashboard"])


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What was seen of one stack that others meddled with."""

    before: dict[str, Any]
    up: Run
    noticed: Run
    repaired: Run
    after: dict[str, Any]
    calm: Run
    gone: Run
    destroyed: Run
    emptied: dict[str, set[str]]
    left: dict[str, set[str]]


@pytest.fixture(scope="module")
def drift(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Drift:
    target = bench.target
    wanted = Wanted(zip=write_zip(tmp_path_factory.mktemp("code") / "ours.zip", "ours"), tags={"app": "callrec"})
    stack = bench.stack("drift", lambda: everything(wanted))
    seen: dict[str, Any] = {}
    try:
        seen["up"] = up = run(stack.up)
        assert up.failed is None, up.failed
        url = up.outputs["queueUrl"]
        seen["before"] = settings(target, url)
        for meddle in CHANGES.values():
            meddle(target, up.outputs)
        seen["noticed"] = run(stack.refresh)
        seen["repaired"] = run(stack.up)
        seen["after"] = settings(target, url)
        seen["calm"] = run(stack.up)
        take_away(target, up.outputs)
        seen["gone"] = run(stack.preview_refresh)
        seen["emptied"] = inventory(target)
    finally:
        seen["destroyed"] = run(stack.destroy)
    return Drift(**seen, left=inventory(target))


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_refresh_shows_what_others_changed(drift: Drift, name: str) -> None:
    assert drift.noticed.failed is None
    assert "update" in drift.noticed.ops(name)


def test_refresh_shows_nothing_else(drift: Drift) -> None:
    touched = {step.name for step in drift.noticed.steps if step.op not in {"same", "refresh"}}
    also_seen_by_the_queue_itself = {"dead", "plain"}
    assert touched - also_seen_by_the_queue_itself == set(CHANGES)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_up_repairs_it(drift: Drift, name: str) -> None:
    assert drift.repaired.failed is None
    assert "update" in drift.repaired.ops(name)


def test_aws_is_as_before(drift: Drift) -> None:
    assert drift.after == drift.before
    assert drift.calm.ops() == {"same"}


def test_refresh_shows_everything_that_is_gone(drift: Drift) -> None:
    assert drift.gone.failed is None
    gone = {step.name for step in drift.gone.steps if step.op == "delete"}
    assert gone == {step.name for step in drift.up.steps}


def test_destroy_of_what_is_gone_is_no_failure(drift: Drift) -> None:
    assert drift.destroyed.failed is None
    assert drift.left == drift.emptied
    assert drift.left["buckets"] == set()
