"""Erasing one recording, step by step; after a kill between any two of them the same command goes on."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra.functions.erasures import Erasure, State
from infra.functions.errors import PermanentError
from scripts.deployment import Deployment
from scripts.erase import record
from scripts.erase.cells import cleared, without_status
from scripts.erase.plan import Plan, refuse_locked
from scripts.erase.sought import Sought, by_key, by_links, by_livekit, inside, owners, refuse_others, strangers
from scripts.errors import StackError, UnfinishedError
from scripts.livekit_access import LiveKit
from scripts.recordings import versions as objects
from scripts.recordings.conversations import airtable_errors
from scripts.recordings.find import Kept, Shelf

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Tell = Callable[[str], None]
AGAIN = "What is done is done: run the same command again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for besides the egress."""

    key: str | None = field(default=None, repr=False)
    thorough: bool = False
    bypass: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """One stack. `tell` hears each step before it is done; `now` is the moment that stands in the record."""

    s3: S3Client = field(repr=False)
    bucket: str
    prefix: str
    held: bool
    shelf: Shelf = field(repr=False)
    livekit: LiveKit | None = field(repr=False)
    tell: Tell
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @classmethod
    def of(cls, deployment: Deployment, tell: Tell) -> Eraser:
        """Nothing is asked yet."""
        outputs = deployment.outputs
        return cls(
            s3=deployment.aws.client("s3"),
            bucket=outputs.bucket,
            prefix=outputs.prefix,
            held=bool(outputs.bucket_settings.get("legalHold")),
            shelf=Shelf.of(deployment, tell),
            livekit=LiveKit.of(deployment.config),
            tell=tell,
        )

    def plan(self, egress_id: str, wish: Wish) -> Plan:
        """Look, and change nothing. Raises ScriptError when it may not be erased, or cannot be found."""
        reached = record.read(self.s3, self.bucket, egress_id)
        if reached is not None and reached.state is State.DONE:
            return Plan(egress_id=egress_id, record=reached)
        self.tell(f"looking for the links of {egress_id}")
        links = self.shelf.egress(egress_id, thorough=wish.thorough)
        changes = self._changes(egress_id, (kept.record_id for kept in links))
        if reached is not None and reached.state is State.DELETED:
            return Plan(egress_id=egress_id, record=reached, conversations=changes)
        sought = self._sought(egress_id, links, wish)
        found = self._found(egress_id, sought)
        plan = Plan(
            egress_id=egress_id,
            record=reached,
            found=found,
            uploads={key: ids for key in found if (ids := objects.uploads(self.s3, self.bucket, key))},
            conversations=changes,
            locks=self._locks(found),
        )
        refuse_locked(plan, self.now(), held_by_config=self.held, bypass=wish.bypass)
        return plan

    def do(self, plan: Plan, wish: Wish) -> Erasure:
        """Erase it. Raises UnfinishedError when something stays; the same command then goes on from there."""
        reached = plan.record
        if reached is None:
            self.tell("writing the erasure record")
            reached = self._reach(plan, State.BEGUN, versions=plan.versions, size=plan.size)
        counted = {"versions": reached.versions, "size": reached.size_bytes}
        if reached.state is State.BEGUN:
            self.tell("deleting versions")
            self._delete(plan, bypass=wish.bypass)
            reached = self._reach(plan, State.DELETED, **counted)
        if reached.state is State.DELETED:
            self.tell("clearing conversations")
            # Read anew: the plan may be old, and another recording of the conversation erased since.
            self._clear(self._changes(plan.egress_id, plan.conversations))
            reached = self._reach(plan, State.DONE, **counted)
        return reached

    def _reach(self, plan: Plan, state: State, *, versions: int, size: int) -> Erasure:
        made = Erasure(
            egress_id=plan.egress_id, state=state, at=int(self.now().timestamp()), versions=versions, size_bytes=size
        )
        record.write(self.s3, self.bucket, made)
        return made

    def _sought(self, egress_id: str, links: tuple[Kept, ...], wish: Wish) -> Sought:
        sought = (
            by_links(links, wish.key)
            or by_key(wish.key, self.prefix)
            or by_livekit(self.livekit, egress_id, self.bucket, self.prefix)
        )
        if sought is None:
            raise StackError(
                f"no conversation links to {egress_id}, and LiveKit does not list it (any more). Nothing was touched. "
                f"Name its file: callrec erase {egress_id} --key {self.prefix}…"
            )
        return inside(sought, self.prefix)

    def _found(self, egress_id: str, sought: Sought) -> Mapping[str, list[objects.Version]]:
        """What lies under the key, and the manifest beside it. Raises StackError when another call's may be there."""
        found = objects.versions(self.s3, self.bucket, sought.key)
        unnamed = strangers(sought, found)
        if unnamed:
            self.tell("looking whether another conversation plays the same file")
            everything: Iterable[Kept] = (
                kept for page in self.shelf.everything() for shown in page for kept in shown.links
            )
            refuse_others(sought, egress_id, unnamed, everything, owners(self.livekit, sought.key))
        manifest = posixpath.join(posixpath.dirname(sought.key), f"{egress_id}.json")
        beside = objects.versions(self.s3, self.bucket, manifest)
        return {sought.key: found, **({manifest: beside} if beside else {})}

    def _locks(self, found: Mapping[str, list[objects.Version]]) -> dict[str, objects.Lock]:
        if not objects.can_lock(self.s3, self.bucket):
            return {}
        doomed = [one for versions in found.values() for one in versions if not one.marker]
        return {one.id: objects.lock_of(self.s3, self.bucket, one) for one in doomed}

    def _delete(self, plan: Plan, *, bypass: bool) -> None:
        kept = objects.delete(self.s3, self.bucket, plan.doomed, bypass=bypass)
        for key, ids in plan.uploads.items():
            objects.abort(self.s3, self.bucket, key, ids)
        if kept:
            codes = ", ".join(sorted({one.code for one in kept}))
            raise UnfinishedError(f"S3 keeps {len(kept)} versions of {plan.egress_id} ({codes}). {AGAIN}")
        if left := [one for key in plan.found for one in objects.versions(self.s3, self.bucket, key)]:
            raise UnfinishedError(f"{len(left)} versions of {plan.egress_id} came meanwhile. {AGAIN}")

    def _changes(self, egress_id: str, record_ids: Iterable[str]) -> dict[str, dict[str, object]]:
        changes: dict[str, dict[str, object]] = {}
        for record_id in dict.fromkeys(record_ids):
            shown = self.shelf.record(record_id)
            if shown is not None:
                with airtable_errors():
                    changes[record_id] = cleared(shown, egress_id, self.shelf.table.fields(), self.now())
        return changes

    def _clear(self, changes: Mapping[str, Mapping[str, object]]) -> None:
        with airtable_errors():
            known = self.shelf.table.fields()
            for record_id, cells in changes.items():
                if not cells:
                    continue
                errors = self.shelf.table.update({record_id: cells})
                if isinstance(errors.get(record_id), PermanentError):  # the words, most likely: it takes only its own
                    errors = self.shelf.table.update({record_id: without_status(cells, known)})
                for error in errors.values():
                    raise UnfinishedError(
                        f"no version is left, but conversation {record_id} still shows the link: {error.text} "
                        f"({error.reason}). {AGAIN}"
                    )
