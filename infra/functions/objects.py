"""Which version of an S3 object a recording is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .erasures import is_erased
from .errors import ErasedError, WaitError
from .log import log
from .recording import Recording
from .timetable import GRACE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: How far S3's clock and the recorder's may differ.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of an object, as S3 lists it; delete markers are none."""

    key: str = field(repr=False)
    id: str
    size: int
    modified: datetime


def find_version(recording: Recording, s3: S3Client, bucket: str) -> str | None:
    """The id of the version in the bucket that is this recording, None when it has no file; two requests.

    ErasedError when it was erased on request: that is asked of every recording, also of one whose file is there, since
    a recorder may upload after the erasure. WaitError when no version surely is it (yet).
    """
    if is_erased(s3, bucket, recording.egress_id):
        raise ErasedError("the recording was erased on request")
    if not recording.has_file:
        return None
    versions = list_versions(s3, bucket, recording.key or "")
    if sum(version.key == recording.key for version in versions) > 1:
        # An older version is deleted after some days: the file path of the egress must be new for every call.
        log("warning", "key_reused", egress=recording.egress_id)
    return choose_version(versions, recording)


def choose_version(versions: Iterable[Version], recording: Recording) -> str:
    """The id of the version that is this recording; WaitError when none surely is.

    A room name used again may have put another patient's call under the same key. So: the very key; the very size, or
    where that is not known, written soon after the recording ended; not written before it began.
    Of several, the one written soonest after the recording ended; of several
    whose size is not known, none.
    """
    fitting = [version for version in versions if version.key == recording.key and _fits(version, recording)]
    if not fitting or (recording.size_bytes is None and len(fitting) > 1):
        raise WaitError(
            "recording_missing", "the bucket does not hold this recording (yet), or more than one file fits"
        )
    ended = recording.ended_at
    if ended is None:
        return max(fitting, key=lambda version: version.modified).id
    return min(fitting, key=lambda version: (version.modified < ended - SKEW, abs(version.modified - ended))).id


def _fits(version: Version, recording: Recording) -> bool:
    if version.id == "null":  # written before versioning had taken hold: a link to it would not stay with these bytes
        return False
    if recording.size_bytes is not None and version.size != recording.size_bytes:
        return False
    began, ended = recording.started_at or recording.ended_at, recording.ended_at
    if recording.size_bytes is None and ended is not None and version.modified > ended + GRACE:
        return False
    return began is None or version.modified >= began - SKEW


def list_versions(s3: S3Client, bucket: str, key: str) -> list[Version]:
    """The newest thousand versions of the keys that start with `key`: one request, the key itself comes first."""
    answer = s3.list_object_versions(Bucket=bucket, Prefix=key)
    return [
        Version(key=item["Key"], id=item["VersionId"], size=item["Size"], modified=item["LastModified"])  # pyright: ignore[reportTypedDictNotRequiredAccess]
        for item in answer.get("Versions", [])
    ]
