"""Lifecycle rules as facts that can be compared, however the rules are cut (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Rule = Mapping[str, Any]

ABORT_AFTER_DAYS = 1
MARKERS = "delete markers with nothing behind them are cleared"


def wanted_facts(settings: Mapping[str, Any]) -> set[str]:
    """What the stack asked for, from its `bucketSettings`; numbers may come as floats from the engine."""
    facts = {
        _archived(settings["archiveAfterDays"], settings["archiveClass"]),
        _aborted(ABORT_AFTER_DAYS),
        MARKERS,
    }
    if settings.get("legalHold"):
        return facts
    facts.add(_noncurrent(settings["noncurrentDays"]))
    if settings.get("retentionDays"):
        facts.add(_expired(settings["retentionDays"]))
    return facts


def found_facts(rules: Iterable[Rule], prefix: str) -> set[str]:
    """What the bucket's enabled rules do to anything under `prefix`; says so where they reach less, or more."""
    facts: set[str] = set()
    for rule in rules:
        reach = _reach(rule, prefix)
        if rule.get("Status") == "Enabled" and reach is not None:
            facts |= {f"{fact}{reach}" for fact in _facts(rule)}
    return facts


def _facts(rule: Rule) -> set[str]:
    facts = {
        _archived(step.get("Days", step.get("Date")), step["StorageClass"]) for step in rule.get("Transitions", [])
    }
    facts |= {
        f"older versions to {step['StorageClass']} after {_days(step.get('NoncurrentDays'))}"
        for step in rule.get("NoncurrentVersionTransitions", [])
    }
    expiry = rule.get("Expiration", {})
    if "Days" in expiry or "Date" in expiry:
        facts.add(_expired(expiry.get("Days", expiry.get("Date"))))
    if expiry.get("ExpiredObjectDeleteMarker"):
        facts.add(MARKERS)
    if versions := rule.get("NoncurrentVersionExpiration"):
        kept = (
            f", the newest {versions['NewerNoncurrentVersions']} kept" if "NewerNoncurrentVersions" in versions else ""
        )
        facts.add(_noncurrent(versions.get("NoncurrentDays")) + kept)
    if uploads := rule.get("AbortIncompleteMultipartUpload"):
        facts.add(_aborted(uploads.get("DaysAfterInitiation")))
    return facts


def _reach(rule: Rule, prefix: str) -> str | None:
    """ "" when the rule is about exactly `prefix`, None when it touches nothing there, else what it is about."""
    given: Any = rule.get("Filter", {})
    conditions: Any = given.get("And", given)
    reached = conditions.get("Prefix", rule.get("Prefix", ""))
    if not (prefix.startswith(reached) or reached.startswith(prefix)):
        return None
    narrowed = [name for name in conditions if name != "Prefix"]
    if narrowed:
        return " (some objects only)"
    return "" if reached == prefix else f" (under {reached!r})"


def _archived(days: Any, storage_class: str) -> str:
    return f"to {storage_class} after {_days(days)}"


def _expired(days: Any) -> str:
    return f"hidden after {_days(days)}, deleted as an older version is"


def _noncurrent(days: Any) -> str:
    return f"older versions deleted after {_days(days)}"


def _aborted(days: Any) -> str:
    return f"unfinished uploads cleared after {_days(days)}"


def _days(days: Any) -> str:
    return f"{int(days)} d" if isinstance(days, int | float) else str(days)
