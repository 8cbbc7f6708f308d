"""What S3 holds for a link: the recording's version, its tags, and whether it was erased."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.functions.erasures import record_key
from infra.functions.errors import CallrecError
from infra.functions.links import Link
from infra.functions.play import REVOKED_TAG, cold, revoked_before

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: How far this machine's clock may be behind S3's.
CLOCK_ERROR_SECONDS = 10
WITHDRAWN_AHEAD = f"no new link would play: its version's tag {REVOKED_TAG} names a moment to come, or none"
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


class State(StrEnum):
    """What a link to a version is good for now."""

    PLAYS = "plays"
    ARCHIVED = "archived"
    REVOKED = "revoked"
    ERASED = "erased"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One version. `revoked_before`: the unix second up to which links are withdrawn, infinite for all of them."""

    erased: bool = False
    there: bool = True
    cold: bool = False
    revoked_before: float = float("-inf")

    def state(self, issued_at: float) -> State:
        """Of a link issued then."""
        if self.erased:
            return State.ERASED
        if not self.there:
            return State.GONE
        if issued_at <= self.revoked_before:
            return State.REVOKED
        return State.ARCHIVED if self.cold else State.PLAYS


def stored(s3: S3Client, bucket: str, link: Link) -> Stored:
    """Ask for all of it. Raises ClientError for what is not simply missing."""
    if _erased(s3, bucket, link.egress_id):
        return Stored(erased=True)
    where: Any = {"Bucket": bucket, "Key": link.key, "VersionId": link.version}
    try:
        head = s3.head_object(**where)
        tags = s3.get_object_tagging(**where)["TagSet"]
    except ClientError as error:
        if missing(error):
            return Stored(there=False)
        raise
    return Stored(cold=cold(head), revoked_before=revoked_before(tags))


def outlast(found: Stored, now: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Wait until a link issued now plays although others are withdrawn; False when no clock's error explains it."""
    ahead = found.revoked_before - now()
    if ahead > CLOCK_ERROR_SECONDS:
        return False
    sleep(max(ahead + 1, 0.0))  # whole seconds count, and the one of the revocation is withdrawn itself
    return True


def revoke(s3: S3Client, bucket: str, link: Link) -> int | None:
    """Withdraw every link to this version issued until now, by S3's clock; the unix second, None when it is not there.

    And until this link was issued, which is later when a clock that was ahead did it. Other tags stay.
    Raises ClientError for what is not simply missing.
    """
    where: Any = {"Bucket": bucket, "Key": link.key, "VersionId": link.version}
    try:
        answer = s3.get_object_tagging(**where)
        moment = max(int(_date(answer).timestamp()), link.issued_at)
        kept = [tag for tag in answer["TagSet"] if tag["Key"] != REVOKED_TAG]
        s3.put_object_tagging(**where, Tagging={"TagSet": [*kept, {"Key": REVOKED_TAG, "Value": str(moment)}]})
    except ClientError as error:
        if missing(error):
            return None
        raise
    return moment


def missing(error: ClientError) -> bool:
    """Whether what was asked for is not there."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _GONE


def _date(answer: Any) -> datetime:
    """When S3 answered: the functions' clock is AWS's, not this machine's."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])


def _erased(s3: S3Client, bucket: str, egress_id: str) -> bool:
    try:
        key = record_key(egress_id)
    except CallrecError:
        return False
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if missing(error):
            return False
        raise
    return True
