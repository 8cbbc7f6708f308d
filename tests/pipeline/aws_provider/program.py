"""A program with every resource type of the AWS stand-in, its settings by argument."""

from __future__ import annotations

import json
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi_aws import (
    cloudwatch,
    get_caller_identity,
    get_partition,
    get_region,
    iam,
    kms,
    lambda_,
    s3,
    secretsmanager,
    sns,
    sqs,
)

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "000000000000"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What differs between two deployments of the program."""

    zip: Path
    tags: dict[str, str]
    days: int = 30
    timeout: int = 10
    secret: str = "first"
    groups: tuple[str, ...] = ("writers",)
    key_enabled: bool = True
    rotation: int | None = 180
    extra_policy_action: str = "s3:AbortMultipartUpload"
    encryption: str = "aws:kms"
    versioning: str = "Enabled"
    reserved: int | None = 5
    url_auth: str = "NONE"
    cors: bool = True
    mapping_enabled: bool = True
    access_key_status: str = "Active"
    log_days: int | None = 7
    description: str = "first"
    arrivals: str = "recordings/"
    rate: str = "rate(1 minute)"
    rule_state: str = "ENABLED"
    retries: int = 0


def write_zip(path: Path, answer: str) -> Path:
    """Writes a function that answers `answer`."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "main.py", f"def handler(event, context):\n    return {{'statusCode': 200, 'body': {answer!r}}}\n"
        )
    return path


