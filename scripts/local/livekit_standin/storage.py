"""Where egress puts a recording: S3, with the credentials of the request, or the role that it names."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from livekit import api

from .pace import Pace

#: From here on egress uploads in parts (measured).
MULTIPART_BYTES = 5 * 1024 * 1024
TRIES = 5
FIRST_WAIT_SECONDS = 0.1
_PARTS = TransferConfig(multipart_threshold=MULTIPART_BYTES, multipart_chunksize=MULTIPART_BYTES, use_threads=False)


class UploadError(Exception):
    """S3 did not take a file; the text is what egress reports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """What egress itself runs with at AWS: a role is assumed with these credentials."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


def put(
    s3: api.S3Upload, key: str, content: bytes, *, pace: Pace, ca_bundle: str | None, own: Own | None = None
) -> None:
    """Store a file as egress does: PutObject, or a multipart upload; no reading before or after, five tries.

    Raises UploadError.
    """
    try:
        client = _client(_assumed(s3, own, ca_bundle) if s3.assume_role_arn else s3, ca_bundle)
    except (ClientError, BotoCoreError) as error:
        raise UploadError(_told(error)) from None
    for attempt in range(TRIES):
        try:
            client.upload_fileobj(io.BytesIO(content), s3.bucket, key, Config=_PARTS)
        except (ClientError, BotoCoreError) as error:
            if attempt == TRIES - 1 or not _passing(error) or not pace.wait(FIRST_WAIT_SECONDS * 2**attempt):
                raise UploadError(_told(error)) from None
        else:
            return


def _passing(error: ClientError | BotoCoreError) -> bool:
    """Whether another try may help."""
    if not isinstance(error, ClientError):
        return True
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= HTTPStatus.INTERNAL_SERVER_ERROR


def location(s3: api.S3Upload, key: str) -> str:
    """The address that egress reports: always https, without region, not encoded, true or not."""
    host = urlsplit(s3.endpoint).netloc or "s3.amazonaws.com"
    return f"https://{host}/{s3.bucket}/{key}" if s3.force_path_style else f"https://{s3.bucket}.{host}/{key}"


def _assumed(s3: api.S3Upload, own: Own | None, ca_bundle: str | None) -> api.S3Upload:
    """The same upload with the role's credentials for a while."""
    session: Any = boto3.session.Session(
        aws_access_key_id=own and own.access_key_id,
        aws_secret_access_key=own and own.secret_access_key,
        region_name=s3.region or None,
    )
    made = session.client("sts", endpoint_url=s3.endpoint or None, verify=ca_bundle).assume_role(
        RoleArn=s3.assume_role_arn, RoleSessionName="livekit-egress", ExternalId=s3.assume_role_external_id
    )["Credentials"]
    assumed = api.S3Upload()
    assumed.CopyFrom(s3)
    assumed.access_key, assumed.secret = made["AccessKeyId"], made["SecretAccessKey"]
    assumed.session_token = made["SessionToken"]
    return assumed


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
            retries={"total_max_attempts": 1},
        ),
    )


def _told(error: ClientError | BotoCoreError) -> str:
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
