"""A versioned bucket in memory, with Object Lock, that can be killed at any change of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.unit.functions_support import client_error

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Killed(BaseException):
    """What no handler catches."""


@dataclass(kw_only=True)
class Held:
    key: str
    id: str
    body: bytes = b""
    modified: datetime = NOW
    marker: bool = False
    mode: str | None = None
    until: datetime | None = None
    hold: bool = False


@dataclass(kw_only=True)
class Bucket:
    """Answers as a boto3 client of S3. `kill_at`: die before (even) or after (odd) the n-th half change."""

    versions: list[Held] = field(default_factory=list[Held])
    uploads: dict[str, str] = field(default_factory=dict[str, str])
    locks: bool = False
    page: int = 2
    kill_at: int | None = None
    halves: int = 0
    on_change: Callable[[str], object] = lambda _: None
    _numbers: Iterable[int] = field(default_factory=count)

    def add(self, key: str, body: bytes = b"sound", **more: Any) -> str:
        made = Held(key=key, id=f"v{next(iter(self._numbers))}", body=body, **more)
        self.versions.append(made)
        return made.id

    def of(self, key: str) -> list[Held]:
        return [one for one in self.versions if one.key == key]

    def change(self, what: str) -> Any:
        return _Change(self, what)

    def get_paginator(self, name: str) -> Any:
        return _Pages(getattr(self, f"_{name}"))

    def _list_object_versions(self, Bucket: str, Prefix: str = "") -> Iterable[dict[str, Any]]:  # noqa: N803
        found = sorted((one for one in self.versions if one.key.startswith(Prefix)), key=lambda one: one.key)
        for start in range(0, max(len(found), 1), self.page):
            page = found[start : start + self.page]
            yield {
                "Versions": [
                    {
                        "Key": one.key,
                        "VersionId": one.id,
                        "Size": len(one.body),
                        "LastModified": one.modified,
                        "IsLatest": self.of(one.key)[-1] is one,
                    }
                    for one in page
                    if not one.marker
                ],
                "DeleteMarkers": [
                    {"Key": one.key, "VersionId": one.id, "LastModified": one.modified} for one in page if one.marker
                ],
            }

    def _list_multipart_uploads(self, Bucket: str, Prefix: str = "") -> Iterable[dict[str, Any]]:  # noqa: N803
        found = [(name, key) for name, key in self.uploads.items() if key.startswith(Prefix)]
        yield {"Uploads": [{"Key": key, "UploadId": name} for name, key in found]}

    def list_object_versions(self, **request: Any) -> dict[str, Any]:
        pages = list(self._list_object_versions(**request))
        return {"Versions": [one for page in pages for one in page["Versions"]]}

    def get_object(self, *, Bucket: str, Key: str, VersionId: str | None = None) -> dict[str, Any]:  # noqa: N803
        found = [one for one in self.of(Key) if VersionId in (None, one.id)]
        if not found or found[-1].marker:
            raise client_error("NoSuchKey")
        return {"Body": io.BytesIO(found[-1].body), "ContentLength": len(found[-1].body)}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> dict[str, Any]:  # noqa: N803
        with self.change(f"put {Key}"):
            return {"VersionId": self.add(Key, Body)}

    def delete_objects(
        self,
        *,
        Bucket: str,  # noqa: N803
        Delete: Any,  # noqa: N803
        BypassGovernanceRetention: bool = False,  # noqa: N803
    ) -> dict[str, Any]:
        errors: list[dict[str, str]] = []
        with self.change("delete"):
            for wanted in Delete["Objects"]:
                one = next((one for one in self.versions if one.id == wanted["VersionId"]), None)
                if one is None:
                    continue
                assert one.key == wanted["Key"]
                bypassed = one.mode == "GOVERNANCE" and BypassGovernanceRetention
                if one.hold or (one.until and one.until > NOW and not bypassed):
                    errors.append({**wanted, "Code": "AccessDenied"})
                else:
                    self.versions.remove(one)
        return {"Errors": errors} if errors else {}

    def abort_multipart_upload(self, *, Bucket: str, Key: str, UploadId: str) -> None:  # noqa: N803
        with self.change("abort"):
            if self.uploads.pop(UploadId, None) is None:
                raise client_error("NoSuchUpload")

    def get_object_lock_configuration(self, *, Bucket: str) -> dict[str, Any]:  # noqa: N803
        if not self.locks:
            raise client_error("ObjectLockConfigurationNotFoundError")
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}

    def get_object_retention(self, *, Bucket: str, Key: str, VersionId: str) -> dict[str, Any]:  # noqa: N803
        [one] = [one for one in self.of(Key) if one.id == VersionId]
        if one.mode is None:
            raise client_error("NoSuchObjectLockConfiguration")
        return {"Retention": {"Mode": one.mode, "RetainUntilDate": one.until}}

    def get_object_legal_hold(self, *, Bucket: str, Key: str, VersionId: str) -> dict[str, Any]:  # noqa: N803
        [one] = [one for one in self.of(Key) if one.id == VersionId]
        return {"LegalHold": {"Status": "ON" if one.hold else "OFF"}}

    def put_object_legal_hold(self, *, Bucket: str, Key: str, VersionId: str, LegalHold: Any) -> None:  # noqa: N803
        [one] = [one for one in self.of(Key) if one.id == VersionId]
        one.hold = LegalHold["Status"] == "ON"


class _Change:
    def __init__(self, bucket: Bucket, what: str) -> None:
        self.bucket, self.what = bucket, what

    def __enter__(self) -> None:
        self._half()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.bucket.on_change(self.what)
            self._half()

    def _half(self) -> None:
        self.bucket.halves += 1
        if self.bucket.halves == self.bucket.kill_at:
            raise Killed


class _Pages:
    def __init__(self, pages: Callable[..., Iterable[dict[str, Any]]]) -> None:
        self.paginate = pages
