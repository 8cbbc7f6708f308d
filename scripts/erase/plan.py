"""What an erasure is about to do, and why it may not."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.functions.erasures import Erasure, State
from scripts.errors import UnfinishedError
from scripts.recordings.versions import COMPLIANCE, GOVERNANCE, Lock, Version

RIGHT = "s3:BypassGovernanceRetention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One egress. `found`: every version and delete marker that goes, by key, those of a manifest too.

    `conversations`: the records that change, with what is written there. `locks`: of versions that have one.
    `record`: what an earlier run reached; None when there was none.
    """

    egress_id: str
    found: Mapping[str, Sequence[Version]] = field(default_factory=dict[str, Sequence[Version]], repr=False)
    uploads: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]], repr=False)
    conversations: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    locks: Mapping[str, Lock] = field(default_factory=dict[str, Lock])
    record: Erasure | None = None

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.before and not (self.doomed or self.uploads or self.conversations)

    @property
    def before(self) -> bool:
        """Whether an earlier run erased it; what has come since may be left to do."""
        return self.record is not None and self.record.state is State.DONE

    @property
    def doomed(self) -> list[Version]:
        """All of them."""
        return [version for versions in self.found.values() for version in versions]

    @property
    def versions(self) -> int:
        """How many versions go; delete markers are none."""
        return sum(not one.marker for one in self.doomed)

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(one.size for one in self.doomed)

    def lines(self, *, dry: bool) -> Generator[str]:
        """For people."""
        if self.record is not None and self.before:
            when = datetime.fromtimestamp(self.record.at).astimezone()
            since = "" if self.done else ". What came since:"
            yield f"{self.egress_id} was erased on {when:%Y-%m-%d %H:%M %Z}: {self.record.versions} versions{since}"
            if self.done:
                return
        elif self.record is not None:
            yield f"{self.egress_id}: an earlier erasure was {self.record.state}, and goes on from there"
        would = "would go" if dry else "goes"
        for key, versions in self.found.items():
            markers = sum(one.marker for one in versions)
            yield f"{key}: {would}"
            for one in versions:
                if not one.marker:
                    yield f"  version {one.id}, {one.size:,} bytes, of {one.modified:%Y-%m-%d %H:%M} UTC"
            if markers:
                yield f"  {markers} delete markers"
            if unfinished := len(self.uploads.get(key, ())):
                yield f"  {unfinished} unfinished uploads"
        if not self.doomed:
            yield f"{self.egress_id}: the bucket holds nothing of it any more"
        for record_id, cells in self.conversations.items():
            yield f"conversation {record_id}: {'would change' if dry else 'changes'} {', '.join(cells)}"
        if not self.conversations:
            yield "no conversation shows it"

    def document(self, *, dry: bool) -> dict[str, Any]:
        """For programs; sizes in bytes. Says no key once it is gone: that may hold a name."""
        if self.record is not None and self.done:
            record = self.record
            return {
                "egress": self.egress_id, "outcome": "already erased", "at": record.at,
                "versions": record.versions, "bytes": record.size_bytes,
            }  # fmt: skip
        told = {
            "egress": self.egress_id,
            "outcome": "would be erased" if dry else "erased",
            "versions": self.versions,
            "deleteMarkers": len(self.doomed) - self.versions,
            "unfinishedUploads": sum(map(len, self.uploads.values())),
            "bytes": self.size,
            "conversations": list(self.conversations),
        }
        if self.record is not None and self.before:
            told["before"] = self.record.at
        return {**told, "keys": list(self.found)} if dry else told


def refuse_locked(plan: Plan, now: datetime, *, held_by_config: bool, bypass: bool) -> None:
    """Raises UnfinishedError, with nothing touched, when the recording may not be deleted, saying until when."""
    if plan.before and not plan.doomed:
        return
    because = list(reasons(plan.locks, now, egress_id=plan.egress_id, bypass=bypass))
    if held_by_config:
        because.insert(0, UNDER_HOLD)
    if because:
        raise UnfinishedError(
            f"{plan.egress_id} may not be erased. {' '.join(because)} Nothing was touched. "
            f"Its links can be withdrawn meanwhile: callrec link revoke {plan.egress_id}"
        )


UNDER_HOLD = (
    "The stack is under a legal hold by its configuration. When your lawyers lift it: "
    "pulumi config set legalHold false && pulumi up."
)


def reasons(locks: Mapping[str, Lock], now: datetime, *, egress_id: str, bypass: bool) -> Generator[str]:
    """Why these versions stay, a sentence each."""
    held = [name for name, lock in locks.items() if lock.held]
    if held:
        yield (
            f"A legal hold is on {len(held)} of its versions: somebody set it with `callrec hold` or in S3, and "
            f"CloudTrail has who (PutObjectLegalHold). Lift it: callrec hold {egress_id} --release."
        )
    compliance = [lock.until for lock in locks.values() if lock.mode == COMPLIANCE and lock.until and lock.until > now]
    if compliance:
        yield (
            f"Object Lock (compliance) keeps it until {_day(max(compliance))}: nobody can delete it before, "
            "neither you nor AWS."
        )
    governance = [lock.until for lock in locks.values() if lock.mode == GOVERNANCE and lock.until and lock.until > now]
    if governance and not bypass:
        yield (
            f"Object Lock (governance) keeps it until {_day(max(governance))}. Whoever has the right {RIGHT} may "
            "erase it before: --bypass-governance."
        )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
