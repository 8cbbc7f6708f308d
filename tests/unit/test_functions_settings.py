"""Each function's settings: read whole, or refused by name."""

from __future__ import annotations

import json

import pytest

from infra.functions.errors import SettingsError
from infra.functions.settings import (
    DEFAULT_FIELDS,
    DeliverSettings,
    PlaySettings,
    ReceiveSettings,
    ReconcileSettings,
    custom_endpoint,
    in_lambda,
)

RECEIVE = {
    "CALLREC_SECRET_ARN": "arn:aws:secretsmanager:x",
    "CALLREC_QUEUE_URL": "https://sqs.example/1/q.fifo",
    "CALLREC_MAX_BODY_BYTES": "262144",
}
PLAY = {"CALLREC_SECRET_ARN": "arn:x", "CALLREC_BUCKET": "recordings", "CALLREC_PREFIX": "calls/"}
DELIVER = PLAY | {
    "CALLREC_QUEUE_URL": "https://sqs.example/1/q.fifo",
    "CALLREC_DLQ_URL": "https://sqs.example/1/dead.fifo",
    "CALLREC_PLAY_URL": "https://play.example/",
    "CALLREC_LINK_DAYS": "30",
    "CALLREC_MATCH_WINDOW_SECONDS": "900",
    "CALLREC_AIRTABLE_URL": "https://api.airtable.com",
    "CALLREC_AIRTABLE_BASE": "appX",
    "CALLREC_AIRTABLE_TABLE": "Conversations",
    "CALLREC_AIRTABLE_FIELDS": "{}",
    "CALLREC_AIRTABLE_INTERVAL_MS": "440",
}
RECONCILE = {name: value for name, value in DELIVER.items() if name.split("_")[1] not in ("DLQ", "PLAY", "LINK")} | {
    "CALLREC_ARRIVALS_URL": "https://sqs.example/1/arrivals",
    "CALLREC_RECONCILE_SECONDS": "7200",
    "CALLREC_RECONCILE_INTERVAL_SECONDS": "900",
}
CLASSES = [
    (ReceiveSettings, RECEIVE),
    (PlaySettings, PLAY),
    (DeliverSettings, DELIVER),
    (ReconcileSettings, RECONCILE),
]
MISSING = [(kind, env, name) for kind, env in CLASSES for name in env]


def test_settings_are_what_the_environment_says() -> None:
    assert ReceiveSettings.from_env(RECEIVE).max_body_bytes == 262_144
    assert PlaySettings.from_env(PLAY).prefix == "calls/"
    assert PlaySettings.from_env(PLAY).networks == ()
    limited = PlaySettings.from_env(PLAY | {"CALLREC_LINK_NETWORKS": "203.0.113.0/24, 2001:db8::/48"})
    assert [str(network) for network in limited.networks] == ["203.0.113.0/24", "2001:db8::/48"]
    deliver = DeliverSettings.from_env(DELIVER)
    assert (deliver.play_url, deliver.link_days, deliver.settle_seconds) == ("https://play.example", 30, 0)
    assert (deliver.airtable.fields, deliver.airtable.interval_s) == (DEFAULT_FIELDS, 0.44)
    assert DeliverSettings.from_env(DELIVER | {"CALLREC_SETTLE_SECONDS": "60"}).settle_seconds == 60


