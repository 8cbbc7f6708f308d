"""What finds the recordings that no webhook brought: its schedule, and the bucket's announcements; a row each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts.deployment import Deployment
from scripts.outputs import Outputs
from scripts.verify.bucket import BEHIND, bucket_arn
from scripts.verify.hop import Failed, Hop, code_of
from scripts.verify.probe import mend
from scripts.verify.statements import Document, statements, words

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

CREATED = "s3:ObjectCreated:*"
GONE = ("ResourceNotFoundException", "NoSuchBucket")
NO_QUEUE = ("NonExistentQueue", "QueueDoesNotExist")


def hops(deployment: Deployment) -> list[Hop]:
    """One hop for the clock, one for the bucket."""
    aws = deployment.aws
    reconcile = Reconcile(
        events=aws.client("events"),
        functions=aws.client("lambda"),
        s3=aws.client("s3"),
        sqs=aws.client("sqs"),
        outputs=deployment.outputs,
        mend=mend(deployment),
    )
    return [
        Hop(id="reconcile.schedule", title="reconcile runs by its schedule", probe=reconcile.schedule),
        Hop(id="reconcile.arrivals", title="bucket announces what arrives", probe=reconcile.arrivals),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconcile:
    """Each method is one probe; the rule bears the function's name. `mend` is the command that sets all right."""

    events: EventBridgeClient
    functions: LambdaClient
    s3: S3Client
    sqs: SQSClient
    outputs: Outputs
    mend: str

    def schedule(self) -> str:
        """The rule is enabled, goes off as often as asked, calls the function, and may."""
        name = self.outputs.functions["reconcile"]
        rule = self._asked(lambda: self.events.describe_rule(Name=name))
        if rule is None:
            raise Failed(f"there is no rule {name}", cause="somebody deleted it", mend=self.mend)
        state, expression = rule.get("State", "?"), rule.get("ScheduleExpression", "no schedule")
        if state != "ENABLED":
            raise Failed(
                f"the rule {name} is {state}",
                cause="somebody stopped reconcile by hand: what a webhook does not bring stays lost",
                mend=f"aws events enable-rule --name {name}",
            )
        wanted = f"rate({self.outputs.reconcile_minutes} minutes)"
        if expression != wanted:
            raise Failed(f"{expression} instead of {wanted}", cause=BEHIND, mend=self.mend)
        targets: Any = self.events.list_targets_by_rule(Rule=name)["Targets"]
        if not any(target["Arn"].endswith(f":function:{name}") for target in targets):
            raise Failed("the rule calls something else, or nothing", cause=BEHIND, mend=self.mend)
        if not self._may_call(name, rule.get("Arn", "")):
            raise Failed(f"the rule may not call {name}", cause="somebody took the permission away", mend=self.mend)
        return expression

    def arrivals(self) -> str:
        """The bucket tells the queue of every new object under the prefix, and may."""
        url, prefix = self.outputs.arrivals_queue_url, self.outputs.prefix
        arn, policy = self._queue(url)
        told: Any = self._asked(lambda: self.s3.get_bucket_notification_configuration(Bucket=self.outputs.bucket)) or {}
        ours = [queue for queue in told.get("QueueConfigurations", []) if queue.get("QueueArn") == arn]
        if not any(CREATED in queue["Events"] and _filters(queue) == {"prefix": prefix} for queue in ours):
            seen = "of something else" if ours else "of nothing"
            raise Failed(f"the bucket tells the queue {seen}", cause=BEHIND, mend=self.mend)
        if not any(_lets_tell(statement, bucket_arn(self.outputs)) for statement in statements(policy)):
            raise Failed("the queue does not let S3 tell it anything", cause=BEHIND, mend=self.mend)
        return f"{CREATED} under {prefix}"

    def _queue(self, url: str) -> tuple[str, Document]:
        try:
            found: Any = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "Policy"])
        except ClientError as error:
            if not code_of(error).endswith(NO_QUEUE):
                raise
            raise Failed("there is no queue of arrivals", cause="somebody deleted it", mend=self.mend) from None
        attributes: Mapping[str, str] = found["Attributes"]
        return attributes["QueueArn"], json.loads(attributes.get("Policy", "{}"))

    def _may_call(self, name: str, rule_arn: str) -> bool:
        answer: Any = self._asked(lambda: self.functions.get_policy(FunctionName=name)) or {}
        return any(
            statement.get("Effect") == "Allow"
            and statement.get("Principal") == {"Service": "events.amazonaws.com"}
            and "lambda:InvokeFunction" in words(statement.get("Action"))
            and rule_arn in _values(statement, "aws:SourceArn")
            for statement in statements(json.loads(answer.get("Policy", "{}")))
        )

    def _asked(self, call: Callable[[], Any]) -> Any:
        """An answer of AWS; None when there is no such thing."""
        try:
            return call()
        except ClientError as error:
            if code_of(error) in GONE:
                return None
            raise


def _filters(queue: Mapping[str, Any]) -> dict[str, str]:
    rules = queue.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return {rule["Name"].lower(): rule["Value"] for rule in rules}


def _lets_tell(statement: Document, arn: str) -> bool:
    return (
        statement.get("Effect") == "Allow"
        and statement.get("Principal") == {"Service": "s3.amazonaws.com"}
        and "sqs:SendMessage" in words(statement.get("Action"))
        and arn in _values(statement, "aws:SourceArn")
    )


def _values(statement: Document, key: str) -> list[str]:
    """What a statement's condition wants of one key, whatever the test is called."""
    condition: Mapping[str, Mapping[str, Any]] = statement.get("Condition", {})
    return [
        value
        for test in condition.values()
        for name, wanted in test.items()
        if name.lower() == key.lower()
        for value in words(wanted)
    ]
