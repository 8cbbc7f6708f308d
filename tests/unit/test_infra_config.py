"""Configuration: what is refused, what the refusal says, and that `Pulumi.yaml` declares the same keys."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from infra import config, keys
from infra.errors import ConfigError
from infra.functions import egress, file_path, start_policy
from infra.keys import KEYS
from infra.package import ROOT
from infra.rules import Key, one_line
from tests.unit.recorder import REQUIRED, SECRETS, run_program

GOOD = {key.name: key.default for key in KEYS} | REQUIRED


def problems(**changes: str) -> list[str]:
    return config.check("practice", "us-east-1", GOOD | changes)


def test_the_least_configuration_is_accepted() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("livekitUrl", "livekit.cloud"),
        ("livekitUrl", "ws://example.com"),
        ("livekitUrl", "wss://"),
        ("livekitUrl", "wss://host:port"),
        ("livekitUrl", "wss://host?token=x"),
        ("livekitApiKey", "a b"),
        ("livekitApiSecret", "short"),
        ("livekitApiSecret", " " + "x" * 40),
        ("airtableToken", "key123"),
        ("airtableBase", "app123"),
        ("airtableBase", "appAAAAAAAAAAAAAé"),
        ("airtableTable", "two\nlines"),
        ("airtableUrl", "http://api.airtable.com"),
        ("fieldRoomName", "\t"),
        ("linkSigningKey", "short"),
        ("linkNetworks", "203.0.113.5/24"),
        ("linkNetworks", "203.0.113.0/24,"),
        ("linkNetworks", "the practice"),
        ("linkNetworks", ",".join(["203.0.113.0/24"] * 134)),
        ("linkGraceDays", "-1"),
        ("auditKey", "short"),
        ("playLogDays", "2000"),
        ("linkDays", "0"),
        ("linkDays", "3651"),
        ("linkDays", "30.5"),
        ("linkDays", "٣٠"),
        ("matchWindowSeconds", "-1"),
        ("bucketName", "UPPER"),
        ("bucketName", "a"),
        ("bucketName", "xn--practice"),
        ("bucketName", "practice-s3alias"),
        ("airtableUrl", "https://api.airtable.com/v0"),
        ("recordingsPrefix", "recordings"),
        ("recordingsPrefix", "/recordings/"),
        ("recordingsPrefix", "../"),
        ("recordingsPrefix", "erasures/"),
        ("recordingsPrefix", "erasures/calls/"),
        ("objectLock", "GOVERNANCE"),
        ("legalHold", "yes"),
        ("encryption", "none"),
        ("archiveClass", "GLACIAL"),
        ("archiveAfterDays", "abc"),
        ("retentionDays", "0"),
        ("noncurrentDays", "0"),
        ("accessLogs", "yes"),
        ("disposable", "True"),
        ("logRetentionDays", "31"),
        ("functionRuntime", "python3.9"),
        ("functionArchitecture", "x86"),
        ("receiveConcurrency", "0"),
        ("deliverConcurrency", "1"),
        ("playConcurrency", "many"),
        ("settleSeconds", "x"),
        ("uploader", "both"),
        ("uploaderPrincipal", "*"),
        ("uploaderPrincipal", "arn:aws:iam::123:root"),
        ("uploaderExternalId", "short"),
        ("uploaderKeyGeneration", "0"),
        ("uploaderPreviousKey", "deleted"),
        ("reconcileMinutes", "14"),
        ("reconcileMinutes", "1441"),
        ("reconcileHours", "0"),
        ("reconcileHours", "169"),
        ("reconcileConcurrency", "3"),
        ("recordRooms", "yes"),
        ("recordInclude", ","),
        ("recordInclude", "call-*,,visit-*"),
        ("recordExclude", "test-*,"),
        ("recordExclude", " test-*"),
        ("recordExclude", "ab, " * 128 + "ab"),
        ("filePath", "recordings/{room_name}.mp4"),
        ("filePath", "recordings/../{room_name}-{time}.mp4"),
        ("filePath", "recordings/{room_name}-{time}"),
        ("filePath", "recordings/{room_name}-{time}-{track_id}.mp4"),
        ("phoneFilePath", "recordings/{room_name}-{time}.mp4"),
        ("phoneFilePath", "recordings/{room_id}.mp4"),
        ("audioBitrate", "15"),
        ("audioBitrate", "321"),
        ("audioMixing", "stereo"),
    ],
)
def test_a_bad_value_is_named_with_its_rule_and_what_mends_it(key: str, value: str) -> None:
    known = {entry.name: entry for entry in KEYS}[key]
    [sentence] = [line for line in problems(**{key: value}) if line.startswith(f"{key}:")]
    assert known.rule in sentence
    assert f"pulumi config set {'--secret ' if known.secret else ''}{key}" in sentence
    if known.secret:
        assert value not in sentence
    else:
        assert repr(value) in sentence


@pytest.mark.parametrize("value", ["2026-12-24", "-1", "17999999999"])
def test_the_end_of_a_key_is_a_unix_second(value: str) -> None:
    [sentence] = problems(previousLinkSigningKey="p" * 40, previousLinkSigningKeyUntil=value)
    assert "the unix second" in sentence


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_value_is_named(key: str) -> None:
    [sentence] = problems(**{key: ""})
    assert sentence.startswith(f"{key}: ")
    assert "it is not set" in sentence
    assert "pulumi config set" in sentence


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"archiveAfterDays": "30", "retentionDays": "30"}, "archiveAfterDays: below retentionDays (30)"),
        ({"archiveClass": "STANDARD_IA", "archiveAfterDays": "29"}, "at least 30 for STANDARD_IA"),
        ({"previousLivekitApiKey": "APIold"}, "goes together with previousLivekitApiSecret"),
        ({"previousLivekitApiSecret": "x" * 40}, "goes together with previousLivekitApiSecret"),
        ({"previousLivekitApiKey": "APIpractice", "previousLivekitApiSecret": "x" * 40}, "one key has one secret"),
        ({"fieldStarted": "when", "fieldRecordingStarted": "when"}, "'when', which is fieldStarted's"),
        ({"fieldSize": "egress_id"}, "which is fieldEgressId's"),
        (
            {"reconcileMinutes": "121"},
            "no shorter than reconcileMinutes (121), else what happens between two runs is never looked at; got '2'. "
            "Set it: pulumi config set reconcileHours 3",
        ),
        ({"uploaderPreviousKey": "active"}, "uploaderPreviousKey: none where uploaderKeyGeneration is 1"),
        (
            {"uploader": "role", "uploaderPrincipal": "arn:aws:iam::123456789012:root"},
            "uploaderExternalId: goes with uploader role",
        ),
        ({"uploader": "role", "uploaderExternalId": "x" * 16}, "uploaderPrincipal: goes with uploader role"),
        ({"recordRooms": "true"}, "recordRooms: true takes livekitUrl, where recordings are started; it is not set."),
        (
            {"recordingsPrefix": "calls/", "filePath": "recordings/{room_name}-{time}.mp4"},
            "filePath: begins with recordingsPrefix (calls/)",
        ),
        (
            {"phoneFilePath": "other/{room_id}-{time}.mp4"},
            "phoneFilePath: begins with recordingsPrefix (recordings/)",
        ),
        (
            {"previousLinkSigningKeyUntil": "1800000000"},
            "previousLinkSigningKeyUntil: the end of previousLinkSigningKey, which is not set. "
            "Remove it: pulumi config rm previousLinkSigningKeyUntil",
        ),
        ({"objectLock": "governance"}, "objectLock: governance takes objectLockDays; it is not set."),
        ({"objectLock": "governance", "objectLockDays": "0"}, "objectLockDays: days that objectLock keeps a new"),
        ({"objectLockDays": "9"}, "objectLockDays: goes together with objectLock, without which nothing is locked"),
        (
            {"objectLock": "governance", "objectLockDays": "91", "retentionDays": "90"},
            "no more than retentionDays (90), since S3 deletes nothing that is locked; got '91'. "
            "Set it: pulumi config set objectLockDays 90",
        ),
        (
            {"objectLock": "compliance", "objectLockDays": "1", "disposable": "true"},
            "objectLock: compliance contradicts disposable, since nobody can",
        ),
        (
            {"objectLock": "governance", "objectLockDays": "1", "disposable": "true"},
            "objectLock: governance contradicts disposable, since a disposable stack may be destroyed with its",
        ),
        (
            {"legalHold": "true", "disposable": "true"},
            "legalHold: true contradicts disposable, since a disposable stack may be destroyed with its recordings. "
            "Set it: pulumi config set disposable false",
        ),
        ({"airtabelBase": "x"}, "airtabelBase: not a key of callrec. Remove it: pulumi config rm airtabelBase"),
    ],
)
def test_contradictions_are_named(changes: dict[str, str], said: str) -> None:
    [sentence] = problems(**changes)
    assert said in sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"archiveAfterDays": "29", "retentionDays": "30"},
        {"objectLock": "governance", "objectLockDays": "90", "retentionDays": "90"},
        {"legalHold": "true", "disposable": "false"},
        {"objectLock": "compliance", "objectLockDays": "90"},
        {"archiveAfterDays": "0"},
        {"uploaderKeyGeneration": "2", "uploaderPreviousKey": "inactive"},
        {
            "uploader": "role",
            "uploaderPrincipal": "arn:aws:iam::123456789012:role/x/livekit-egress",
            "uploaderExternalId": "x" * 16,
            "uploaderPreviousKey": "active",
        },
        {"reconcileMinutes": "120"},
        {"recordRooms": "true", "livekitUrl": "wss://practice.livekit.cloud"},
        {"recordingsPrefix": "calls/", "filePath": "calls/{room_name}/{utc}.mp4"},
        {"recordInclude": "call-*, Dr. [A-F]?*", "recordExclude": "test-*"},
        {"audioMixing": "dual-agent", "audioBitrate": "16"},
    ],
)
def test_what_is_no_contradiction_passes(changes: dict[str, str]) -> None:
    assert problems(**changes) == []


@pytest.mark.parametrize("stack", ["Practice", "a" * 25, "-a", "a-", "1a", ""])
def test_a_stack_name_that_makes_bad_names_is_refused(stack: str) -> None:
    [sentence] = config.check(stack, "us-east-1", GOOD)
    assert sentence.startswith("stack: ")


def test_all_problems_come_in_one_error_before_any_resource() -> None:
    with pytest.raises(ConfigError) as refused:
        run_program({"linkDays": "x", "misspelt": "1"}, stack="practice", region="")
    text = str(refused.value)
    for key in (*REQUIRED, "linkDays", "misspelt", "aws:region"):
        assert f"{key}: " in text
    assert "breaks 8 rule(s)" in text


def test_a_bad_region_is_named() -> None:
    [sentence] = config.check("practice", "Virginia", GOOD)
    assert "aws:region" in sentence
    assert "'Virginia'" in sentence


def test_a_secret_in_clear_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match="airtableToken: a secret must be stored encrypted") as refused:
        run_program(secret=frozenset(SECRETS) - {"airtableToken"})
    assert SECRETS["airtableToken"] not in str(refused.value)
    assert "pulumi config set --secret airtableToken" in str(refused.value)


def test_an_example_is_there_for_whatever_is_no_secret() -> None:
    assert [key.name for key in KEYS if not (key.secret or key.example)] == []


@pytest.mark.parametrize("key", [key for key in KEYS if key.secret], ids=lambda key: key.name)
def test_a_secret_is_set_without_standing_on_a_command_line(key: Key) -> None:
    assert key.mend().endswith(f"pulumi config set --secret {key.name}")


@pytest.mark.parametrize("value", ["patAAAAAAAAAAAAAA.token", "0123456789abcdef0123456789abcdef"])
def test_a_secret_under_the_wrong_key_is_not_repeated(value: str) -> None:
    [sentence] = problems(airtableBase=value)
    assert value not in sentence
    assert "characters" in sentence


def test_no_region_of_china() -> None:
    """KMS is reached there by another name than the policies say."""
    [sentence] = config.check("practice", "cn-north-1", GOOD)
    assert "outside China" in sentence


def test_file_paths_keep_the_rule_that_the_functions_know() -> None:
    """The program does not import the functions: it holds a copy."""
    assert (keys.FILE_PATH, keys.PHONE_FILE_PATH) == (file_path.TEMPLATE, file_path.PHONE_TEMPLATE)
    known = {key.name: key for key in KEYS}
    assert known["recordInclude"].default == ",".join(start_policy.DEFAULT_INCLUDE)
    assert known["recordExclude"].default == ",".join(start_policy.DEFAULT_EXCLUDE)
    assert known["audioBitrate"].default == str(egress.DEFAULT_BITRATE)
    assert known["audioMixing"].default == egress.Mixing.MONO
    for rate in (egress.MIN_BITRATE, egress.MAX_BITRATE):
        assert known["audioBitrate"].check(str(rate))
    assert all(known["audioMixing"].check(mixing) for mixing in egress.Mixing)


def test_pulumi_yaml_declares_the_same_keys() -> None:
    declared: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert list(declared) == [key.name for key in KEYS]
    for key in KEYS:
        entry = declared[key.name]
        assert entry["type"] == "string"
        assert entry["default"] == key.default
        assert entry["description"].startswith(key.rule)
        assert key.required == ("(required)" in entry["description"])
        assert key.secret == ("(secret)" in entry["description"])


def test_an_optional_key_may_be_empty() -> None:
    assert Key(name="k", rule="r", check=one_line(1, 2), example="e").problem("") is None
