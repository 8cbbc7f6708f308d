"""What a stack has in AWS, as far as the functions need it: made straight by API, by the program's own figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra import identity_policies, pipeline, reconcile, resource_policies
from infra.policy import Policy
from scripts.aws_access import AwsAccess, Key
from tests.faults.calls import PREFIX
from tests.faults.emulator import client
from tests.unit.functions_support import SECRET_JSON

BUCKET = "callrec-faults-recordings"
_BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
_ACCOUNT = "000000000000"
_LOGS = f"arn:aws:logs:us-east-1:{_ACCOUNT}:log-group:faults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Bucket, queues, secret, and for each function a key that may do what its role may do."""

    bucket: str
    queue_url: str
    dead_letter_url: str
    arrivals_url: str
    secret_arn: str
    keys: Mapping[str, Key]


def make(aws: AwsAccess, secret: Mapping[str, Any]) -> Resources:
    """Everything, with nothing in it; `secret` over the values of the functions' tests."""
    dead_letters, dead_letters_arn = _fifo(aws, "events-dlq", {"MaximumMessageSize": pipeline.LARGEST_DEAD_LETTER})
    redrive = {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": pipeline.MAXIMUM_RECEIVES}
    more = {"MaximumMessageSize": pipeline.LARGEST_BODY, "RedrivePolicy": json.dumps(redrive)}
    queue, queue_arn = _fifo(aws, "events", more)
    arrivals, arrivals_arn = _bucket(aws)
    kept = client(aws, "secretsmanager").create_secret(
        Name="callrec-faults", SecretString=json.dumps(json.loads(SECRET_JSON) | dict(secret))
    )
    shared = {"secret_arn": kept["ARN"], "queue_arn": queue_arn, "log_group_arn": _LOGS}
    bucket = {"bucket_arn": _BUCKET_ARN, "prefix": PREFIX}
    granted = {
        "receive": identity_policies.receive(**shared),
        "deliver": identity_policies.deliver(**shared, **bucket, dead_letter_queue_arn=dead_letters_arn),
        "reconcile": identity_policies.reconcile(**shared, **bucket, arrivals_queue_arn=arrivals_arn),
    }
    return Resources(
        bucket=BUCKET,
        queue_url=queue,
        dead_letter_url=dead_letters,
        arrivals_url=arrivals,
        secret_arn=kept["ARN"],
        keys={name: _user(aws, name, policy) for name, policy in granted.items()},
    )


def _bucket(aws: AwsAccess) -> tuple[str, str]:
    """Versioned, and announcing to a queue what arrives: that queue."""
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    attributes = {
        "VisibilityTimeout": reconcile.VISIBILITY_TIMEOUT,
        "MessageRetentionPeriod": pipeline.FOURTEEN_DAYS,
    }
    arrivals, arrivals_arn = _queue(aws, "callrec-faults-arrivals", attributes)
    policy = json.dumps(resource_policies.arrivals(arrivals_arn, _BUCKET_ARN, _ACCOUNT))
    client(aws, "sqs").set_queue_attributes(QueueUrl=arrivals, Attributes={"Policy": policy})
    told: Any = {
        "QueueArn": arrivals_arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": PREFIX}]}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [told]}, SkipDestinationValidation=True
    )
    return arrivals, arrivals_arn


def _fifo(aws: AwsAccess, name: str, more: Mapping[str, object]) -> tuple[str, str]:
    attributes: dict[str, object] = {
        "FifoQueue": "true",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "VisibilityTimeout": pipeline.VISIBILITY_TIMEOUT,
        "MessageRetentionPeriod": pipeline.FOURTEEN_DAYS,
    }
    return _queue(aws, f"callrec-faults-{name}.fifo", attributes | dict(more))


def _queue(aws: AwsAccess, name: str, attributes: Mapping[str, object]) -> tuple[str, str]:
    """Its address and its ARN."""
    sqs = client(aws, "sqs")
    texts: Any = {key: str(value) for key, value in attributes.items()}
    url = sqs.create_queue(QueueName=name, Attributes=texts)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _user(aws: AwsAccess, name: str, policy: Policy) -> Key:
    """The key of somebody who may do just that."""
    iam = client(aws, "iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own-step-only", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Key(access_key_id=made["AccessKeyId"], secret_access_key=made["SecretAccessKey"])
