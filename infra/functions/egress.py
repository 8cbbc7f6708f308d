"""The one request that records a room, whoever sends it: `deliver`, a room's creation, a SIP dispatch rule, an agent.

Audio only, without a layout or page of its own, so that egress needs no browser; MP4, since the default is OGG; AAC, at
32 kb/s unless set otherwise: 7.5 MB for 30 minutes, where egress' own 128 kb/s make 29 MB. The region is always sent:
without it egress asks S3 for the bucket's location, which the upload key may not. No manifest: it would lie
beside every recording.

`livekit.api` takes long to import: it is imported where a request is made, never with this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from . import file_path
from .errors import SettingsError

if TYPE_CHECKING:
    from livekit import api

MIN_BITRATE, MAX_BITRATE, DEFAULT_BITRATE = 16, 320, 32
BITRATE_RULE = f"kb/s, {MIN_BITRATE} to {MAX_BITRATE}"


class Mixing(StrEnum):
    """Who is heard on which channel."""

    #: Everybody on both channels.
    MONO = "mono"
    #: Agents left, everybody else right.
    DUAL_AGENT = "dual-agent"
    #: Each new track on the other channel than the one before.
    DUAL_ALTERNATE = "dual-alternate"


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressOptions:
    """How rooms are recorded. `bitrate` in kb/s.

    `webhook_url` gets the events of the egress besides LiveKit's own webhooks, signed with the secret of the API key
    named `signing_key`; a name LiveKit does not know records all the same, and the URL gets nothing.
    `endpoint`: another S3 than AWS's, with the bucket in the path; for the local stack only.
    SettingsError for what would record to a wrong place, or over an earlier call.
    """

    prefix: str = file_path.DEFAULT_PREFIX
    template: str = file_path.DEFAULT_TEMPLATE
    phone_template: str = file_path.DEFAULT_PHONE_TEMPLATE
    bitrate: int = DEFAULT_BITRATE
    mixing: Mixing = Mixing.MONO
    webhook_url: str = ""
    signing_key: str = ""
    endpoint: str = ""

    def __post_init__(self) -> None:
        if not MIN_BITRATE <= self.bitrate <= MAX_BITRATE:
            raise SettingsError("audioBitrate", BITRATE_RULE, str(self.bitrate))
        if bool(self.webhook_url) != bool(self.signing_key):
            raise SettingsError("signing_key", "set together with webhook_url", self.signing_key)
        file_path.check_template("filePath", self.template, self.prefix)
        file_path.check_template("phoneFilePath", self.phone_template, self.prefix, phone=True)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> EgressOptions:
        """Read CALLREC_…, each of which may be left out; SettingsError names what is bad."""
        prefix = env.get("CALLREC_PREFIX") or file_path.DEFAULT_PREFIX
        webhook = env.get("CALLREC_WEBHOOK_URL", "")
        return cls(
            prefix=prefix,
            template=env.get("CALLREC_FILE_PATH") or f"{prefix}{file_path.NAME}",
            phone_template=env.get("CALLREC_PHONE_FILE_PATH") or f"{prefix}{file_path.PHONE_NAME}",
            bitrate=_bitrate(env.get("CALLREC_AUDIO_BITRATE") or str(DEFAULT_BITRATE)),
            mixing=_mixing(env.get("CALLREC_AUDIO_MIXING") or Mixing.MONO),
            webhook_url=webhook,
            signing_key=env.get("CALLREC_LIVEKIT_KEY") or env.get("LIVEKIT_API_KEY", "") if webhook else "",
            endpoint=env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL", ""),
        )

    def path(self, room_name: str | None, *, phone: bool) -> str:
        """The file path for a room; `phone`: somebody is, or will be, on the phone in it."""
        return self.phone_template if phone or file_path.goes_by_id(room_name) else self.template


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressSettings:
    """Where recordings go, with the key or the role that may put them there, and how they are made.

    A role is assumed by egress itself, with the external id; then there is no key.
    """

    bucket: str
    region: str
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    role_arn: str = ""
    external_id: str = field(default="", repr=False)
    options: EgressOptions = field(default_factory=EgressOptions)

    def __post_init__(self) -> None:
        by = ("role_arn", "external_id") if self.role_arn else ("access_key_id", "secret_access_key")
        for name in ("bucket", "region", *by):
            if not getattr(self, name):
                raise SettingsError(name, "set", None)


def _bitrate(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > len(str(MAX_BITRATE)):
        raise SettingsError("audioBitrate", BITRATE_RULE, value)
    return int(value)


def _mixing(value: str) -> Mixing:
    try:
        return Mixing(value)
    except ValueError:
        raise SettingsError("audioMixing", f"one of {', '.join(Mixing)}", value) from None


def room_request(settings: EgressSettings, room_name: str, *, phone: bool = False) -> api.RoomCompositeEgressRequest:
    """The request for StartRoomCompositeEgress. It holds the upload key: never print it, nor give it to a client."""
    from livekit import api  # noqa: PLC0415  # see above

    options = settings.options
    mixing = {
        Mixing.MONO: api.AudioMixing.DEFAULT_MIXING,
        Mixing.DUAL_AGENT: api.AudioMixing.DUAL_CHANNEL_AGENT,
        Mixing.DUAL_ALTERNATE: api.AudioMixing.DUAL_CHANNEL_ALTERNATE,
    }
    upload = api.S3Upload(
        access_key=settings.access_key_id,
        secret=settings.secret_access_key,
        assume_role_arn=settings.role_arn,
        assume_role_external_id=settings.external_id,
        bucket=settings.bucket,
        region=settings.region,
        endpoint=options.endpoint,
        force_path_style=bool(options.endpoint),
    )
    output = api.EncodedFileOutput(
        file_type=api.EncodedFileType.MP4,
        filepath=options.path(room_name, phone=phone),
        disable_manifest=True,
        s3=upload,
    )
    hooks = [api.WebhookConfig(url=options.webhook_url, signing_key=options.signing_key)]
    return api.RoomCompositeEgressRequest(
        room_name=room_name,
        audio_only=True,
        audio_mixing=mixing[options.mixing],
        file_outputs=[output],
        advanced=api.EncodingOptions(audio_codec=api.AudioCodec.AAC, audio_bitrate=options.bitrate),
        webhooks=hooks if options.webhook_url else [],
    )


def room_egress(settings: EgressSettings, room_name: str = "", *, phone: bool = True) -> api.RoomEgress:
    """The same request for CreateRoom, or for the room_config of a SIP dispatch rule, which names its rooms later.

    Never for a participant's token: whoever holds the token can read it, and with it the upload key.
    """
    from livekit import api  # noqa: PLC0415  # see above

    return api.RoomEgress(room=room_request(settings, room_name, phone=phone))
