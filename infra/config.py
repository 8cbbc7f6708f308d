"""The stack's configuration: the only reader of `pulumi.Config`.

Every key is declared in `Pulumi.yaml` as a string on purpose: the engine would otherwise stop at the first value of a
wrong type, without saying which command mends it, before this module could list all breaches at once.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from infra.errors import ConfigError
from infra.keys import FIELDS, KEYS
from infra.rules import matching

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
STANDARD_IA_DAYS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class StackConfig:
    """What one stack is asked to be; secrets stay inside `secrets` as Pulumi secrets."""

    stack: str
    region: str
    values: Mapping[str, str]
    secrets: Mapping[str, pulumi.Output[str]]

    def text(self, key: str) -> str:
        """Value of `key`, "" when unset."""
        return self.values[key]

    def number(self, key: str) -> int:
        """Whole number under `key`, which has a default."""
        return int(self.values[key])

    def optional_number(self, key: str) -> int | None:
        """Whole number under `key`, None when unset."""
        return self.number(key) if self.values[key] else None

    def flag(self, key: str) -> bool:
        """Truth under `key`."""
        return self.values[key] == "true"

    def name(self, part: str) -> str:
        """Physical name of a resource: `callrec-<stack>-<part>`, so that stacks live side by side in one account."""
        return f"callrec-{self.stack}-{part}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of every resource: what it is for, and which stack made it."""
        return {"application": "callrec", "stack": self.stack, "managed-by": "pulumi"}

    @property
    def fields(self) -> dict[str, str]:
        """Role -> name of the field in the Airtable table."""
        return {role: self.values[key] for role, (key, _) in FIELDS.items()}

    @property
    def airtable(self) -> dict[str, object]:
        """Where the conversations are: address, base, table, and the fields by their roles."""
        texts = {part: self.text(f"airtable{part.capitalize()}") for part in ("url", "base", "table")}
        return {**texts, "fields": self.fields}


def check(stack: str, region: str, values: Mapping[str, str], plaintext: frozenset[str] = frozenset()) -> list[str]:
    """Every breach of a rule, a sentence each; empty when all is well. `plaintext` names secrets stored in clear."""
    problems = [
        f"stack: 1 to 24 small letters, digits or hyphens, since it is part of every name; got {stack!r}. "
        "Name another: pulumi stack init practice"
    ] * (not matching(r"[a-z](?:[a-z0-9-]{0,22}[a-z0-9])?")(stack))
    if region.startswith("cn-") or not matching(r"[a-z]{2}(?:-[a-z]+)+-\d")(region):
        got = f"got {region!r}" if region else "it is not set"
        problems.append(
            f"aws:region: an AWS region outside China; {got}. Set it: pulumi config set aws:region us-east-1"
        )
    problems += [sentence for key in KEYS if (sentence := key.problem(values.get(key.name, "")))]
    problems += [
        f"{key.name}: a secret must be stored encrypted; it is stored in clear. {key.mend()}"
        for key in KEYS
        if key.name in plaintext
    ]
    known = {key.name for key in KEYS}
    problems += [
        f"{name}: not a key of callrec. Remove it: pulumi config rm {name}" for name in sorted(set(values) - known)
    ]
    return problems + _contradictions(values)


def _contradictions(values: Mapping[str, str]) -> list[str]:
    """Breaches of rules between keys."""
    problems: list[str] = []
    archive, retention = values.get("archiveAfterDays", ""), values.get("retentionDays", "")
    if archive.isdecimal() and retention.isdecimal() and int(archive) >= int(retention):
        problems.append(
            f"archiveAfterDays: below retentionDays ({retention}), since S3 refuses to archive what it has deleted; "
            f"got {archive!r}. Set it: pulumi config set archiveAfterDays 30"
        )
    problems += _locking(values)
    if values.get("archiveClass") == "STANDARD_IA" and archive.isdecimal() and int(archive) < STANDARD_IA_DAYS:
        problems.append(
            f"archiveAfterDays: at least {STANDARD_IA_DAYS} for STANDARD_IA, a limit of S3; got {archive!r}. "
            f"Set it: pulumi config set archiveAfterDays {STANDARD_IA_DAYS}"
        )
    if values.get("previousLivekitApiKey") and values["previousLivekitApiKey"] == values.get("livekitApiKey"):
        problems.append(
            "previousLivekitApiKey: another key than livekitApiKey, since one key has one secret at a time; "
            f"got {values['previousLivekitApiKey']!r} for both. Make a new key in LiveKit, or remove it: "
            "pulumi config rm previousLivekitApiKey"
        )
    minutes, hours = values.get("reconcileMinutes", ""), values.get("reconcileHours", "")
    if minutes.isdecimal() and hours.isdecimal() and int(minutes) > int(hours) * 60 > 0:
        problems.append(
            f"reconcileHours: no shorter than reconcileMinutes ({minutes}), else what happens between two runs is "
            f"never looked at; got {hours!r}. Set it: pulumi config set reconcileHours {math.ceil(int(minutes) / 60)}"
        )
    if values.get("recordRooms") == "true" and not values.get("livekitUrl"):
        problems.append(
            "recordRooms: true takes livekitUrl, where recordings are started; it is not set. "
            "Set it: pulumi config set livekitUrl wss://YOUR-PROJECT.livekit.cloud"
        )
    problems += _uploader(values)
    prefix = values.get("recordingsPrefix", "")
    problems += [
        f"{key}: begins with recordingsPrefix ({prefix}), since the upload key may write nowhere else; "
        f"got {values[key]!r}. Set another, or make it the default again: pulumi config rm {key}"
        for key in ("filePath", "phoneFilePath")
        if values.get(key) and not values[key].startswith(prefix)
    ]
    named: dict[str, str] = {}
    for key, _ in FIELDS.values():
        other = named.setdefault(values.get(key, "") or key, key)
        if other != key:
            problems.append(
                f"{key}: a field of its own; got {values[key]!r}, which is {other}'s. "
                f"Set another, or make it the default again: pulumi config rm {key}"
            )
    if values.get("previousLinkSigningKeyUntil") and not values.get("previousLinkSigningKey"):
        problems.append(
            "previousLinkSigningKeyUntil: the end of previousLinkSigningKey, which is not set. "
            "Remove it: pulumi config rm previousLinkSigningKeyUntil"
        )
    if bool(values.get("previousLivekitApiKey")) != bool(values.get("previousLivekitApiSecret")):
        problems.append(
            "previousLivekitApiKey: goes together with previousLivekitApiSecret; only one of the two is set. "
            "Set both, or remove it: pulumi config rm previousLivekitApiKey"
        )
    return problems


