"""How a stack's rooms are recorded, for every command that asks LiveKit to record."""

from __future__ import annotations

import os
from collections.abc import Mapping

from infra.functions import file_path
from infra.functions.egress import DEFAULT_BITRATE, EgressOptions, EgressSettings, Mixing
from infra.functions.errors import SettingsError
from scripts.deployment import Deployment
from scripts.errors import StackError


def of(deployment: Deployment, *, folder: str = "") -> EgressSettings:
    """The stack's bucket, what uploads to it, and its choices; `folder`, below the recordings' folder, for probes.

    Raises StackError when the configuration cannot record.
    """
    outputs, config = deployment.outputs, deployment.config
    prefix = f"{outputs.prefix}{folder}"
    chosen: Mapping[str, str] = {} if folder else config
    try:
        return EgressSettings(
            bucket=outputs.bucket,
            region=outputs.region,
            access_key_id=outputs.uploader_access_key_id,
            secret_access_key=outputs.uploader_secret_access_key,
            role_arn=outputs.uploader_role_arn,
            external_id=config.get("uploaderExternalId", "") if outputs.uploader_role_arn else "",
            options=EgressOptions(
                prefix=prefix,
                template=chosen.get("filePath") or f"{prefix}{file_path.NAME}",
                phone_template=chosen.get("phoneFilePath") or f"{prefix}{file_path.PHONE_NAME}",
                bitrate=int(config.get("audioBitrate") or DEFAULT_BITRATE),
                mixing=Mixing(config.get("audioMixing") or Mixing.MONO),
                webhook_url=outputs.webhook_url,
                signing_key=config.get("livekitApiKey", ""),
                endpoint=deployment.aws.endpoint_url or _endpoint_of_boto3(),
            ),
        )
    except (SettingsError, ValueError) as error:
        raise StackError(f"stack {deployment.stack} cannot record: {error}") from None


def _endpoint_of_boto3() -> str:
    """Another S3 than AWS's that boto3 was told of: recordings have to go where everything else goes.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
