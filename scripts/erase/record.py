"""Erasure records in the bucket, read and written with the operator's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from infra.functions.erasures import Erasure, record_key
from infra.functions.errors import CallrecError
from scripts.errors import StackError, UsageError
from scripts.verify.hop import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def checked(egress_id: str) -> str:
    """The id itself. Raises UsageError for what can be none."""
    try:
        record_key(egress_id)
    except CallrecError as error:
        raise UsageError(f"{error}; got {egress_id!r}") from None
    return egress_id


def read(s3: S3Client, bucket: str, egress_id: str) -> Erasure | None:
    """The egress's record; None when there is none. Raises StackError for one that nobody can read."""
    key = record_key(egress_id)
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if code_of(error) in ("NoSuchKey", "404"):
            return None
        raise
    try:
        return Erasure.from_json(body.decode())
    except ValueError:
        raise StackError(
            f"s3://{bucket}/{key} is no erasure record. Look at it, and delete it if it is not yours"
        ) from None


def write(s3: S3Client, bucket: str, record: Erasure) -> None:
    """Write it; in a bucket with Object Lock it is locked like a recording."""
    s3.put_object(
        Bucket=bucket,
        Key=record_key(record.egress_id),
        Body=record.to_json().encode(),
        ContentType="application/json",
    )
