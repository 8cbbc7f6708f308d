"""The functions' settings, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from . import environment, protojson
from .errors import SettingsError
from .networks import Network

#: The most a queue message can hold.
MAX_MESSAGE_BYTES: Final = 1_048_576

#: What deliver can write or read, and how the field is called unless configured otherwise.
DEFAULT_FIELDS: Final[Mapping[str, str]] = {
    "recording_url": "audio_recording_url",
    "room_name": "room_name",
    "started": "started_at",
    "egress_id": "egress_id",
    "room_id": "room_id",
    "duration": "recording_duration",
    "size": "recording_size",
    "recording_started": "recording_started_at",
    "recording_ended": "recording_ended_at",
    "status": "recording_status",
    "recordings": "audio_recordings",
}
REQUIRED_ROLES: Final = ("recording_url", "room_name")
_LIVEKIT_SCHEMES: Final = ("ws", "wss", "http", "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveSettings:
    """Settings of `receive`."""

    secret_arn: str
    queue_url: str
    max_body_bytes: int

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> ReceiveSettings:
        """Read the environment; SettingsError names what is missing or bad."""
        return cls(
            secret_arn=environment.text(env, "CALLREC_SECRET_ARN"),
            queue_url=environment.url(env, "CALLREC_QUEUE_URL"),
            max_body_bytes=environment.integer(env, "CALLREC_MAX_BODY_BYTES", 1, MAX_MESSAGE_BYTES),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AirtableSettings:
    """Where the conversations are. `fields`: role → field name; a role named "" is not used.

    `interval_s`: seconds between two requests of one process, its share of what Airtable allows.
    """

    url: str
    base: str
    table: str
    fields: Mapping[str, str]
    interval_s: float

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> AirtableSettings:
        """Read the environment; SettingsError names what is missing or bad."""
        return cls(
            url=environment.url(env, "CALLREC_AIRTABLE_URL").rstrip("/"),
            base=environment.text(env, "CALLREC_AIRTABLE_BASE"),
            table=environment.text(env, "CALLREC_AIRTABLE_TABLE"),
            fields=_fields(env, "CALLREC_AIRTABLE_FIELDS"),
            interval_s=environment.integer(env, "CALLREC_AIRTABLE_INTERVAL_MS", 0, 60_000) / 1000,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSettings:
    """Settings of `deliver`."""

    secret_arn: str
    queue_url: str
    dead_letter_url: str
    bucket: str
    prefix: str
    play_url: str
    link_days: int
    match_window_seconds: int
    settle_seconds: int
    airtable: AirtableSettings

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> DeliverSettings:
        """Read the environment; SettingsError names what is missing or bad."""
        return cls(
            secret_arn=environment.text(env, "CALLREC_SECRET_ARN"),
            queue_url=environment.url(env, "CALLREC_QUEUE_URL"),
            dead_letter_url=environment.url(env, "CALLREC_DLQ_URL"),
            bucket=environment.text(env, "CALLREC_BUCKET"),
            prefix=environment.prefix(env, "CALLREC_PREFIX"),
            play_url=environment.url(env, "CALLREC_PLAY_URL").rstrip("/"),
            link_days=environment.integer(env, "CALLREC_LINK_DAYS", 1, 3650),
            match_window_seconds=environment.integer(env, "CALLREC_MATCH_WINDOW_SECONDS", 0, 86_400),
            settle_seconds=_settle(env),
            airtable=AirtableSettings.from_env(env),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSettings:
    """Settings of `reconcile`. `livekit_url`: None when the stack knows no LiveKit.

    `lookback_seconds`: how far a scheduled run looks back; `interval_seconds`: from one such run to the next.
    """

    secret_arn: str
    queue_url: str
    arrivals_url: str
    bucket: str
    prefix: str
    livekit_url: str | None
    lookback_seconds: int
    interval_seconds: int
    match_window_seconds: int
    settle_seconds: int
    airtable: AirtableSettings

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> ReconcileSettings:
        """Read the environment; SettingsError names what is missing or bad."""
        livekit = "CALLREC_LIVEKIT_URL"
        return cls(
            secret_arn=environment.text(env, "CALLREC_SECRET_ARN"),
            queue_url=environment.url(env, "CALLREC_QUEUE_URL"),
            arrivals_url=environment.url(env, "CALLREC_ARRIVALS_URL"),
            bucket=environment.text(env, "CALLREC_BUCKET"),
            prefix=environment.prefix(env, "CALLREC_PREFIX"),
            livekit_url=environment.url(env, livekit, schemes=_LIVEKIT_SCHEMES) if env.get(livekit) else None,
            lookback_seconds=environment.integer(env, "CALLREC_RECONCILE_SECONDS", 1, 604_800),
            interval_seconds=environment.integer(env, "CALLREC_RECONCILE_INTERVAL_SECONDS", 1, 86_400),
            match_window_seconds=environment.integer(env, "CALLREC_MATCH_WINDOW_SECONDS", 0, 86_400),
            settle_seconds=_settle(env),
            airtable=AirtableSettings.from_env(env),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaySettings:
    """Settings of `play`. `networks`: those that recordings are played from; empty: everybody's."""

    secret_arn: str
    bucket: str
    prefix: str
    networks: tuple[Network, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> PlaySettings:
        """Read the environment; SettingsError names what is missing or bad."""
        return cls(
            secret_arn=environment.text(env, "CALLREC_SECRET_ARN"),
            bucket=environment.text(env, "CALLREC_BUCKET"),
            prefix=environment.prefix(env, "CALLREC_PREFIX"),
            networks=environment.networks(env, "CALLREC_LINK_NETWORKS"),
        )


def in_lambda(env: Mapping[str, str] = os.environ) -> bool:
    """Whether Lambda runs us: then clients are made while the function starts, not by its first request."""
    return bool(env.get("AWS_LAMBDA_FUNCTION_NAME"))


def custom_endpoint(env: Mapping[str, str] = os.environ) -> bool:
    """Whether boto3 talks to something else than AWS, where bucket names are no host names."""
    return bool(env.get("AWS_ENDPOINT_URL") or env.get("AWS_ENDPOINT_URL_S3"))


def _settle(env: Mapping[str, str]) -> int:
    """May be left out (0): see matching.py for what it buys."""
    name = "CALLREC_SETTLE_SECONDS"
    return environment.integer(env, name, 0, 86_400) if env.get(name) else 0


def _fields(env: Mapping[str, str], name: str) -> Mapping[str, str]:
    value = env.get(name)
    rule = f"a JSON object from role to field name, roles of {', '.join(DEFAULT_FIELDS)}"
    try:
        given = protojson.parse(value or "")
    except ValueError:
        raise SettingsError(name, rule, value) from None
    named = {role: field for role, field in given.items() if isinstance(field, str) and role in DEFAULT_FIELDS}
    if len(named) != len(given):
        raise SettingsError(name, rule, value)
    used = {role: field for role, field in (dict(DEFAULT_FIELDS) | named).items() if field}
    if any(role not in used for role in REQUIRED_ROLES) or len(set(used.values())) != len(used):
        raise SettingsError(name, f"{rule}, each field once, {' and '.join(REQUIRED_ROLES)} not empty", value)
    return used
