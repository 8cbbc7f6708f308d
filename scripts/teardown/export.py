"""Downloads what the recordings' bucket holds, with a manifest, before it is deleted."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from scripts.errors import UnfinishedError, UsageError
from scripts.teardown.recordings import size_words
from scripts.verify.hop import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MANIFEST, FILES, PART = "manifest.jsonl", "files", ".part"
_CHUNK = 1024 * 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the manifest: an object's current version, and the file that holds it. `modified` in ISO 8601, UTC."""

    key: str = field(repr=False)
    version: str
    size: int
    sha256: str
    modified: str
    file: str


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
        """Fetch every current version. Raises UnfinishedError unless all of them are there and whole."""
        known = self._manifest()
        failed: dict[str, int] = {}
        files = size = 0
        for key, version, length, modified in self._current():
            entry = self._done.get((key, version))
            if entry is None and (told := known.get((key, version))) is not None and self._holds(told):
                entry = told
            if entry is None:
                try:
                    entry = self._fetch(key, version, length, modified)
                except (ClientError, BotoCoreError, OSError) as error:
                    code = code_of(error) if isinstance(error, ClientError) else type(error).__name__
                    failed[code] = failed.get(code, 0) + 1
                    continue
                self._fetched += 1
            self._done[key, version] = entry
            files, size = files + 1, size + entry.size
            self.say(f"exported {files:,} objects, {size_words(size)}")
        if failed:
            raise UnfinishedError(_incomplete(failed, files, self.folder))
        return Exported(files=files, size=size, fetched=self._fetched)

    def _current(self) -> Generator[tuple[str, str, int, datetime]]:
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
            for one in page.get("Versions", []):
                item: Any = one
                if item.get("IsLatest") is True:
                    yield item["Key"], item["VersionId"], item["Size"], item["LastModified"]

    def _manifest(self) -> dict[tuple[str, str], Entry]:
        """What earlier runs finished; a line that was cut off by a kill is none."""
        path = self.folder / MANIFEST
        known: dict[tuple[str, str], Entry] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                entry = Entry(**json.loads(line))
            except (ValueError, TypeError):
                continue
            known[entry.key, entry.version] = entry
        return known

    def _holds(self, entry: Entry) -> bool:
        """Whether its file is there, under its own name, and whole."""
        path = self._path(entry.key)
        return entry.file == _relative(path) and path.is_file() and _whole(path, entry)

    def _fetch(self, key: str, version: str, length: int, modified: datetime) -> Entry:
        """Into a partial file, from where an earlier run left it; a version's bytes never change."""
        path = self._path(key)
        part = path.with_name(f"{path.name}.{hashlib.sha256(version.encode()).hexdigest()[:8]}{PART}")
        with _opened(part) as file:
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
            modified=modified.astimezone(UTC).isoformat(),
            file=_relative(path),
        )
        part.replace(path)
        with _opened(self.folder / MANIFEST) as manifest:
            manifest.seek(0, os.SEEK_END)
            manifest.write(f"{json.dumps(asdict(entry))}\n".encode())
        return entry

    def _path(self, key: str) -> Path:
        return self.folder / FILES / file_name(key)


def file_name(key: str) -> str:
    """A name that never leaves its folder, is no other key's, and still tells a person what it is."""
    extension = found[0] if (found := _EXTENSION.search(key)) else ""
    stem = _UNSAFE.sub("-", key.removesuffix(extension)).strip("-.")[:_LONGEST_NAME]
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{stem}-{digest}{extension}" if stem else f"{digest}{extension}"


def _relative(path: Path) -> str:
    return f"{FILES}/{path.name}"


def _opened(path: Path) -> BinaryIO:
    """For reading and writing, only by the owner, and never through a link that somebody put there."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")


def _whole(path: Path, entry: Entry) -> bool:
    return path.stat().st_size == entry.size and _sha256(path) == entry.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _incomplete(failed: dict[str, int], files: int, folder: Path) -> str:
    counts = ", ".join(f"{count} of {code}" for code, count in sorted(failed.items()))
    archived = " Those of InvalidObjectState are archived: restore them first (aws s3api restore-object)."
    return (
        f"the export is not complete: {files:,} objects are in {folder}, {sum(failed.values())} are not ({counts})."
        f"{archived * ('InvalidObjectState' in failed)} No recording was deleted: run the same command again"
    )
