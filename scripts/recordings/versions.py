"""Every version of one object, what is locked about them, and their deletion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts.verify.hop import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: S3 deletes so many in one request.
MOST_AT_ONCE = 1000
GOVERNANCE, COMPLIANCE = "GOVERNANCE", "COMPLIANCE"
_NO_LOCK = frozenset({"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version, or one delete marker, which has no bytes."""

    key: str = field(repr=False)
    id: str
    size: int
    modified: datetime
    marker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What keeps a version from being deleted. `until` is None where it has no retention."""

    mode: str | None = None
    until: datetime | None = None
    held: bool = False

    def locked(self, now: datetime) -> bool:
        """Whether its retention still runs."""
        return self.until is not None and self.until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A version that S3 would not delete, and its code for why."""

    id: str
    code: str


def versions(s3: S3Client, bucket: str, key: str) -> list[Version]:
    """All of this very key, delete markers too, the newest first."""
    found: list[Version] = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        entries: list[tuple[Any, bool]] = [(one, False) for one in page.get("Versions", [])]
        entries += [(one, True) for one in page.get("DeleteMarkers", [])]
        found += [
            Version(
                key=key, id=one["VersionId"], size=one.get("Size", 0), modified=one["LastModified"], marker=is_marker
            )
            for one, is_marker in entries
            if one["Key"] == key
        ]
        if entries and all(one["Key"] > key for one, _ in entries):
            break  # keys come in order: only longer ones follow
    return sorted(found, key=lambda one: one.modified, reverse=True)


def uploads(s3: S3Client, bucket: str, key: str) -> list[str]:
    """Ids of this key's unfinished multipart uploads."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=key)
    return [one.get("UploadId", "") for page in pages for one in page.get("Uploads", []) if one.get("Key") == key]


def can_lock(s3: S3Client, bucket: str) -> bool:
    """Whether this bucket has Object Lock at all; once it has, it keeps it for ever."""
    try:
        s3.get_object_lock_configuration(Bucket=bucket)
    except ClientError as error:
        if code_of(error) in _NO_LOCK:
            return False
        raise
    return True


def lock_of(s3: S3Client, bucket: str, version: Version) -> Lock:
    """Retention and legal hold of a version in a bucket that can lock."""
    where: Any = {"Bucket": bucket, "Key": version.key, "VersionId": version.id}
    retention: Any = _unless_none(lambda: s3.get_object_retention(**where).get("Retention", {}))
    hold: Any = _unless_none(lambda: s3.get_object_legal_hold(**where).get("LegalHold", {}))
    return Lock(mode=retention.get("Mode"), until=retention.get("RetainUntilDate"), held=hold.get("Status") == "ON")


def delete(s3: S3Client, bucket: str, doomed: Iterable[Version], *, bypass: bool = False) -> list[Kept]:
    """Delete just these versions and markers; returns what S3 kept. `bypass`: governance retention too."""
    kept: list[Kept] = []
    more: Any = {"BypassGovernanceRetention": True} if bypass else {}
    everything = list(doomed)
    for start in range(0, len(everything), MOST_AT_ONCE):
        some = everything[start : start + MOST_AT_ONCE]
        objects: Any = [{"Key": one.key, "VersionId": one.id} for one in some]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}, **more)
        kept += [Kept(id=error.get("VersionId", ""), code=error.get("Code", "?")) for error in answer.get("Errors", [])]
    return kept


def abort(s3: S3Client, bucket: str, key: str, ids: Sequence[str]) -> None:
    """Abort unfinished uploads; one that ended meanwhile is no failure."""
    for upload in ids:
        try:
            s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise


def _unless_none(ask: Any) -> Any:
    try:
        return ask()
    except ClientError as error:
        if code_of(error) in _NO_LOCK:
            return {}
        raise
