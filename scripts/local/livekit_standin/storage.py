"""Where egress puts a recording: S3, with the credentials of the request and nothing else."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from livekit import api

#: From here on egress uploads in parts (measured).
MULTIPART_BYTES = 5 * 1024 * 1024


class UploadError(Exception):
    """S3 did not take a file; the text is what egress reports."""


def put(s3: api.S3Upload, key: str, content: bytes, *, ca_bundle: str | None) -> None:
    """Store a file as egress does: PutObject, or a multipart upload; no reading before or after.

    Raises UploadError.
    """
    try:
        _client(s3, ca_bundle).upload_fileobj(
            io.BytesIO(content),
            s3.bucket,
            key,
            Config=TransferConfig(
                multipart_threshold=MULTIPART_BYTES, multipart_chunksize=MULTIPART_BYTES, use_threads=False
            ),
        )
    except (S3UploadFailedError, ClientError, BotoCoreError) as error:
        cause = error.__context__ if isinstance(error, S3UploadFailedError) else error
        raise UploadError(_told(cause or error)) from None


def location(s3: api.S3Upload, key: str) -> str:
    """The address that egress reports: always https, without region, not encoded, true or not."""
    host = urlsplit(s3.endpoint).netloc or "s3.amazonaws.com"
    return f"https://{host}/{s3.bucket}/{key}" if s3.force_path_style else f"https://{s3.bucket}.{host}/{key}"


def _client(s3: api.S3Upload, ca_bundle: str | None) -> Any:
    session: Any = boto3.session.Session(
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret,
        aws_session_token=s3.session_token or None,
        region_name=s3.region or None,
    )
    return session.client(
        "s3",
        endpoint_url=s3.endpoint or None,
        verify=ca_bundle,
        config=Config(
            s3={"addressing_style": "path" if s3.force_path_style else "virtual"},
            retries={"total_max_attempts": 5, "mode": "standard"},
        ),
    )


def _told(error: BaseException) -> str:
    """The error in egress's words; S3's own, whose texts name no secret."""
    if not isinstance(error, ClientError):
        return f"S3 upload failed: err: operation error S3: PutObject, {type(error).__name__}"
    meta, told = error.response.get("ResponseMetadata", {}), error.response.get("Error", {})
    status = meta.get("HTTPStatusCode", 0)
    return (
        f"S3 upload failed: err: operation error S3: {error.operation_name}, https response error "
        f"StatusCode: {status}, RequestID: {meta.get('RequestId', '')}, HostID: {meta.get('HostId', '')}, "
        f"api error {told.get('Code', '')}: {told.get('Message', '')}, status code: {status}"
    )