def allow(*actions: str) -> str:
    """Returns a policy that allows actions, over TLS or not."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    )


def everything(wanted: Wanted) -> None:
    """Declares one resource of every type (two of some)."""
    storage(wanted)
    people(wanted)
    pipeline(wanted)
    watching(wanted)
    pulumi.export("account", get_caller_identity().account_id)
    pulumi.export("region", get_region().region)
    pulumi.export("partition", get_partition().partition)


def storage(wanted: Wanted) -> None:
    """The bucket, its settings and its key."""
    key = kms.Key(
        "key",
        description=wanted.description,
        enable_key_rotation=wanted.rotation is not None,
        rotation_period_in_days=wanted.rotation,
        is_enabled=wanted.key_enabled,
        deletion_window_in_days=7,
        tags=wanted.tags,
        policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": wanted.description,
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                        "Action": ["kms:*"],
                        "Resource": "*",
                    }
                ],
            }
        ),
    )
    kms.Alias("alias", name="alias/standin", target_key_id=key.key_id)
    logs = s3.Bucket("logs", bucket="standin-logs", tags=wanted.tags)
    bucket = s3.Bucket("bucket", bucket="standin-recordings", force_destroy=True, tags=wanted.tags)
    s3.BucketVersioning(
        "versioning",
        bucket=bucket.bucket,
        versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status=wanted.versioning),
    )
    default = (
        s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=key.arn
        )
        if wanted.encryption == "aws:kms"
        else s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256"
        )
    )
    s3.BucketServerSideEncryptionConfiguration(
        "encryption",
        bucket=bucket.bucket,
        rules=[
            s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=default, bucket_key_enabled=wanted.encryption == "aws:kms"
            )
        ],
    )
    s3.BucketPublicAccessBlock(
        "public-access",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    s3.BucketOwnershipControls(
        "ownership",
        bucket=bucket.bucket,
        rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
    )
    s3.BucketPolicy(
        "bucket-policy",
        bucket=bucket.bucket,
        policy=bucket.arn.apply(
            lambda arn: json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": [f"{arn}/*", arn],
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ],
                }
            )
        ),
    )
    s3.BucketLifecycleConfiguration(
        "lifecycle",
        bucket=bucket.bucket,
        rules=[
            s3.BucketLifecycleConfigurationRuleArgs(
                id="keep",
                status="Enabled",
                filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="recordings/"),
                transitions=[
                    s3.BucketLifecycleConfigurationRuleTransitionArgs(days=wanted.days, storage_class="GLACIER_IR")
                ],
                expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=365),
                noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=30
                ),
            ),
            s3.BucketLifecycleConfigurationRuleArgs(
                id="uploads",
                status="Enabled",
                abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=1
                ),
            ),
        ],
    )
    versions = s3.BucketVersioning(
        "log-versioning",
        bucket=logs.bucket,
        versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
    )
    s3.BucketObjectLockConfiguration(
        "lock",
        bucket=logs.bucket,
        rule=s3.BucketObjectLockConfigurationRuleArgs(
            default_retention=s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                mode="GOVERNANCE", days=wanted.days
            )
        ),
        opts=pulumi.ResourceOptions(depends_on=[versions]),
    )
    s3.BucketLogging("logging", bucket=bucket.bucket, target_bucket=logs.bucket, target_prefix="access/")
    arrivals(wanted, bucket)
    pulumi.export("bucketDomain", bucket.bucket_regional_domain_name)


def people(wanted: Wanted) -> None:
    """A user who may write, by a group; its key in a secret."""
    user = iam.User("user", name="standin-uploader", tags=wanted.tags, force_destroy=True)
    groups = {name: iam.Group(name, name=f"standin-{name}", path="/standin/") for name in ("writers", "readers")}
    iam.UserGroupMembership("membership", user=user.name, groups=[groups[name].name for name in wanted.groups])
    iam.GroupPolicy(
        "group-policy",
        name="write",
        group=groups["writers"].name,
        policy=allow("s3:PutObject", wanted.extra_policy_action),
    )
    key = iam.AccessKey("access-key", user=user.name, status=wanted.access_key_status)
    secret = secretsmanager.Secret(
        "secret", name="standin-secret", description=wanted.description, recovery_window_in_days=0, tags=wanted.tags
    )
    secretsmanager.SecretVersion(
        "secret-version",
        secret_id=secret.id,
        secret_string=key.secret.apply(lambda text: json.dumps({"key": text, "word": wanted.secret})),
    )
    pulumi.export("accessKeyId", key.id)
    pulumi.export("secretAccessKey", key.secret)
    pulumi.export("secretArn", secret.arn)


def pipeline(wanted: Wanted) -> None:
    """Queues, a function on one of them, and its address."""
    dead = sqs.Queue("dead", name="standin-dead.fifo", fifo_queue=True, tags=wanted.tags)
    queue = sqs.Queue(
        "queue",
        fifo_queue=True,
        content_based_deduplication=False,
        deduplication_scope="messageGroup",
        fifo_throughput_limit="perMessageGroupId",
        visibility_timeout_seconds=wanted.timeout * 6,
        message_retention_seconds=1209600,
        sqs_managed_sse_enabled=True,
        redrive_policy=dead.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})),
        tags=wanted.tags,
    )
    sqs.RedriveAllowPolicy(
        "redrive-allow",
        queue_url=dead.url,
        redrive_allow_policy=queue.arn.apply(
            lambda arn: json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]})
        ),
    )
    plain = sqs.Queue("plain", name="standin-plain")
    sqs.RedrivePolicy(
        "redrive",
        queue_url=plain.url,
        redrive_policy=sqs.Queue("plain-dead", name="standin-plain-dead").arn.apply(
            lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": wanted.timeout})
        ),
    )
    sqs.QueuePolicy(
        "queue-policy",
        queue_url=queue.url,
        policy=queue.arn.apply(
            lambda arn: json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "sqs:*",
                            "Resource": arn,
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ],
                }
            )
        ),
    )
    role = iam.Role(
        "role",
        name="standin-role",
        assume_role_policy=TRUST,
        description=wanted.description,
        force_detach_policies=True,
        tags=wanted.tags,
    )
    role_policy = iam.RolePolicy(
        "role-policy", name="queue", role=role.name, policy=allow("sqs:*", wanted.extra_policy_action)
    )
    function = lambda_.Function(
        "function",
        name="standin-function",
        package_type="Zip",
        runtime=RUNTIME,
        architectures=["x86_64"],
        handler="main.handler",
        role=role.arn,
        code=pulumi.FileArchive(str(wanted.zip)),
        timeout=wanted.timeout,
        memory_size=256,
        description=wanted.description,
        environment=lambda_.FunctionEnvironmentArgs(variables={"DAYS": str(wanted.days)}),
        reserved_concurrent_executions=wanted.reserved,
        logging_config=lambda_.FunctionLoggingConfigArgs(log_format="JSON"),
        tags=wanted.tags,
        opts=pulumi.ResourceOptions(depends_on=[role_policy]),
    )
    cors = lambda_.FunctionUrlCorsArgs(allow_origins=["*"], max_age=60) if wanted.cors else None
    url = lambda_.FunctionUrl(
        "function-url", function_name=function.name, authorization_type=wanted.url_auth, cors=cors
    )
    lambda_.Permission(
        "invoke-url",
        statement_id="url",
        action="lambda:InvokeFunctionUrl",
        function=function.name,
        principal="*",
        function_url_auth_type="NONE",
    )
    lambda_.Permission(
        "invoke-by-url",
        action="lambda:InvokeFunction",
        function=function.arn,
        principal="*",
        invoked_via_function_url=True,
    )
    schedule(wanted, function)
    lambda_.EventSourceMapping(
        "mapping",
        function_name=function.name,
        event_source_arn=queue.arn,
        batch_size=10,
        enabled=wanted.mapping_enabled,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=2),
        tags=wanted.tags,
    )
    pulumi.export("functionUrl", url.function_url)
    pulumi.export("queueUrl", queue.url)
    pulumi.export("queueName", queue.name)


def schedule(wanted: Wanted, function: lambda_.Function) -> None:
    """A rule that sets the function off."""
    rule = cloudwatch.EventRule(
        "rule",
        name="standin-rule",
        description=wanted.description,
        schedule_expression=wanted.rate,
        state=wanted.rule_state,
        tags=wanted.tags,
    )
    permission = lambda_.Permission(
        "invoke-by-rule",
        action="lambda:InvokeFunction",
        function=function.name,
        principal="events.amazonaws.com",
        source_account=ACCOUNT,
        source_arn=rule.arn,
    )
    cloudwatch.EventTarget(
        "target",
        rule=rule.name,
        target_id="function",
        arn=function.arn,
        input=json.dumps({"rawPath": wanted.description}),
        retry_policy=cloudwatch.EventTargetRetryPolicyArgs(
            maximum_retry_attempts=wanted.retries, maximum_event_age_in_seconds=60
        ),
        opts=pulumi.ResourceOptions(depends_on=[permission]),
    )
    lambda_.FunctionEventInvokeConfig(
        "invoke-config",
        function_name=function.name,
        maximum_retry_attempts=wanted.retries,
        maximum_event_age_in_seconds=60,
    )


def arrivals(wanted: Wanted, bucket: s3.Bucket) -> None:
    """A queue that hears of what arrives in the bucket, and may be told by S3 only."""
    queue = sqs.Queue("arrivals", name="standin-arrivals")
    policy = sqs.QueuePolicy(
        "arrivals-policy",
        queue_url=queue.url,
        policy=pulumi.Output.all(queue.arn, bucket.arn).apply(lambda arns: let_tell(arns[0], arns[1])),
    )
    s3.BucketNotification(
        "notification",
        bucket=bucket.bucket,
        queues=[
            s3.BucketNotificationQueueArgs(
                queue_arn=queue.arn, events=["s3:ObjectCreated:*"], filter_prefix=wanted.arrivals
            )
        ],
        opts=pulumi.ResourceOptions(depends_on=[policy]),
    )


def let_tell(queue_arn: str, bucket_arn: str) -> str:
    """Returns a queue's policy that lets S3 tell it of one bucket."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnLike": {"aws:SourceArn": bucket_arn}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def watching(wanted: Wanted) -> None:
    """Logs, an alarm and who is told, a dashboard."""
    cloudwatch.LogGroup("log-group", name="/standin/function", retention_in_days=wanted.log_days, tags=wanted.tags)
    cloudwatch.MetricAlarm(
        "alarm",
        name="standin-alarm",
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=1,
        metric_name="ApproximateNumberOfMessagesVisible",
        namespace="AWS/SQS",
        dimensions={"QueueName": "standin-dead.fifo"},
        period=60,
        statistic="Maximum",
        threshold=wanted.days,
        treat_missing_data="notBreaching",
        tags=wanted.tags,
    )
    topic = sns.Topic("topic", name="standin-alarms", display_name=wanted.description, tags=wanted.tags)
    sns.TopicPolicy(
        "topic-policy",
        arn=topic.arn,
        policy=topic.arn.apply(
            lambda arn: json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": wanted.description,
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Resource": arn,
                        }
                    ],
                }
            )
        ),
    )
    sns.TopicSubscription(
        "subscription", topic=topic.arn, protocol="email", endpoint=f"{wanted.description}@example.org"
    )
    cloudwatch.Dashboard(
        "dashboard",
        dashboard_name="standin-dashboard",
        dashboard_body=json.dumps({"widgets": [], "start": f"-PT{wanted.days}H"}),
    )