def _uploader(values: Mapping[str, str]) -> list[str]:
    """Breaches of rules between the uploader's keys."""
    if values.get("uploader") == "role":
        return [
            f"{key.name}: goes with uploader role, since nobody could assume it otherwise; it is not set. {key.mend()}"
            for key in KEYS
            if key.name in ("uploaderPrincipal", "uploaderExternalId") and not values.get(key.name)
        ]
    previous, generation = values.get("uploaderPreviousKey", ""), values.get("uploaderKeyGeneration", "")
    if previous in ("active", "inactive") and generation.isdecimal() and int(generation) == 1:
        return [
            f"uploaderPreviousKey: none where uploaderKeyGeneration is 1, since no key was before; got {previous!r}. "
            "Remove it: pulumi config rm uploaderPreviousKey"
        ]
    return []


def _locking(values: Mapping[str, str]) -> list[str]:
    """Breaches of rules between Object Lock and other keys."""
    problems: list[str] = []
    lock, days, retention = (values.get(key, "") for key in ("objectLock", "objectLockDays", "retentionDays"))
    locks = lock in ("governance", "compliance")
    if locks and not days:
        problems.append(
            f"objectLock: {lock} takes objectLockDays; it is not set. Set it: pulumi config set objectLockDays 2190"
        )
    if days and not locks:
        problems.append(
            f"objectLockDays: goes together with objectLock, without which nothing is locked; got {days!r} alone. "
            "Set it: pulumi config set objectLock governance, or remove it: pulumi config rm objectLockDays"
        )
    if days.isdecimal() and retention.isdecimal() and int(days) > int(retention):
        problems.append(
            f"objectLockDays: no more than retentionDays ({retention}), since S3 deletes nothing that is locked; "
            f"got {days!r}. Set it: pulumi config set objectLockDays {retention}"
        )
    if values.get("disposable") == "true":
        destroyed = "a disposable stack may be destroyed with its recordings"
        kept = "nobody can delete what is locked so, not even AWS" if lock == "compliance" else destroyed
        named = {f"objectLock: {lock}": kept} if locks else {}
        named |= {"legalHold: true": destroyed} if values.get("legalHold") == "true" else {}
        problems += [
            f"{one} contradicts disposable, since {why}. Set it: pulumi config set disposable false"
            for one, why in named.items()
        ]
    return problems


def load() -> StackConfig:
    """Read the stack's configuration.

    Raises ConfigError with every breach at once, before any resource is made.
    """
    config = pulumi.Config()
    region = pulumi.Config("aws").get("region") or os.environ.get("AWS_REGION", "")
    values = {key.name: config.get(key.name) or key.default for key in KEYS}
    plaintext = frozenset(
        key.name for key in KEYS if key.secret and values[key.name] and not is_config_secret(config.full_key(key.name))
    )
    values |= dict.fromkeys(_unknown_keys(config.name), "")
    problems = check(pulumi.get_stack(), region, values, plaintext)
    if problems:
        listing = "\n".join(f"  {number}. {sentence}" for number, sentence in enumerate(problems, 1))
        raise ConfigError(f"the configuration of stack {pulumi.get_stack()} breaks {len(problems)} rule(s):\n{listing}")
    return StackConfig(
        stack=pulumi.get_stack(),
        region=region,
        values={key.name: values[key.name] for key in KEYS if not key.secret},
        secrets={key.name: pulumi.Output.secret(values[key.name]) for key in KEYS if key.secret},
    )


def _unknown_keys(namespace: str) -> list[str]:
    """Names set under the project's namespace that no key bears: most often a misspelt one."""
    known = {key.name for key in KEYS}
    present: dict[str, Any] = CONFIG.get()
    names = (full.partition(":") for full in present)
    return [name for space, _, name in names if space == namespace and name not in known]
