"""What a stack tells about itself once it is up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.errors import StackError


@dataclass(frozen=True, kw_only=True, slots=True)
class AirtableOutputs:
    """Where the conversations are; `fields` maps a role to the name of its field."""

    url: str
    base: str
    table: str
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outputs:
    """The stack's outputs by name; `functions` and `log_groups` map a part's name (receive, …) to its physical one.

    The uploader has a user with a key, or a role: what there is not of both is empty.
    `bucket_settings` is what the bucket was asked to be; `key_arn` is None when S3 encrypts by itself.
    """

    bucket: str
    region: str
    prefix: str
    bucket_settings: Mapping[str, Any]
    key_arn: str | None
    uploader_user: str
    uploader_access_key_id: str
    uploader_secret_access_key: str = field(repr=False)
    uploader_role_arn: str = ""
    secret_arn: str
    webhook_url: str
    play_url: str
    queue_url: str
    dead_letter_queue_url: str
    arrivals_queue_url: str
    deliver_mapping: str
    functions: Mapping[str, str]
    log_groups: Mapping[str, str]
    livekit_url: str
    settle_seconds: int = 0
    reconcile_minutes: int
    alarm_topic_arn: str = ""
    alarms: tuple[str, ...] = ()
    dashboard: str = ""
    airtable: AirtableOutputs

    @classmethod
    def of(cls, stack: str, values: Mapping[str, Any]) -> Outputs:
        """Read the outputs of a stack, secrets in clear.

        Raises StackError when the stack is not up, or was made by another version of the program.
        """
        try:
            return cls(
                bucket=values["bucket"],
                region=values["region"],
                prefix=values["recordingsPrefix"],
                bucket_settings=values["bucketSettings"],
                key_arn=values.get("keyArn"),
                uploader_user=values["uploaderUser"],
                uploader_access_key_id=values["uploaderAccessKeyId"],
                uploader_secret_access_key=values["uploaderSecretAccessKey"],
                uploader_role_arn=values.get("uploaderRoleArn", ""),
                secret_arn=values["secretArn"],
                webhook_url=values["webhookUrl"],
                play_url=values["playUrl"],
                queue_url=values["queueUrl"],
                dead_letter_queue_url=values["deadLetterQueueUrl"],
                arrivals_queue_url=values["arrivalsQueueUrl"],
                deliver_mapping=values["deliverMapping"],
                functions=values["functions"],
                log_groups=values["logGroups"],
                livekit_url=values["livekitUrl"],
                reconcile_minutes=int(values["reconcileMinutes"]),
                settle_seconds=int(values["settleSeconds"]),
                alarm_topic_arn=values["alarmTopicArn"],
                alarms=tuple(values["alarms"]),
                dashboard=values["dashboard"],
                airtable=AirtableOutputs(**values["airtable"]),
            )
        except KeyError as missing:
            raise StackError(
                f"stack {stack} has no output {missing}: it is not up, or not by this version. "
                f"Run: pulumi up --stack {stack}"
            ) from None
