"""Fuzz target: play tokens, through Links and through the whole handler of `play`.

An input's first byte chooses what the rest becomes, see _FORMS.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from typing import Any, cast

import boto3
from botocore.exceptions import ClientError
from itsdangerous import Signer, TimestampSigner

from infra.functions import erasures, play
from infra.functions.errors import LinkError
from infra.functions.links import Links
from infra.functions.secret import SecretCache
from infra.functions.settings import PlaySettings
from tests.fuzz.logged import logged
from tests.fuzz.standing_in import app_of
from tests.unit.functions_support import LINK_KEY, NOW, SECRET_JSON, Clock, recording, url_event

ANSWERS = frozenset({302, 403, 404, 405, 410})
_SALT = "callrec.play.v1"
_OURS = Links((LINK_KEY,), Clock()).issue(recording(), "v1", lifetime_s=60)


class _AnyS3:
    """Has every object but erasure records; its links are botocore's own."""

    def __init__(self) -> None:
        session: Any = boto3.Session("AKIDEXAMPLE", "secret", region_name="us-east-1")
        self._signer = session.client("s3")

    def head_object(self, **request: Any) -> dict[str, Any]:
        if request["Key"].startswith(erasures.PREFIX):  # as S3 says to who may not list: nothing was ever erased
            raise ClientError({"Error": {"Code": "403"}}, "HeadObject")
        return {}

    def get_object_tagging(self, **_: Any) -> dict[str, Any]:
        return {"TagSet": []}

    def generate_presigned_url(self, method: str, **request: Any) -> str:
        return self._signer.generate_presigned_url(method, **request)


_APP = play.App(
    settings=PlaySettings(secret_arn="arn", bucket="recordings-x", prefix="calls/"),
    secrets=SecretCache(lambda: SECRET_JSON, Clock()),
    s3=cast("Any", _AnyS3()),
    clock=Clock(),
)


def _signer(kind: type[Signer]) -> Any:
    return kind(LINK_KEY, salt=_SALT, sep=".", key_derivation="hmac", digest_method=hashlib.sha256)


def _path(data: bytes) -> dict[str, Any]:
    """Any path."""
    return url_event(method="GET", path=data.decode("utf-8", "surrogateescape"))


def _token(data: bytes) -> dict[str, Any]:
    """Any token."""
    return url_event(method="GET", path="/r/" + data.decode("latin-1"))


def _signed(data: bytes) -> dict[str, Any]:
    """Any payload, signed by us (nobody else can): then at least the date is ours."""
    return _token(_signer(TimestampSigner).sign(_segment(data)))


def _signed_packed(data: bytes) -> dict[str, Any]:
    """Any payload that claims to be compressed, signed by us."""
    return _token(_signer(TimestampSigner).sign(b"." + _segment(data)))


def _signed_at(data: bytes) -> dict[str, Any]:
    """Any time (up to the new line) and payload, signed by us."""
    time, _, payload = data.partition(b"\n")
    return _token(_signer(Signer).sign(_segment(payload) + b"." + _segment(time)))


def _event(data: bytes) -> dict[str, Any]:
    """A Function URL event as JSON; Lambda itself accepts nothing else."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", event) if isinstance(event, dict) else {}


_FORMS: tuple[Callable[[bytes], dict[str, Any]], ...] = (_path, _token, _signed, _signed_packed, _signed_at, _event)
_STRANGERS = (_path, _token, _event)


def one_input(data: bytes) -> None:
    """Follow one link; AssertionError unless it is answered as documented, and strangers' tokens lead nowhere."""
    if not data:
        return
    form = _FORMS[data[0] % len(_FORMS)]
    event = form(data[1:])
    with app_of(play, _APP), logged() as lines:
        answer = play.handler(event, None)
    status = answer["statusCode"]
    assert status in ANSWERS, (status, lines())
    assert (status == 302) == ("Location" in answer["headers"])
    if form is _token and data[1:] == _OURS.encode():  # else all that is held against a play would go unseen
        assert status == 302, "a link of ours does not play"
    _check_link(event, status, stranger=form in _STRANGERS)


def _check_link(event: dict[str, Any], status: int, *, stranger: bool) -> None:
    """What Links itself says of the token, and that a stranger's says what we signed.

    The signature's own base64 may hold characters that decoding skips: it is the same link then.
    """
    path: object = event.get("rawPath")
    token = path.rpartition("/r/")[2] if isinstance(path, str) else ""
    try:
        link = Links((LINK_KEY,), Clock()).read(token)
    except LinkError:
        assert status != 302
        return
    if status == 302:
        assert link.key.startswith("calls/")
        assert link.expires_at > NOW
    if stranger:
        assert token.rpartition(".")[0] == _OURS.rpartition(".")[0], "a forged token was accepted"


def _segment(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def seeds() -> list[bytes]:
    """A link of ours in every form, and the traps that are known."""
    good: dict[str, Any] = {"k": "calls/a.mp4", "v": "v1", "e": "EG_1", "n": "a.mp4", "x": 9_999_999_999}
    payload = json.dumps(good).encode()
    made = [
        b"\x00/r/" + _OURS.encode(),
        b"\x00/r/x/r/" + _OURS.encode(),
        b"\x01" + _OURS.encode(),
        b"\x01" + _OURS[:-4].encode(),
        b"\x02" + payload,
        b"\x03" + zlib.compress(payload),
        b"\x03" + zlib.compress(b" " * 4_000_000),
        b"\x03" + zlib.compress(b"[" * 100_000),
        b"\x04" + int(NOW).to_bytes(4, "big") + b"\n" + payload,
        b"\x04" + b"\xff" * 30 + b"\n" + payload,
        b"\x04\n" + payload,
        b"\x05" + json.dumps(url_event(method="GET", path=f"/r/{_OURS}")).encode(),
        b"\x05" + json.dumps(url_event(method="HEAD", path="/r/x")).encode(),
    ]
    strange: tuple[Any, ...] = ("", "\ud800", 'é\r\n"', 5e-324, 1e308, 10**400, -1, True, None, [], {})
    return made + [
        b"\x02" + json.dumps(good | {name: value}).encode() for name in (*good, "r", "d", "t") for value in strange
    ]
