"""Lifecycle rules as facts: what the bucket does to recordings, however its rules are cut."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.verify.lifecycle import found_facts, wanted_facts
from tests.unit.verify_support import PREFIX, outputs

AGING: dict[str, Any] = {
    "Status": "Enabled",
    "Filter": {"Prefix": PREFIX},
    "Transitions": [{"Days": 30, "StorageClass": "GLACIER_IR"}],
    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}
MARKERS: dict[str, Any] = {
    "Status": "Enabled",
    "Filter": {"Prefix": PREFIX},
    "Expiration": {"ExpiredObjectDeleteMarker": True},
}


def wanted(**changes: Any) -> set[str]:
    return wanted_facts({**outputs().bucket_settings, **changes})


def test_the_programs_rules_are_what_is_wanted() -> None:
    assert found_facts([AGING, MARKERS], PREFIX) == wanted()
    assert found_facts([AGING | {"Expiration": {"Days": 2555}}, MARKERS], PREFIX) == wanted(retentionDays=2555)


def test_under_a_legal_hold_nothing_is_deleted_by_age() -> None:
    kept = {name: value for name, value in AGING.items() if name != "NoncurrentVersionExpiration"}
    assert found_facts([kept, MARKERS], PREFIX) == wanted(legalHold=True, retentionDays=2555)


def test_one_rule_may_be_cut_into_several() -> None:
    parts = [{"Status": "Enabled", "Prefix": PREFIX, name: AGING[name]} for name in list(AGING)[2:]]
    assert found_facts([*parts, MARKERS], PREFIX) == wanted()


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"Transitions": [{"Days": 60, "StorageClass": "GLACIER_IR"}]}, "to GLACIER_IR after 60 d"),
        ({"Expiration": {"Days": 7}}, "hidden after 7 d, deleted as an older version is"),
        ({"Expiration": {"Date": "2030-01-01"}}, "hidden after 2030-01-01, deleted as an older version is"),
        (
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3}},
            "older versions deleted after 30 d, the newest 3 kept",
        ),
        (
            {"NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "GLACIER"}]},
            "older versions to GLACIER after 1 d",
        ),
        (
            {"Filter": {"And": {"Prefix": PREFIX, "ObjectSizeGreaterThan": 1}}},
            "to GLACIER_IR after 30 d (some objects only)",
        ),
        ({"Filter": {"Prefix": f"{PREFIX}2026/"}}, f"to GLACIER_IR after 30 d (under '{PREFIX}2026/')"),
        ({"Filter": {}}, "to GLACIER_IR after 30 d (under '')"),
    ],
)
def test_whatever_differs_is_another_fact(change: dict[str, Any], fact: str) -> None:
    found = found_facts([AGING | change, MARKERS], PREFIX)
    assert fact in found - wanted()


def test_rules_that_touch_no_recording_or_are_off_do_not_count() -> None:
    elsewhere = AGING | {"Filter": {"Prefix": "logs/"}}
    assert found_facts([elsewhere, AGING | {"Status": "Disabled"}], PREFIX) == set()
