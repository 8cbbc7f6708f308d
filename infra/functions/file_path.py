"""Where in the bucket egress puts a recording: the rule for a path's template, and which template a room gets (pure).

Egress fills in `{room_name}`, `{room_id}`, `{time}` (2026-11-24T000035, UTC) and `{utc}` (to the millisecond) after it
has cleaned the path, so that a room named `../x` would leave the folder, one named `a/b` add a folder, and one named
`{time}` be filled in itself: names that are not plain never get into a path. Nor do phone numbers, which SIP rules put
into room names: everybody who sees the bucket's listing would see who called.
Source: https://github.com/livekit/egress/blob/main/pkg/config/output_file.go
"""

from __future__ import annotations

import re

from .errors import SettingsError

DEFAULT_PREFIX = "recordings/"
NAME, PHONE_NAME = "{room_name}-{time}.mp4", "{room_id}-{time}.mp4"
DEFAULT_TEMPLATE = f"{DEFAULT_PREFIX}{NAME}"
DEFAULT_PHONE_TEMPLATE = f"{DEFAULT_PREFIX}{PHONE_NAME}"

# The last part of a key is the name of egress' local file, at most 255 bytes: 60 letters, a room's name of 128 bytes,
# and the other placeholders stay below. Each placeholder once, no part that begins with a dot, no `..`.
_PART = r"(?!\.)(?:[A-Za-z0-9_.=-]|\{(?:room_name|room_id|time|utc)\}){1,64}"
_PATH = rf"(?:{_PART}/){{1,8}}{_PART}(?<=\.mp4)"
_ONCE = r"(?!.*\.\.)(?!.*(\{\w+\}).*\1)(?=.*\{(?:time|utc)\})"
#: infra/keys.py holds the same two patterns for the stack's configuration.
TEMPLATE = rf"{_ONCE}(?=.*\{{room_(?:name|id)\}}){_PATH}"
PHONE_TEMPLATE = rf"{_ONCE}(?=.*\{{room_id\}})(?!.*\{{room_name\}}){_PATH}"

TEMPLATE_RULE = (
    "a path below recordingsPrefix that ends in .mp4 and is new for every call: {room_name} or {room_id}, and {time} "
    "or {utc}, each once; besides them letters, digits, _ . = -"
)
PHONE_TEMPLATE_RULE = (
    "as filePath with {room_id} and without {room_name}, which may hold the caller's number; for phone calls"
)

_PLAIN_NAME = re.compile(r"(?!.*\.\.)[\w][\w .,()+=&!'~-]*(?<! )")
_MAX_NAME_BYTES = 128
#: Seven digits or more, also when grouped; a date looks the same and then just does not stand in the path.
_PHONE_NUMBER = re.compile(r"\d(?:[ ._()-]{0,3}\d){6}")


def check_template(setting: str, template: str, prefix: str, *, phone: bool = False) -> None:
    """SettingsError unless every path made by this template lies under the prefix and is new for every call."""
    pattern, rule = (PHONE_TEMPLATE, PHONE_TEMPLATE_RULE) if phone else (TEMPLATE, TEMPLATE_RULE)
    inside = template.startswith(prefix) and len(template) > len(prefix)
    if not inside or re.fullmatch(pattern, template, re.ASCII) is None:
        raise SettingsError(setting, f"{rule}; the prefix is {prefix}", template)


def goes_by_id(room_name: str | None) -> bool:
    """Whether this name must stay out of a path: not known yet, not plain, or one that may hold a phone number."""
    if not room_name or len(room_name.encode("utf-8", "surrogatepass")) > _MAX_NAME_BYTES:
        return True
    return _PLAIN_NAME.fullmatch(room_name) is None or _PHONE_NUMBER.search(room_name) is not None
