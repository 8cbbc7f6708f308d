"""What Object Lock and legal holds keep of a bucket that is to be emptied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts.errors import UsageError
from scripts.recordings.versions import COMPLIANCE, Version, lock_of
from scripts.verify.hop import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

YEAR_DAYS = 365
_NONE = ("ObjectLockConfigurationNotFoundError", "NoSuchBucket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """How a bucket locks what is stored in it now."""

    mode: str
    days: int

    def until(self, stored: datetime) -> datetime:
        """When the lock of something stored then ends."""
        return stored + timedelta(days=self.days)


def default(s3: S3Client, bucket: str) -> Default | None:
    """The bucket's default retention; None when it locks nothing by itself."""
    try:
        answer: Any = s3.get_object_lock_configuration(Bucket=bucket)
    except ClientError as error:
        if code_of(error) in _NONE:
            return None
        raise
    rule = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention")
    if rule is None:
        return None
    return Default(mode=rule["Mode"], days=rule.get("Days") or rule.get("Years", 0) * YEAR_DAYS)


def refuse(bucket: str, mode: str | None, locked: int, until: datetime | None, *, bypass: bool) -> None:
    """Raises UsageError, with nothing touched, when S3 would keep what is to be deleted."""
    if mode is None or until is None or not locked:
        return
    kept = f"Object Lock ({mode.lower()}) keeps {locked:,} versions in {bucket}, the last until {day(until)}"
    if mode == COMPLIANCE:
        raise UsageError(
            f"{kept}: nobody can delete them before, neither you nor AWS. Nothing was touched. Without "
            "--delete-recordings the stack goes and the recordings stay"
        )
    if not bypass:
        raise UsageError(
            f"{kept}. Nothing was touched. Whoever has the right s3:BypassGovernanceRetention may delete them before: "
            "--bypass-governance"
        )


def why_kept(s3: S3Client, bucket: str, key: str, version: str) -> str:
    """Why S3 would not delete a version, as far as it tells; "" when no lock is the reason."""
    try:
        lock = lock_of(s3, bucket, Version(key=key, id=version, size=0, modified=datetime.now(UTC)))
    except ClientError:
        return ""
    if lock.held:
        return "a legal hold is on one of them at least: callrec hold EGRESS_ID --release, or in S3"
    if lock.mode and lock.until:
        return f"Object Lock ({lock.mode.lower()}) keeps one of them at least until {day(lock.until)}"
    return ""


def day(moment: datetime) -> str:
    """A moment as people read it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
