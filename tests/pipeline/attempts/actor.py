"""Who tries, what there is to be attacked, and how a try is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from scripts.aws_access import AwsAccess, Key
from scripts.outputs import Outputs


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is there to be attacked: the outputs, a recording with its version, and something encrypted by the key."""

    outputs: Outputs
    key: str
    version: str
    ciphertext: bytes

    @property
    def names(self) -> Mapping[str, str]:
        """What `{…}` in an attempt's arguments stands for."""
        outputs = self.outputs
        account = outputs.secret_arn.split(":")[4]
        functions = {f"{part}_function": name for part, name in outputs.functions.items()}
        roles = {f"{part}_role": f"arn:aws:iam::{account}:role/{name}" for part, name in outputs.functions.items()}
        logs = {f"{part}_log": name for part, name in outputs.log_groups.items()}
        fixed = {
            "recording": self.key,
            "version": self.version,
            "secret": outputs.secret_arn,
            "kms_key": outputs.key_arn or "",
            "uploader": outputs.uploader_user,
            "access_key": outputs.uploader_access_key_id,
            "mapping": outputs.deliver_mapping,
            "account": account,
        }
        return {**functions, **roles, **logs, **fixed}


@cache
def _client(aws: AwsAccess, service: Any, key: Key) -> Any:
    return aws.client(service, key)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A role's credentials, and the AWS they are tried on."""

    aws: AwsAccess
    key: Key

    def client(self, service: Any) -> Any:
        """A client that acts with these credentials; making one takes longer than using it."""
        return _client(self.aws, service, self.key)


Attempt = Callable[[Actor, Target], Any]


def s3(call: str, **arguments: Any) -> Attempt:
    """Call S3 on the recordings' bucket; `{recording}`, `{version}` and the like in arguments are filled in."""

    def attempt(actor: Actor, target: Target) -> Any:
        return getattr(actor.client("s3"), call)(Bucket=target.outputs.bucket, **_filled(arguments, target))

    return attempt


def sqs(call: str, queue: str, **arguments: Any) -> Attempt:
    """Call SQS on the queue, the DLQ or the queue of arrivals."""

    def attempt(actor: Actor, target: Target) -> Any:
        urls = {
            "queue": target.outputs.queue_url,
            "dlq": target.outputs.dead_letter_queue_url,
            "arrivals": target.outputs.arrivals_queue_url,
        }
        return getattr(actor.client("sqs"), call)(QueueUrl=urls[queue], **arguments)

    return attempt


def other(service: str, call: str, **arguments: Any) -> Attempt:
    """Call another service; `{…}` in arguments is one of the target's names."""

    def attempt(actor: Actor, target: Target) -> Any:
        return getattr(actor.client(service), call)(**_filled(arguments, target))

    return attempt


def decrypt(actor: Actor, target: Target) -> Any:
    """Ask KMS itself, past S3, to decrypt what the recordings' key encrypted."""
    return actor.client("kms").decrypt(CiphertextBlob=target.ciphertext)


def _filled(arguments: Mapping[str, Any], target: Target) -> dict[str, Any]:
    return {
        name: value.format(**target.names) if isinstance(value, str) else value for name, value in arguments.items()
    }
