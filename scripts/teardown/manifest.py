"""The manifest of an export: which version lies in which file."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from scripts.teardown.private_file import opened, write_lines

MANIFEST, FILES = "manifest.jsonl", "files"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the manifest: a version of an object, and the file that holds it. `modified` in ISO 8601, UTC.

    `current`: it is what the key stands for now; not an older version, nor one under a delete marker.
    """

    key: str = field(repr=False)
    version: str
    size: int
    sha256: str
    modified: str
    file: str
    current: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A version as S3 lists it."""

    key: str = field(repr=False)
    version: str
    size: int
    modified: datetime
    current: bool


def read(folder: Path) -> dict[tuple[str, str], Entry]:
    """What earlier runs finished; a line that was cut off by a kill is none."""
    path = folder / MANIFEST
    known: dict[tuple[str, str], Entry] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            entry = Entry(**json.loads(line))
        except (ValueError, TypeError):
            continue
        known[entry.key, entry.version] = entry
    return known


def append(folder: Path, entry: Entry) -> None:
    """Note what was fetched, at once: a kill loses nothing."""
    with opened(folder / MANIFEST) as file:
        file.seek(0, os.SEEK_END)
        file.write(f"{json.dumps(asdict(entry))}\n".encode())


def settle(folder: Path, entries: Sequence[Entry]) -> None:
    """Write the manifest anew, a line for each file, when versions bear other names than before; later ones count."""
    by_file = {entry.file: entry for entry in entries}
    lines = [json.dumps(asdict(entry)) for entry in by_file.values()]
    path = folder / MANIFEST
    if path.exists() and sorted(path.read_text().splitlines()) == sorted(lines):
        return
    write_lines(path, lines)


def file_of(found: Found) -> str:
    """The file that a version belongs into, from the export's folder on."""
    return f"{FILES}/{file_name(found.key, '' if found.current else found.version)}"


def file_name(key: str, older: str = "") -> str:
    """A name that never leaves its folder, is no other key's, and still tells a person what it is.

    `older`: the version's id, unless it is the current one.
    """
    extension = found[0] if (found := _EXTENSION.search(key)) else ""
    stem = _UNSAFE.sub("-", key.removesuffix(extension)).strip("-.")[:_LONGEST_NAME]
    unique = digest(key) + (f"-{digest(older)}" if older else "")
    return f"{stem}-{unique}{extension}" if stem else f"{unique}{extension}"


def digest(text: str) -> str:
    """Short enough for a name, long enough to be nobody else's."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
