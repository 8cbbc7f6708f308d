"""Play links: signed tokens that say which version of which recording they play, and until when."""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from . import protojson
from .errors import BadLinkError, ExpiredLinkError, RevokedLinkError

if TYPE_CHECKING:
    from .recording import Recording

_SALT = "callrec.play.v1"
#: Far above any token of ours (a key has at most 1,024 bytes); keeps hostile ones cheap.
MAX_TOKEN_CHARS = 6000
_UNSAFE = re.compile(r"[^A-Za-z0-9_]+")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a token says. Times in unix seconds; `room_id`, `duration_s`, `ended_at` tell deliver what is there."""

    key: str = field(repr=False)
    version: str
    egress_id: str
    file_name: str = field(repr=False)
    issued_at: int
    expires_at: int
    room_id: str | None
    duration_s: float | None
    ended_at: float | None


class _Signer(TimestampSigner):
    """A TimestampSigner with a clock of the caller's."""

    def __init__(self, *args: Any, clock: Callable[[], float], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())


class Links:
    """Issues and opens tokens. `keys`: oldest first, the newest signs; `clock` in unix seconds.

    All keys read. All open until the unix second `until` (None: without an end), from then on only the newest.
    """

    def __init__(
        self, keys: Sequence[str], clock: Callable[[], float] = time.time, *, until: float | None = None
    ) -> None:
        """HMAC-SHA256 with keys derived for this one purpose."""
        self._clock = clock
        self._until = until
        self._all, self._newest = _serializer(keys, clock), _serializer(keys[-1:], clock)

    def issue(self, recording: Recording, version: str, *, lifetime_s: int) -> str:
        """A token that plays this version of the recording, from now on for `lifetime_s`."""
        return self._all.dumps(
            {
                "k": recording.key or "",
                "v": version,
                "e": recording.egress_id,
                "n": file_name(recording),
                "x": int(self._clock()) + lifetime_s,
                "r": recording.room_id,
                "d": recording.duration_s,
                "t": recording.ended_at.timestamp() if recording.ended_at else None,
            }
        )

    def renew(self, link: Link, *, lifetime_s: int) -> str:
        """A token that plays just what the link plays, from now on for `lifetime_s`."""
        return self._all.dumps(
            {
                "k": link.key,
                "v": link.version,
                "e": link.egress_id,
                "n": link.file_name,
                "x": int(self._clock()) + lifetime_s,
                "r": link.room_id,
                "d": link.duration_s,
                "t": link.ended_at,
            }
        )

    def open(self, token: str, now: float) -> Link:
        """The token's link; BadLinkError when it is not ours, Expired- or RevokedLinkError when it opens no more."""
        link = self.read(token)
        if now >= link.expires_at:
            raise ExpiredLinkError("the link's time is over")
        if self._until is not None and now >= self._until and not self.by_newest(token):
            raise RevokedLinkError("the key that signed it is withdrawn")
        return link

    def by_newest(self, token: str) -> bool:
        """Whether the newest key signed it."""
        try:
            _read(self._newest, token)
        except BadLinkError:
            return False
        return True

    def read(self, token: str) -> Link:
        """The token's link, whether it opens or not; BadLinkError when it is not ours."""
        return _read(self._all, token)


def _serializer(keys: Sequence[str], clock: Callable[[], float]) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        list(keys),
        salt=_SALT,
        signer=_Signer,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256, "clock": clock},
    )


def _read(serializer: URLSafeTimedSerializer, token: str) -> Link:
    if len(token) > MAX_TOKEN_CHARS or not token.isascii():
        raise BadLinkError("not one of our links")
    try:
        loaded: tuple[object, datetime] = serializer.loads(token, return_timestamp=True)
    except (BadData, ValueError, OverflowError, OSError):  # the last three: itsdangerous, of a year beyond 9999
        raise BadLinkError("not one of our links") from None
    payload, issued = loaded
    return _link(protojson.as_object(payload), issued)


def _link(payload: protojson.Object, issued: datetime) -> Link:
    texts = [payload.get(name) for name in "kven"]
    room_id, duration, ended, expires = (payload.get(name) for name in "rdtx")
    if not all(isinstance(value, str) and value for value in texts) or not isinstance(expires, int):
        raise BadLinkError("a link of another version")
    key, version, egress_id, name = cast("list[str]", texts)
    if any(map(protojson.lone_surrogate, (key, version, egress_id, name))):
        raise BadLinkError("a link that names no object")
    return Link(
        key=key,
        version=version,
        egress_id=egress_id,
        file_name=name,
        issued_at=int(issued.timestamp()),
        expires_at=expires,
        room_id=room_id if isinstance(room_id, str) else None,
        duration_s=_float(duration),
        ended_at=_float(ended),
    )


def _float(value: object) -> float | None:
    try:
        return float(value) if protojson.is_number(value) else None
    except OverflowError:  # an integer beyond any float
        return None


def file_name(recording: Recording) -> str:
    """A file name a person understands, in plain ASCII: call-camille-2026-11-24-0000UTC.mp4."""
    ascii_room = unicodedata.normalize("NFKD", recording.room_name or "").encode("ascii", "ignore").decode()
    room = _UNSAFE.sub("-", ascii_room).strip("-")[:60]
    when = (recording.started_at or recording.ended_at or datetime.fromtimestamp(0, UTC)).strftime("%Y-%m-%d-%H%MUTC")
    dot = (recording.key or "").rfind(".")
    extension = (recording.key or "")[dot:] if dot >= 0 else ""
    return "-".join(filter(None, ["call", room, when])) + (extension if _EXTENSION.fullmatch(extension) else "")
