"""What a bucket tells others of: arrivals, to queues. The id is the bucket's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pulumi_aws import s3

from .aws import or_none
from .equality import same
from .resource import Prop, nested
from .s3_settings import BUCKET, REGION, BucketSetting

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props


def same_queues(want: Any, have: Any) -> bool:
    """Whether both tell the same queues of the same; AWS chooses the id of what has none."""
    wanted, found = cast("list[Props]", want or []), cast("list[Props]", have or [])
    return len(wanted) == len(found) and all(
        same(one, {name: value for name, value in other.items() if name != "id" or "id" in one})
        for one, other in zip(wanted, found, strict=True)
    )


class BucketNotification(BucketSetting):
    """`aws.s3.BucketNotification` to queues: the whole of what the bucket tells, so one resource a bucket."""

    pulumi_type = "aws:s3/bucketNotification:BucketNotification"
    resource = s3.BucketNotification
    props = (
        BUCKET,
        REGION,
        Prop(
            name="queues", same=same_queues, nested=nested("events", "filterPrefix", "filterSuffix", "id", "queueArn")
        ),
    )

    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """PutBucketNotificationConfiguration; AWS sends each queue a test first, and refuses when it cannot."""
        queues = [_sent(queue) for queue in inputs.get("queues", [])]
        _put(aws, bucket, {"QueueConfigurations": queues} if queues else {})

    def get(self, aws: Aws, bucket: str) -> Props | None:
        """GetBucketNotificationConfiguration; a bucket that tells nobody has a setting too, an empty one."""
        answer = or_none(aws.client("s3").get_bucket_notification_configuration, Bucket=bucket)
        return None if answer is None else {"queues": [_told(queue) for queue in answer.get("QueueConfigurations", [])]}

    def remove(self, aws: Aws, bucket: str) -> None:
        """Telling is ended by writing that nobody is told."""
        _put(aws, bucket, {})


def _put(aws: Aws, bucket: str, configuration: dict[str, Any]) -> None:
    aws.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


def _sent(queue: Props) -> dict[str, Any]:
    sent: dict[str, Any] = {"QueueArn": queue["queueArn"], "Events": queue["events"]}
    if "id" in queue:
        sent["Id"] = queue["id"]
    rules = [{"Name": name, "Value": queue[prop]} for name, prop in _FILTERS.items() if queue.get(prop)]
    return sent | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def _told(queue: dict[str, Any]) -> Props:
    rules: list[dict[str, str]] = queue.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    filters = {_FILTERS[rule["Name"].lower()]: rule["Value"] for rule in rules}
    return {"queueArn": queue["QueueArn"], "events": queue["Events"], "id": queue["Id"], **filters}


_FILTERS = {"prefix": "filterPrefix", "suffix": "filterSuffix"}
