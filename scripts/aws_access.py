"""AWS as the operator reaches it: an account's real endpoints, or the local stack's."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

TIMEOUT_SECONDS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """An access key; the secret stays out of its text."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AwsAccess:
    """How to reach AWS: without `key`, with the credentials that boto3 finds by itself (`profile`, environment, …)."""

    region: str
    key: Key | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    ca_bundle: Path | None = None

    @overload
    def client(self, service: Literal["s3"], key: Key | None = None) -> S3Client: ...
    @overload
    def client(self, service: Literal["sqs"], key: Key | None = None) -> SQSClient: ...
    @overload
    def client(self, service: Literal["iam"], key: Key | None = None) -> IAMClient: ...
    @overload
    def client(self, service: Literal["kms"], key: Key | None = None) -> KMSClient: ...
    @overload
    def client(self, service: Literal["lambda"], key: Key | None = None) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["logs"], key: Key | None = None) -> CloudWatchLogsClient: ...
    @overload
    def client(self, service: Literal["events"], key: Key | None = None) -> EventBridgeClient: ...
    @overload
    def client(self, service: Literal["cloudwatch"], key: Key | None = None) -> CloudWatchClient: ...
    @overload
    def client(self, service: Literal["sns"], key: Key | None = None) -> SNSClient: ...
    @overload
    def client(self, service: Literal["sts"], key: Key | None = None) -> Any: ...
    @overload
    def client(self, service: Literal["secretsmanager"], key: Key | None = None) -> SecretsManagerClient: ...

    def client(self, service: Any, key: Key | None = None) -> Any:
        """A boto3 client of the operator, or of whoever holds `key`."""
        # By itself boto3 signs S3 links in the old way, which S3 refuses for objects under a KMS key.
        return self._made(
            service,
            key or self.key,
            signature_version="s3v4" if service == "s3" else None,
            read_timeout=TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 3},
        )

    def invoker(self, seconds: float) -> LambdaClient:
        """A Lambda client that waits so long for a function to end, and asks once: asked again, it would run again."""
        return self._made(
            "lambda",
            self.key,
            read_timeout=seconds,
            retries={"mode": "standard", "total_max_attempts": 1},
            tcp_keepalive=True,  # else a router on the way forgets a connection on which nothing is said for minutes
        )

    def _made(self, service: str, used: Key | None, **settings: Any) -> Any:
        session: Any = boto3.Session(
            aws_access_key_id=used and used.access_key_id,
            aws_secret_access_key=used and used.secret_access_key,
            aws_session_token=used and used.session_token,
            region_name=self.region,
            profile_name=None if used else self.profile,
        )
        return session.client(
            service,
            endpoint_url=self.endpoint_url,
            verify=None if self.ca_bundle is None else str(self.ca_bundle),
            config=Config(connect_timeout=TIMEOUT_SECONDS, **settings),
        )

    @property
    def trust(self) -> str | bool:
        """What `requests` takes as `verify` for the stack's own addresses."""
        return True if self.ca_bundle is None else str(self.ca_bundle)
