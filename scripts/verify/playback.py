"""The link: it plays what was put in, not for long, and nothing else plays."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

import requests

from infra.functions.play import PRESIGNED_SECONDS
from scripts.deployment import Deployment
from scripts.verify.functions import id_of
from scripts.verify.hop import Failed, Hop
from scripts.verify.journey import DELIVERED, RECORDING, Journey
from scripts.verify.probe import mend

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PLAYS = "playback.plays"
# What verify plays lasts under a minute.
LONGEST_SECONDS = PRESIGNED_SECONDS + 60
TIMEOUT_SECONDS = 20.0
FIRST_BYTE, LAST_BYTE = 1000, 1999
# S3 rounds to seconds; one more for a clock that is a little behind ours.
EXPIRY_PATIENCE_SECONDS = 15.0


def hops(deployment: Deployment, journey: Journey) -> list[Hop]:
    """What a person's browser does with the link, and what a thief's would."""
    playback = Playback(
        journey=journey,
        s3=deployment.aws.client("s3"),
        bucket=deployment.outputs.bucket,
        trust=deployment.aws.trust,
        mend=mend(deployment),
        log_group=deployment.outputs.log_groups["play"],
        networks=deployment.config.get("linkNetworks", ""),
    )
    link, plays = (DELIVERED, id_of("play")), (PLAYS,)
    return [
        Hop(id=PLAYS, title="link plays the same bytes", probe=playback.plays, needs=link),
        Hop(id="playback.range", title="player may jump (Range)", probe=playback.jumps, needs=plays),
        Hop(id="playback.short", title="S3 link lives minutes", probe=playback.is_short, needs=plays),
        Hop(
            id="playback.altered",
            title="S3 link cannot be lengthened",
            probe=playback.cannot_be_lengthened,
            needs=plays,
        ),
        Hop(id="playback.expired", title="expired S3 link is refused", probe=playback.expires, needs=(RECORDING,)),
        Hop(id="playback.tampered", title="tampered link is refused", probe=playback.tampered, needs=link),
    ]


@dataclass(kw_only=True, slots=True)
class Playback:
    """Each public method is one probe. Links are secrets: none is ever part of what is seen."""

    journey: Journey
    s3: S3Client = field(repr=False)
    bucket: str
    trust: str | bool
    mend: str
    log_group: str
    networks: str = ""
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    location: str = field(default="", repr=False)

    def plays(self) -> str:
        """302 from us, then the recording from S3, byte for byte."""
        answer = self._get(self.journey.link)
        location = answer.headers.get("Location", "")
        if answer.status_code != HTTPStatus.FOUND or not location:
            raise Failed(f"{answer.status_code} instead of 302", **self._why_not(answer.status_code))
        file = self._get(location)
        if file.status_code != HTTPStatus.OK:
            cause = "the play function's role may not read or decrypt the recording"
            raise Failed(f"S3 answered {file.status_code}", cause=cause, mend=self.mend)
        content = self.journey.probe.content
        if hashlib.sha256(file.content).digest() != hashlib.sha256(content).digest():
            cause = "another version, or another recording, is behind the link"
            raise Failed(f"{len(file.content):,} other bytes", cause=cause, mend="callrec verify")
        self.location = location
        return f"302, then {len(content):,} bytes, the same"

    def jumps(self) -> str:
        """206 and the right slice."""
        answer = self._get(self.location, {"Range": f"bytes={FIRST_BYTE}-{LAST_BYTE}"})
        wanted = self.journey.probe.content[FIRST_BYTE : LAST_BYTE + 1]
        if answer.status_code != HTTPStatus.PARTIAL_CONTENT or answer.content != wanted:
            cause = "S3 did not honour Range: a player could not jump"
            raise Failed(f"{answer.status_code}, {len(answer.content):,} bytes", cause=cause, mend="callrec verify")
        return f"206, {len(wanted):,} bytes, the right ones"

    def is_short(self) -> str:
        """The lifetime that the S3 link itself states."""
        stated = parse_qs(urlsplit(self.location).query).get("X-Amz-Expires", ["none"])[0]
        if not stated.isdecimal() or int(stated) > LONGEST_SECONDS:
            cause = "this is not callrec's play function, or not by this version"
            raise Failed(f"lifetime: {stated}", cause=cause, mend=self.mend)
        return f"{stated} s"

    def cannot_be_lengthened(self) -> str:
        """The same link with a longer lifetime written into it."""
        answer = self._get(lengthened(self.location))
        if answer.status_code != HTTPStatus.FORBIDDEN:
            cause = "S3 does not check the link's signature"
            raise Failed(f"{answer.status_code} instead of 403", cause=cause, mend="callrec verify")
        return "altered: 403"

    def expires(self) -> str:
        """A link of one second, made with your own credentials; a longer one shows that such links work at all."""
        place = {"Bucket": self.bucket, "Key": self.journey.probe.key}
        longer, link = (
            self.s3.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds) for seconds in (60, 1)
        )
        if (status := self._get(longer).status_code) != HTTPStatus.OK:
            cause = "your own credentials may not read the recordings, or this machine's clock is off"
            raise Failed(f"a fresh link: {status} instead of 200", cause=cause, mend="aws sts get-caller-identity")
        began = self.clock()
        while self.clock() - began < EXPIRY_PATIENCE_SECONDS:
            self.wait(1.5)
            if self._get(link).status_code == HTTPStatus.FORBIDDEN:
                return "link of 1 s: 403 afterwards"
        cause = "S3 does not enforce the end of links, or this machine's clock is ahead"
        raise Failed(f"still plays after {EXPIRY_PATIENCE_SECONDS:.0f} s", cause=cause, mend="timedatectl status")

    def tampered(self) -> str:
        """Our link with one letter changed."""
        answer = self._get(tampered_with(self.journey.link))
        if answer.status_code != HTTPStatus.FORBIDDEN:
            cause = "this is not callrec's play function" if answer.status_code < HTTPStatus.BAD_REQUEST else "it fails"
            raise Failed(f"{answer.status_code} instead of 403", cause=cause, mend=self.mend)
        return "403"

    def _get(self, url: str, headers: dict[str, str] | None = None) -> requests.Response:
        return requests.get(url, headers=headers, timeout=TIMEOUT_SECONDS, verify=self.trust, allow_redirects=False)

    def _why_not(self, status: int) -> dict[str, str]:
        logs = f"aws logs tail {self.log_group} --since 5m"
        if status == HTTPStatus.FORBIDDEN and self.networks:
            return {
                "cause": f"recordings are played from {self.networks} only, and this machine is elsewhere",
                "mend": "run verify there, or widen it: pulumi config set linkNetworks",
            }
        if status in (HTTPStatus.FORBIDDEN, HTTPStatus.GONE):
            return {
                "cause": "the link-signing key differs between deliver and play, or the version is gone",
                "mend": logs,
            }
        return {"cause": "the play function fails, or its permissions are gone", "mend": logs}


def lengthened(link: str) -> str:
    """A presigned link that claims to live an hour longer."""
    parts = urlsplit(link)
    query = [(name, "3900" if name == "X-Amz-Expires" else value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def tampered_with(link: str) -> str:
    """A play link whose token differs in one letter, well inside what is signed."""
    address, _, token = link.rpartition("/")
    middle = len(token) // 3
    letter = "A" if token[middle] != "A" else "B"
    return f"{address}/{token[:middle]}{letter}{token[middle + 1 :]}"
