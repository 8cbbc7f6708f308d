"""The functions' own credentials, as they stand in Secrets Manager."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from scripts.verify.hop import Failed, code_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# A secret that is scheduled for deletion answers with the second one.
GONE = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


def stored(client: SecretsManagerClient, arn: str, mend: str) -> Mapping[str, Any]:
    """`livekit_keys`, `airtable_token`, `link_keys`; raises Failed when there is no such secret, or nothing usable."""
    try:
        text = client.get_secret_value(SecretId=arn)["SecretString"]
    except ClientError as error:
        if code_of(error) not in GONE:
            raise
        raise Failed("the stack's secret is gone", cause="somebody deleted it", mend=mend) from None
    try:
        document: object = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Failed("the stack's secret is not JSON", cause="somebody edited it by hand", mend=mend)
    return cast("dict[str, Any]", document)
