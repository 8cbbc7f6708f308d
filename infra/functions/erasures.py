"""Erasure records: what stays of a recording that was erased on request.

One object `erasures/<egress id>.json` in the recordings' bucket, written before anything is deleted: from then on
its links say that it was erased, and no later event of the same egress brings it back. It holds no key, room, name,
number or address.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from . import protojson
from .errors import CallrecError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Beside the recordings' prefix, never below it: whoever uploads recordings must not be able to write one.
PREFIX = "erasures/"
_EGRESS_ID = re.compile(r"[A-Za-z0-9_]{1,64}")


class State(StrEnum):
    """How far an erasure is."""

    BEGUN = "begun"
    #: No version is left; the conversation may still show what was there.
    DELETED = "deleted"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One record. `at`: when the state was reached, unix seconds; `versions` and `size_bytes`: what there was."""

    egress_id: str
    state: State
    at: int
    versions: int
    size_bytes: int

    def to_json(self) -> str:
        """The object's body."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Erasure:
        """Read a body; ValueError when it is not such a record."""
        found = protojson.parse(text)
        numbers = [found.get(name) for name in ("at", "versions", "size_bytes")]
        egress_id = found.get("egress_id")
        if not isinstance(egress_id, str) or not all(isinstance(number, int) for number in numbers):
            raise ValueError("not an erasure record")
        at, versions, size = (int(number) for number in numbers if isinstance(number, int))
        return cls(egress_id=egress_id, state=State(str(found.get("state"))), at=at, versions=versions, size_bytes=size)


def record_key(egress_id: str) -> str:
    """The record's key; CallrecError for what is no egress id, since it comes from links and from people."""
    if not _EGRESS_ID.fullmatch(egress_id):
        raise CallrecError("an egress id has 1 to 64 letters, digits or underscores")
    return f"{PREFIX}{egress_id}.json"


def is_erased(s3: S3Client, bucket: str, egress_id: str) -> bool:
    """Whether the egress's recording was erased, or its erasure has begun.

    By a list, since whoever may not list is told 403 of what is not there: that would look like any refusal.
    """
    try:
        key = record_key(egress_id)
    except CallrecError:  # an id that no record can have
        return False
    answer = s3.list_object_versions(Bucket=bucket, Prefix=key)
    return any(item.get("Key") == key for item in answer.get("Versions", []))


def erased_egresses(s3: S3Client, bucket: str) -> frozenset[str]:
    """The ids of all egresses that were erased; a request for each thousand."""
    keys: set[str] = set()
    where: dict[str, str] = {}
    while True:
        page = s3.list_object_versions(Bucket=bucket, Prefix=PREFIX, **where)  # pyright: ignore[reportArgumentType]
        keys |= {item.get("Key", "") for item in page.get("Versions", [])}
        if not page.get("IsTruncated"):
            return frozenset(key.removeprefix(PREFIX).removesuffix(".json") for key in keys)
        where = {"KeyMarker": page.get("NextKeyMarker", ""), "VersionIdMarker": page.get("NextVersionIdMarker", "")}
