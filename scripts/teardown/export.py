"""Downloads what the recordings' bucket holds, with a manifest, before it is deleted."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.errors import UnfinishedError, UsageError
from scripts.teardown import manifest
from scripts.teardown.manifest import FILES, Entry, Found, digest, file_name, file_of
from scripts.teardown.private_file import PART, opened
from scripts.teardown.recordings import size_words
from scripts.verify.hop import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What lies in the folder now: files and bytes; `fetched`: how many files this command brought."""

    files: int
    size: int
    fetched: int


@dataclass(kw_only=True, slots=True)
class Export:
    """One folder. It can be done again: what is there, whole and unchanged, is not fetched twice."""

    s3: S3Client = field(repr=False)
    bucket: str
    folder: Path
    say: Callable[[str], None]
    _done: dict[tuple[str, str], Entry] = field(default_factory=dict[tuple[str, str], Entry], repr=False)
    _fetched: int = 0

    def check(self) -> None:
        """Make the folder. Raises UsageError for one that others can read, or that cannot be made."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = self.folder.stat().st_mode
            if stat.S_IMODE(mode) & 0o077:
                raise UsageError(f"--export: others can read {self.folder}: chmod 700. Nothing was touched")
            (self.folder / FILES).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"--export: {self.folder} cannot be used ({error.strerror}). Nothing was touched"
            ) from None

    def go(self) -> Exported:
        """Fetch every version. Raises UnfinishedError unless all of them are there and whole."""
        known = manifest.read(self.folder)
        failed: dict[str, int] = {}
        files = size = 0
        # Older ones first: one that was current in an earlier run makes way for the next of that name.
        for found in sorted(self._versions(), key=lambda one: one.current):
            key, version = found.key, found.version
            entry = self._done.get((key, version)) or known.get((key, version))
            try:
                kept = None if entry is None else self._kept(entry, found)
                self._done[key, version] = entry = kept or self._fetch(found)
            except (ClientError, BotoCoreError, OSError) as error:
                code = code_of(error) if isinstance(error, ClientError) else type(error).__name__
                failed[code] = failed.get(code, 0) + 1
                continue
            files, size = files + 1, size + entry.size
            self.say(f"exported {files:,} files, {size_words(size)}")
        if failed:
            raise UnfinishedError(_incomplete(failed, files, self.folder))
        gone = [entry for version, entry in known.items() if version not in self._done]
        try:
            manifest.settle(self.folder, [*gone, *self._done.values()])
        except OSError as error:
            raise UnfinishedError(_incomplete({type(error).__name__: 1}, files, self.folder)) from None
        return Exported(files=files, size=size, fetched=self._fetched)

    def _versions(self) -> Generator[Found]:
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
            for one in page.get("Versions", []):
                item: Any = one
                yield Found(
                    key=item["Key"],
                    version=item["VersionId"],
                    size=item["Size"],
                    modified=item["LastModified"],
                    current=item.get("IsLatest") is True,
                )

    def _kept(self, entry: Entry, found: Found) -> Entry | None:
        """What was fetched before, under the name that it has now; None when it is not there or not whole."""
        if (found.key, found.version) in self._done and entry.current == found.current:
            return entry
        path = self.folder / file_of(found)
        for had in (path, self.folder / file_of(replace(found, current=not found.current))):
            if had.is_file() and _whole(had, entry):
                had.replace(path)
                return replace(entry, file=file_of(found), current=found.current)
        return None

    def _fetch(self, found: Found) -> Entry:
        """Into a partial file, from where an earlier run left it; a version's bytes never change."""
        key, version, length, path = found.key, found.version, found.size, self.folder / file_of(found)
        part = path.with_name(f"{file_name(key)}.{digest(version)[:8]}{PART}")
        with opened(part) as file:
            had = file.seek(0, os.SEEK_END)
            if had > length:
                file.truncate(0)
                had = file.seek(0)
            if had < length or not length:
                span: Any = {"Range": f"bytes={had}-"} if had else {}
                body: Any = self.s3.get_object(Bucket=self.bucket, Key=key, VersionId=version, **span)["Body"]
                while chunk := body.read(_CHUNK):
                    file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            written = file.tell()
        if written != length:
            part.unlink()
            raise OSError("another size than S3 lists")
        entry = Entry(
            key=key,
            version=version,
            size=length,
            sha256=_sha256(part),
            modified=found.modified.astimezone(UTC).isoformat(),
            file=file_of(found),
            current=found.current,
        )
        part.replace(path)
        manifest.append(self.folder, entry)
        self._fetched += 1
        return entry


def _whole(path: Path, entry: Entry) -> bool:
    return path.stat().st_size == entry.size and _sha256(path) == entry.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _incomplete(failed: dict[str, int], files: int, folder: Path) -> str:
    counts = ", ".join(f"{count} of {code}" for code, count in sorted(failed.items()))
    archived = " Those of InvalidObjectState are archived: restore them first (aws s3api restore-object)."
    return (
        f"the export is not complete: {files:,} files are in {folder}, {sum(failed.values())} are not ({counts})."
        f"{archived * ('InvalidObjectState' in failed)} No recording was deleted: run the same command again"
    )
