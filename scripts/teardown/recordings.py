"""The recordings themselves: how many there are, and their deletion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts.errors import UnfinishedError
from scripts.teardown import locks
from scripts.verify.hop import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Count = Callable[[int], None]
#: Whoever should listen to it may not have, and its link may not be written.
YOUNG = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """What a bucket holds: current objects, and all versions of all objects with their bytes.

    `young`: current objects of less than a day. `locked`: versions that the bucket's Object Lock keeps, by its `mode`,
    the last of them `until` then; versions that were locked by themselves, or otherwise before, are not among them.
    """

    objects: int = 0
    versions: int = 0
    size: int = 0
    young: int = 0
    mode: str | None = None
    locked: int = 0
    until: datetime | None = None

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.objects:,} objects in {self.versions:,} versions, {size_words(self.size)}"


def count(s3: S3Client, bucket: str, tell: Count) -> Holding | None:
    """Count a bucket, a request for each thousand versions; None when there is no such bucket.

    `tell` hears how many versions were counted so far.
    """
    now = datetime.now(UTC)
    objects = versions = size = young = locked = 0
    ends: list[datetime] = []
    try:
        default = locks.default(s3, bucket)
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in page.get("Versions", []):
                stored: datetime = version.get("LastModified", now - 2 * YOUNG)
                current = version.get("IsLatest") is True
                objects += current
                young += current and now - stored < YOUNG
                versions += 1
                size += version.get("Size", 0)
                if default is not None and (until := default.until(stored)) > now:
                    locked += 1
                    ends = [max([until, *ends])]
            tell(versions)
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return None
        raise
    return Holding(
        objects=objects,
        versions=versions,
        size=size,
        young=young,
        mode=default.mode if default else None,
        locked=locked,
        until=max(ends, default=None),
    )


def empty(s3: S3Client, bucket: str, tell: Count, *, bypass: bool = False) -> int:
    """Delete every version, delete marker and unfinished upload; how many. A bucket that is gone is empty.

    `bypass`: also what Object Lock keeps by governance. `tell` hears how many are gone so far. Raises UnfinishedError
    when S3 keeps some.
    """
    gone = 0
    try:
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for upload in page.get("Uploads", []):
                place: Any = {"Bucket": bucket, "Key": upload.get("Key"), "UploadId": upload.get("UploadId")}
                s3.abort_multipart_upload(**place)
                gone += 1
                tell(gone)
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            gone += _delete(s3, bucket, page, bypass=bypass)
            tell(gone)
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":
            raise
    return gone


def _delete(s3: S3Client, bucket: str, page: Any, *, bypass: bool) -> int:
    entries: Any = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    found: Any = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
    if not found:
        return 0
    more: Any = {"BypassGovernanceRetention": True} if bypass else {}
    errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True}, **more).get("Errors", [])
    if errors:
        codes = ", ".join(sorted({error.get("Code", "?") for error in errors}))
        why = locks.why_kept(s3, bucket, errors[0].get("Key", ""), errors[0].get("VersionId", ""))
        raise UnfinishedError(
            f"S3 keeps {len(errors)} versions in {bucket} ({why or codes}). What is done is done: run teardown again"
        )
    return len(found)


def size_words(number: int) -> str:
    """Bytes as people read them."""
    amount, unit = float(number), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:  # noqa: PLR2004 -- SI
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
