"""The object key that egress makes of a file path with placeholders.

Source: livekit/egress pkg/config/output_file.go. The path is cleaned before the placeholders are filled in, so that a
room named `../x` does leave the folder.
"""

from __future__ import annotations

import posixpath
from datetime import UTC, datetime

from livekit import api

_EXTENSIONS = {api.EncodedFileType.MP4: ".mp4", api.EncodedFileType.OGG: ".ogg", api.EncodedFileType.MP3: ".mp3"}
_KNOWN = frozenset({".mp4", ".ogg", ".mp3", ".webm", ".ivf", ".raw", ".ts", ".m3u8", ".jpeg"})


def object_key(output: api.EncodedFileOutput, *, audio_only: bool, room_name: str, room_id: str, at: datetime) -> str:
    """The key of a file output whose request came `at` (aware)."""
    time = at.astimezone(UTC)
    name = _cleaned(output.filepath)
    for placeholder, value in {
        "{room_name}": room_name,
        "{room_id}": room_id,
        "{time}": f"{time:%Y-%m-%dT%H%M%S}",
        "{utc}": f"{time:%Y%m%d%H%M%S}{time.microsecond // 1000:03}",
    }.items():
        name = name.replace(placeholder, value)
    extension = _EXTENSIONS.get(output.file_type, ".ogg" if audio_only else ".mp4")
    if not name or name.endswith("/"):
        return f"{name}{room_name}-{time:%Y-%m-%dT%H%M%S}{extension}"
    if name.endswith(extension):
        return name
    stem, dot, wrong = name.rpartition(".")
    return f"{stem if dot + wrong in _KNOWN else name}{extension}"


def manifest_key(key: str, egress_id: str) -> str:
    """The key of the manifest beside a recording."""
    return posixpath.join(posixpath.dirname(key), f"{egress_id}.json")


def _cleaned(path: str) -> str:
    cleaned = posixpath.normpath(path)
    if cleaned.startswith("//"):
        cleaned = cleaned[1:]
    while cleaned.startswith("../"):
        cleaned = cleaned[3:]
    if cleaned in {".", ".."}:
        return ""
    return cleaned + "/" * (path.endswith("/") and not cleaned.endswith("/"))
