"""What the stand-in refuses, as a person sees it under the real engine; and what it answers about nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi_aws import cloudwatch, ec2, get_region, s3, sqs

from .bench import Bench, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi import automation

pytestmark = pytest.mark.pipeline

SECRET = "hush-hush"


class Raw(pulumi.CustomResource):
    """A resource with whatever properties, past pulumi-aws's own classes."""

    def __init__(self, kind: str, **props: Any) -> None:
        super().__init__(kind, "it", props)


def declare(program: Callable[[], object]) -> None:
    program()


def everything_wrong() -> None:
    Raw("aws:sqs/queue:Queue", name=["a", "list"], fifoQueue="yes", colour="red")


REFUSED: dict[str, tuple[Callable[[], object], list[str]]] = {
    "type": (lambda: ec2.Vpc("it"), ["no resource type aws:ec2/vpc:Vpc"]),
    "function": (
        lambda: pulumi.runtime.invoke("aws:s3/getBucket:getBucket", {}),
        ["no function aws:s3/getBucket:getBucket"],
    ),
    "argument": (lambda: get_region(region="us-west-2"), ["does not support an argument", "region"]),
    "all-at-once": (
        everything_wrong,
        ["name must be a string, not a list", "fifoQueue must be a boolean, not a string", "no such property: colour"],
    ),
    "missing": (lambda: Raw("aws:iam/accessKey:AccessKey"), ["missing required property: user"]),
    "unsupported": (
        lambda: s3.Bucket("it", bucket="refused", acl="private"),
        ["does not support acl of aws:s3/bucket:Bucket"],
    ),
    "nested": (
        lambda: s3.BucketLifecycleConfiguration(
            "it",
            bucket="refused",
            rules=[
                s3.BucketLifecycleConfigurationRuleArgs(
                    id="x",
                    status="Enabled",
                    filter=s3.BucketLifecycleConfigurationRuleFilterArgs(object_size_greater_than=5),
                )
            ],
        ),
        ["does not support rules.filter.objectSizeGreaterThan"],
    ),
    "schedule": (
        lambda: cloudwatch.EventRule("it", event_pattern='{"source": ["aws.s3"]}'),
        ["does not support eventPattern of aws:cloudwatch/eventRule:EventRule"],
    ),
    "no-schedule": (lambda: cloudwatch.EventRule("it"), ["missing property: scheduleExpression"]),
    "notified": (
        lambda: s3.BucketNotification("it", bucket="refused", eventbridge=True),
        ["does not support eventbridge of aws:s3/bucketNotification:BucketNotification"],
    ),
    "rule": (lambda: sqs.Queue("it", name="plain", fifo_queue=True), ["name must end in '.fifo' for a FIFO queue"]),
    "region": (lambda: s3.Bucket("it", bucket="refused", region="us-west-2"), ["region must be"]),
    "aws": (
        lambda: Raw("aws:secretsmanager/secretVersion:SecretVersion", secretId="nowhere", secretString=SECRET),
        ["PutSecretValue: ResourceNotFoundException"],
    ),
    "parameters": (
        lambda: Raw("aws:secretsmanager/secretVersion:SecretVersion", secretId="", secretString=SECRET),
        ["SecretId"],
    ),
}


@pytest.fixture(scope="module")
def refusing(bench: Bench) -> automation.Stack:
    return bench.stack("refused", lambda: None)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_by_name_and_without_a_traceback(refusing: automation.Stack, name: str) -> None:
    program, sentences = REFUSED[name]
    refusing.workspace.program = lambda: declare(program)
    failed = run(refusing.up).failed
    assert failed is not None
    for sentence in sentences:
        assert sentence in failed
    assert "scripts/local/aws_provider" not in failed
    assert SECRET not in failed


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"region": "us-west-2"}, "aws:region must be eu-central-1, where the local AWS was started, not us-west-2"),
        ({"profile": "office"}, "does not support configuration profile"),
    ],
)
def test_configuration_the_local_aws_cannot_be_is_refused(bench: Bench, config: dict[str, str], sentence: str) -> None:
    failed = run(bench.stack("configured", lambda: declare(lambda: s3.Bucket("it")), **config).preview).failed
    assert failed is not None
    assert sentence in failed
