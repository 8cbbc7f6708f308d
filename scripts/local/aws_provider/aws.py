"""boto3 clients of one target, and what many kinds need of AWS alike."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from .target import AwsTarget

MISSING = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "DashboardNotFoundError",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NotFound",
        "NotFoundException",
        "ObjectLockConfigurationNotFoundError",
        "OwnershipControlsNotFoundError",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
"""The error codes by which the services say that something is not there."""


class Aws:
    """Makes one client per service, on first use; clients may be used by many threads, their making may not."""

    def __init__(self, target: AwsTarget) -> None:
        self.target = target
        # The stubs know each service by its literal name; here it is a value.
        self._session: Any = boto3.Session(
            region_name=target.region,
            aws_access_key_id=target.access_key_id,
            aws_secret_access_key=target.secret_access_key,
        )
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        """The region every request is for."""
        return self.target.region

    def client(self, service: str) -> Any:
        """Returns the client of a service."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service,
                    endpoint_url=self.target.endpoint_url,
                    verify=str(self.target.ca_bundle) if self.target.ca_bundle else None,
                    config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard"}),
                )
            return self._clients[service]


def is_missing(error: ClientError) -> bool:
    """Whether AWS refused because the thing is not there."""
    return code_of(error) in MISSING


def code_of(error: ClientError) -> str:
    """Returns the service's own code of what it refused."""
    return error.response.get("Error", {}).get("Code", "")


@contextlib.contextmanager
def ignore_missing() -> Generator[None]:
    """Lets a deletion of something already gone pass."""
    try:
        yield
    except ClientError as error:
        if not is_missing(error):
            raise


def or_none(call: Any, **arguments: Any) -> Any:
    """Returns the answer of a client's method, None when AWS says that the thing is not there."""
    with ignore_missing():
        return call(**arguments)
    return None


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Returns tags as the list of pairs that most services take."""
    return [{key: name, value: text} for name, text in sorted(tags.items())]


def tags_of(listed: list[dict[str, str]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Returns tags from the list of pairs that most services give, without AWS's own."""
    return own_tags({tag[key]: tag[value] for tag in listed or []})


def own_tags(tags: Mapping[str, str] | None) -> dict[str, str]:
    """Returns the tags that are the account's, not AWS's."""
    return {name: text for name, text in (tags or {}).items() if not name.startswith("aws:")}


def both_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    """Returns the two outputs every tagged resource has."""
    return {"tags": dict(tags), "tagsAll": dict(tags)}


def stale(wanted: Mapping[str, str], had: Mapping[str, str]) -> list[str]:
    """Returns the names of the tags to take away."""
    return sorted(set(had) - set(wanted))


def retag(client: Any, arn: str, tags: Mapping[str, str]) -> None:
    """Give a resource just these tags, for services that tag by ARN with pairs of Key and Value."""
    had = tags_of(client.list_tags_for_resource(ResourceARN=arn)["Tags"])
    if gone := stale(tags, had):
        client.untag_resource(ResourceARN=arn, TagKeys=gone)
    if tags:
        client.tag_resource(ResourceARN=arn, Tags=tag_list(tags))
