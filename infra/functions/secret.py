"""The functions' one secret, and how long a copy of it may be used."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from . import protojson
from .errors import CallrecError, SecretError
from .log import fault, log

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

#: As livekit-server asks of its secrets outside development; RFC 7518 3.2 asks the same of HS256.
MIN_SECRET_BYTES = 32
#: From this age on a copy is renewed; failing that, it serves on …
SOFT_SECONDS = 120
#: … until this age. A withdrawn key therefore works no longer than this.
HARD_SECONDS = 300
#: After a failed renewal, wait this long before the next: a broken Secrets Manager must not slow every request.
RETRY_SECONDS = 10
_AUDIT = b"callrec.audit.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploader:
    """What LiveKit's egress uploads with: an access key, or a role that it assumes with an external id."""

    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    role_arn: str = ""
    external_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The secret's values; its repr shows none of them. `link_keys`: oldest first, the newest signs.

    `link_keys_until`: the unix second from which on only the newest opens links; None: no end. `audit_key` makes the
    pseudonyms of the audit lines. `uploader`: there when this installation starts recordings.
    """

    livekit_keys: Mapping[str, str] = field(repr=False)
    airtable_token: str = field(repr=False)
    link_keys: tuple[str, ...] = field(repr=False)
    audit_key: str = field(repr=False)
    link_keys_until: float | None = field(default=None, repr=False)
    uploader: Uploader | None = field(default=None, repr=False)

    @classmethod
    def from_json(cls, text: str) -> Secrets:
        """Read `{"livekit_keys": {key: secret}, "airtable_token": "…", "link_keys": ["…"]}`; SecretError when unusable.

        There may be `"link_keys_until": seconds`, `"audit_key": "…"` (else one is derived from the newest link key) and
        `"uploader": {"access_key_id": "…", "secret_access_key": "…"}` besides, or `"uploader": {"role_arn": "…",
        "external_id": "…"}`.
        Every signing secret must have 32 bytes: a shorter one can be guessed from one signature.
        """
        try:
            document = protojson.parse(text)
        except ValueError:
            raise SecretError("the secret is not a JSON object") from None
        keys = protojson.child(document, "livekit_keys")
        token = document.get("airtable_token")
        links = document.get("link_keys")
        if not keys or not all(name and _strong(value) for name, value in keys.items()):
            raise SecretError(f"livekit_keys must map API keys to secrets of at least {MIN_SECRET_BYTES} bytes")
        if not isinstance(token, str):
            raise SecretError("airtable_token must be a text")
        if not isinstance(links, list) or not links or not all(map(_strong, cast("list[object]", links))):
            raise SecretError(f"link_keys must be a list of texts of at least {MIN_SECRET_BYTES} bytes")
        link_keys = tuple(cast("list[str]", links))
        audit_key = document.get("audit_key")
        return cls(
            livekit_keys=cast("dict[str, str]", dict(keys)),
            airtable_token=token,
            link_keys=link_keys,
            audit_key=cast("str", audit_key) if _strong(audit_key) else audit_key_of(link_keys[-1]),
            link_keys_until=_until(document),
            uploader=_uploader(document),
        )


def audit_key_of(link_key: str) -> str:
    """The audit key of a stack that was given none."""
    return hmac.new(link_key.encode("utf-8", "surrogatepass"), _AUDIT, hashlib.sha256).hexdigest()


def _until(document: protojson.Object) -> float | None:
    """What cannot be read ended long ago: better that old links end too soon than never."""
    if document.get("link_keys_until") is None:
        return None
    return protojson.number(document, "link_keys_until") or 0.0


def _uploader(document: protojson.Object) -> Uploader | None:
    """None too when it is unusable: it must not keep those from working who do without."""
    key = protojson.child(document, "uploader")
    role_arn, external_id = protojson.text(key, "role_arn"), protojson.text(key, "external_id")
    if role_arn and external_id:
        return Uploader(role_arn=role_arn, external_id=external_id)
    access_key_id, secret_access_key = protojson.text(key, "access_key_id"), protojson.text(key, "secret_access_key")
    if access_key_id is None or secret_access_key is None:
        return None
    return Uploader(access_key_id=access_key_id, secret_access_key=secret_access_key)


def _strong(value: object) -> bool:
    return isinstance(value, str) and len(value.encode("utf-8", "surrogatepass")) >= MIN_SECRET_BYTES


def reader(client: SecretsManagerClient, arn: str) -> Callable[[], str]:
    """A function that reads the secret's text from Secrets Manager."""
    return lambda: client.get_secret_value(SecretId=arn)["SecretString"]


class SecretCache:
    """Keeps the secret between invocations of one warm function. `clock` in seconds."""

    def __init__(self, read: Callable[[], str], clock: Callable[[], float] = time.time) -> None:
        """Nothing is read yet."""
        self._read = read
        self._clock = clock
        self._secrets: Secrets | None = None
        self._read_at = 0.0
        self._failed_at: float | None = None

    def warm(self) -> None:
        """Read once while the function starts; a failure is logged, the first request tries again."""
        try:
            self._renew()
        except SecretError:
            self._failed_at = None

    def get(self) -> Secrets:
        """The secret, at most HARD_SECONDS old; SecretError when that cannot be had."""
        if self._secrets is not None and self._younger_than(SOFT_SECONDS):
            return self._secrets
        if self._secrets is not None and self._younger_than(HARD_SECONDS):
            if self._failed_lately():
                return self._secrets
            try:
                return self._renew()
            except SecretError:
                return self._secrets
        return self._renew()

    def refresh_if_older_than(self, seconds: float) -> Secrets:
        """The secret, read again when the copy is older; SecretError when that fails.

        For a signature that fails: the key may have been rotated a moment ago, and an answer of 401 would be final.
        """
        if self._secrets is not None and self._younger_than(seconds):
            return self._secrets
        if self._failed_lately():
            raise SecretError("the secret could not be read a moment ago")
        return self._renew()

    def _renew(self) -> Secrets:
        now = self._clock()
        try:
            secrets = Secrets.from_json(self._read())
        except Exception as error:
            self._failed_at = now
            log("error", "secret_unreadable", error=fault(error))
            if isinstance(error, CallrecError):
                raise
            raise SecretError("the secret could not be read") from None
        self._secrets, self._read_at, self._failed_at = secrets, now, None
        return secrets

    def _younger_than(self, seconds: float) -> bool:
        """A clock set back makes a copy old, not eternal."""
        return 0 <= self._clock() - self._read_at < seconds

    def _failed_lately(self) -> bool:
        return self._failed_at is not None and 0 <= self._clock() - self._failed_at < RETRY_SECONDS