@pytest.mark.parametrize(("kind", "env", "name"), MISSING)
def test_a_missing_or_empty_setting_is_named(
    kind: type[ReceiveSettings | PlaySettings | DeliverSettings | ReconcileSettings], env: dict[str, str], name: str
) -> None:
    without = {key: value for key, value in env.items() if key != name}
    for broken in (without, env | {name: ""}):
        with pytest.raises(SettingsError, match=name) as error:
            kind.from_env(broken)
        assert error.value.name == name
    with pytest.raises(SettingsError, match="it is missing"):
        kind.from_env(without)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALLREC_SECRET_ARN", " arn"),
        ("CALLREC_QUEUE_URL", "sqs.example"),
        ("CALLREC_QUEUE_URL", "ftp://x/y"),
        ("CALLREC_PLAY_URL", "https://"),
        ("CALLREC_PLAY_URL", "https://[x"),
        ("CALLREC_PREFIX", "calls"),
        ("CALLREC_PREFIX", "/"),
        ("CALLREC_PREFIX", "/calls/"),
        ("CALLREC_PREFIX", "a/../b/"),
        ("CALLREC_PREFIX", "a//b/"),
        ("CALLREC_LINK_DAYS", "0"),
        ("CALLREC_LINK_DAYS", "3651"),
        ("CALLREC_LINK_DAYS", "-1"),
        ("CALLREC_LINK_DAYS", "1.5"),
        ("CALLREC_LINK_DAYS", "٣"),
        ("CALLREC_LINK_DAYS", "9" * 5000),
        ("CALLREC_SETTLE_SECONDS", "soon"),
        ("CALLREC_AIRTABLE_FIELDS", "[]"),
        ("CALLREC_AIRTABLE_FIELDS", '{"rooms": "x"}'),
        ("CALLREC_AIRTABLE_FIELDS", '{"status": 5}'),
        ("CALLREC_AIRTABLE_FIELDS", '{"recording_url": ""}'),
        ("CALLREC_AIRTABLE_FIELDS", '{"status": "room_name"}'),
    ],
)
def test_a_bad_setting_says_rule_and_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be") as error:
        DeliverSettings.from_env(DELIVER | {name: value})
    assert repr(value) in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALLREC_LIVEKIT_URL", "livekit.example"),
        ("CALLREC_LIVEKIT_URL", "ftp://livekit.example"),
        ("CALLREC_RECONCILE_SECONDS", "0"),
        ("CALLREC_RECONCILE_SECONDS", "604801"),
        ("CALLREC_RECONCILE_INTERVAL_SECONDS", "86401"),
    ],
)
def test_a_bad_setting_of_reconcile_says_rule_and_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be") as error:
        ReconcileSettings.from_env(RECONCILE | {name: value})
    assert repr(value) in str(error.value)


def test_reconcile_may_know_no_livekit() -> None:
    settings = ReconcileSettings.from_env(RECONCILE)
    assert settings.livekit_url is None
    assert (settings.lookback_seconds, settings.interval_seconds, settings.settle_seconds) == (7200, 900, 0)
    assert (settings.prefix, settings.airtable.interval_s) == ("calls/", 0.44)
    for url in ("wss://livekit.example", "ws://x", "https://x", "http://127.0.0.1:7880"):
        assert ReconcileSettings.from_env(RECONCILE | {"CALLREC_LIVEKIT_URL": url}).livekit_url == url


def test_a_body_larger_than_a_queue_message_is_refused() -> None:
    with pytest.raises(SettingsError, match="CALLREC_MAX_BODY_BYTES"):
        ReceiveSettings.from_env(RECEIVE | {"CALLREC_MAX_BODY_BYTES": "1048577"})


def test_fields_are_renamed_and_switched_off() -> None:
    fields = json.dumps({"recording_url": "Lien", "status": ""})
    settings = DeliverSettings.from_env(DELIVER | {"CALLREC_AIRTABLE_FIELDS": fields})
    assert settings.airtable.fields["recording_url"] == "Lien"
    assert "status" not in settings.airtable.fields


def test_where_we_run() -> None:
    assert in_lambda({"AWS_LAMBDA_FUNCTION_NAME": "f"})
    assert not in_lambda({})
    assert custom_endpoint({"AWS_ENDPOINT_URL": "https://127.0.0.1:4566"})
    assert custom_endpoint({"AWS_ENDPOINT_URL_S3": "https://127.0.0.1:4566"})
    assert not custom_endpoint({})
