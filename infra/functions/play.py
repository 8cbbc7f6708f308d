"""`play`: GET /r/<token> checks our link and redirects to an S3 link that lives minutes.

The bucket stays private: this function's role signs. It may not list, so S3 says 403 both for what is gone and for what
it may not read: both are shown as gone, and logged apart. Every request that brings a token leaves an audit line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from . import audit, aws, networks, settings
from .erasures import record_key
from .errors import (
    ArchivedLinkError,
    BadLinkError,
    CallrecError,
    ErasedLinkError,
    GoneLinkError,
    LinkError,
    NetworkError,
    RevokedLinkError,
)
from .function_url import Request, response
from .links import Link, Links
from .log import fault, log
from .pages import page
from .secret import SecretCache, reader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: How long a play's S3 link lives besides the recording's own length: a player asks S3 again for what it has not
#: fetched yet, when somebody jumps, or goes on after a pause.
PRESIGNED_SECONDS = 300
#: The most of both: the role's own credentials, which sign it, end too.
MOST_PRESIGNED_SECONDS = 3 * 3600
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


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Lambda's entry."""
    function = str(getattr(context, "function_name", "play"))
    try:
        return play(Request.from_event(event), app(), function)
    except Exception as error:  # noqa: BLE001  # a person gets a page, whatever it is
        log("error", "play_failed", error=fault(error))
        return page(audit.FAILED)


def play(request: Request, to: App, function: str = "play") -> dict[str, Any]:
    """Answer one request; raises for faults of ours."""
    _, route, token = request.path.rpartition(_ROUTE)
    if not route or not token or "/" in token:
        return page("nothing")
    if request.method not in ("GET", "HEAD"):
        return page("method", {"Allow": "GET, HEAD"})
    secrets, source = to.secrets.get(), networks.address(request.source)
    links = Links(secrets.link_keys, until=secrets.link_keys_until)
    link, outcome = _read(links, token), audit.FAILED
    try:
        if not networks.admits(to.settings.networks, source):
            raise NetworkError("not from there")
        opened = links.open(token, to.clock())
        _check(opened, to)
        answer = response(302, "", "text/plain; charset=utf-8", {"Location": _location(opened, request.method, to)})
        outcome = audit.PLAYED
    except LinkError as error:
        outcome = error.outcome
        answer = page(outcome)
    finally:
        audit.tell(function, outcome, link, audit.pseudonym(secrets.audit_key, source), to.clock())
    return answer


def _read(links: Links, token: str) -> Link | None:
    """What the token says, so that the audit line of a link that opens no more names its recording too."""
    try:
        return links.read(token)
    except BadLinkError:
        return None


def _check(link: Link, to: App) -> None:
    """LinkError unless the version is there, readable now, and its links are not withdrawn."""
    if not link.key.startswith(to.settings.prefix):
        raise BadLinkError("a link to another place")
    if _erased(link, to):
        raise ErasedLinkError("the recording was erased, or is being erased")
    where: Any = {"Bucket": to.settings.bucket, "Key": link.key, "VersionId": link.version}
    try:
        head = to.s3.head_object(**where)
        tags = to.s3.get_object_tagging(**where)["TagSet"]
    except ClientError as error:
        code = _code(error)
        if code not in _GONE_CODES | _FORBIDDEN_CODES:
            raise
        if code in _FORBIDDEN_CODES:
            log("error", "object_forbidden", egress=link.egress_id)
        raise GoneLinkError("the object version is not there, or S3 refuses it") from None
    if link.issued_at <= revoked_before(tags):
        raise RevokedLinkError("the link was withdrawn")
    if cold(head):
        raise ArchivedLinkError("the object must be restored first")


def _erased(link: Link, to: App) -> bool:
    """Whether somebody erases it on purpose: from the record's first moment on no play begins, deleted or not yet."""
    try:
        key = record_key(link.egress_id)
    except CallrecError:  # an id of no egress: nobody can have erased its recording
        return False
    try:
        to.s3.head_object(Bucket=to.settings.bucket, Key=key)
    except ClientError as error:
        if _code(error) in _GONE_CODES | _FORBIDDEN_CODES:
            return False
        raise
    return True


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def revoked_before(tags: list[Any]) -> float:
    """The unix second up to which links are withdrawn; a tag that cannot be read withdraws them all."""
    for tag in tags:
        if tag["Key"] == REVOKED_TAG:
            value = str(tag["Value"])
            return int(value) if value.isascii() and value.isdigit() else float("inf")
    return float("-inf")


def cold(head: Mapping[str, Any]) -> bool:
    """Whether the object must be restored before it can be read."""
    restored = 'ongoing-request="false"' in str(head.get("Restore", ""))
    return not restored and (head.get("StorageClass") in _COLD_CLASSES or bool(head.get("ArchiveStatus")))


def presigned_seconds(link: Link) -> int:
    """How long the S3 link of a play lives: five minutes more than it takes to listen."""
    return int(min(PRESIGNED_SECONDS + max(link.duration_s or 0.0, 0.0), MOST_PRESIGNED_SECONDS))


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
        ExpiresIn=presigned_seconds(link),
    )


if settings.in_lambda():
    app()
