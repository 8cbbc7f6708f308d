"""`play`: GET /r/<token> checks our link and redirects to an S3 link that lives five minutes.

The bucket stays private: this function's role signs. It may not list, so S3 says 403 both for what is gone and for what
it may not read: both are shown as gone, and logged apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from . import aws, settings
from .errors import ArchivedLinkError, BadLinkError, GoneLinkError, LinkError, RevokedLinkError
from .function_url import Request, response
from .links import Link, Links
from .log import fault, log
from .pages import page
from .secret import SecretCache, reader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PRESIGNED_SECONDS = 300
#: Object tag: links issued at or before this unix second play no more.
REVOKED_TAG = "callrec-revoked-before"
_ROUTE = "/r/"
_COLD_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_TYPES = {".mp4": "audio/mp4", ".m4a": "audio/mp4", ".ogg": "audio/ogg"}
_GONE_CODES = frozenset({"404", "405", "NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})
_FORBIDDEN_CODES = frozenset({"403", "AccessDenied", "Forbidden"})


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What a request needs. `clock` in unix seconds."""

    settings: settings.PlaySettings
    secrets: SecretCache
    s3: S3Client
    clock: Callable[[], float] = time.time


@cache
def app() -> App:
    """The App of this process."""
    configured = settings.PlaySettings.from_env()
    quick = aws.config(connect=2, read=4, attempts=2)
    secrets = SecretCache(reader(aws.client("secretsmanager", quick), configured.secret_arn))
    secrets.warm()
    return App(settings=configured, secrets=secrets, s3=presigning_client(custom_endpoint=settings.custom_endpoint()))


def presigning_client(*, custom_endpoint: bool) -> S3Client:
    """An S3 client whose links name the bucket's own region: a new bucket does not answer under the global name yet."""
    style = "path" if custom_endpoint else "virtual"
    s3 = {"addressing_style": style, "us_east_1_regional_endpoint": "regional"}
    return aws.client("s3", aws.config(connect=2, read=4, attempts=2, signature_version="s3v4", s3=s3))


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Lambda's entry."""
    try:
        return play(Request.from_event(event), app())
    except Exception as error:  # noqa: BLE001  # a person gets a page, whatever it is
        log("error", "play_failed", error=fault(error))
        return page(503)


def play(request: Request, to: App) -> dict[str, Any]:
    """Answer one request; raises for faults of ours."""
    _, route, token = request.path.rpartition(_ROUTE)
    if not route or not token or "/" in token:
        return page(404)
    if request.method not in ("GET", "HEAD"):
        return page(405, {"Allow": "GET, HEAD"})
    try:
        link = Links(to.secrets.get().link_keys).open(token, to.clock())
        _check(link, to)
    except LinkError as error:
        log("info", "not_played", status=error.status, reason=type(error).__name__)
        return page(error.status)
    log("info", "played", egress=link.egress_id)
    return response(302, "", "text/plain; charset=utf-8", {"Location": _location(link, request.method, to)})


def _check(link: Link, to: App) -> None:
    """LinkError unless the version is there, readable now, and its links are not withdrawn."""
    if not link.key.startswith(to.settings.prefix):
        raise BadLinkError("a link to another place")
    where: Any = {"Bucket": to.settings.bucket, "Key": link.key, "VersionId": link.version}
    try:
        head = to.s3.head_object(**where)
        tags = to.s3.get_object_tagging(**where)["TagSet"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _GONE_CODES:
            raise GoneLinkError("the object version is not there") from None
        if code in _FORBIDDEN_CODES:
            log("error", "object_forbidden", egress=link.egress_id)
            raise GoneLinkError("S3 refuses the object version") from None
        raise
    if link.issued_at <= _revoked_before(tags):
        raise RevokedLinkError("the link was withdrawn")
    if _cold(head):
        raise ArchivedLinkError("the object must be restored first")


def _revoked_before(tags: list[Any]) -> float:
    """The unix second up to which links are withdrawn; a tag that cannot be read withdraws them all."""
    for tag in tags:
        if tag["Key"] == REVOKED_TAG:
            value = str(tag["Value"])
            return int(value) if value.isascii() and value.isdigit() else float("inf")
    return float("-inf")


def _cold(head: Mapping[str, Any]) -> bool:
    restored = 'ongoing-request="false"' in str(head.get("Restore", ""))
    return not restored and (head.get("StorageClass") in _COLD_CLASSES or bool(head.get("ArchiveStatus")))


def _location(link: Link, method: str, to: App) -> str:
    """A link of S3's own, for this very version, that plays in the browser and saves under a readable name."""
    extension = link.file_name[link.file_name.rfind(".") :] if "." in link.file_name else ""
    return to.s3.generate_presigned_url(
        "head_object" if method == "HEAD" else "get_object",
        Params={
            "Bucket": to.settings.bucket,
            "Key": link.key,
            "VersionId": link.version,
            "ResponseContentDisposition": f'inline; filename="{link.file_name}"',
            "ResponseContentType": _TYPES.get(extension.lower(), "application/octet-stream"),
        },
        ExpiresIn=PRESIGNED_SECONDS,
    )


if settings.in_lambda():
    app()
