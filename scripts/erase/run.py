"""Erasing one recording, step by step; after a kill between any two of them the same command goes on."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from infra.functions.erasures import Erasure, State
from scripts.deployment import Deployment
from scripts.erase import record
from scripts.erase.clearing import AGAIN, planned, write
from scripts.erase.plan import Plan, refuse_locked
from scripts.erase.sought import Sought, by_key, by_links, by_livekit, ended, inside, owners, refuse_others, strangers
from scripts.errors import StackError, UnfinishedError
from scripts.livekit_access import LiveKit, LiveKitError
from scripts.recordings import versions as objects
from scripts.recordings.find import Kept, Shelf
from scripts.recordings.legal_hold import under_hold

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Tell = Callable[[str], None]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for besides the egress. `conversation`: the record that named it, which is cleared in any case."""

    key: str | None = field(default=None, repr=False)
    conversation: str | None = None
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
            held=under_hold(deployment.config, outputs.bucket_settings),
            shelf=Shelf.of(deployment, tell),
            livekit=LiveKit.of(deployment.config),
            tell=tell,
        )

    def plan(self, egress_id: str, wish: Wish) -> Plan:
        """Look, and change nothing. Raises ScriptError when it may not be erased, or cannot be found.

        Erased already, too: a version, or a link, may have come since.
        """
        reached = record.read(self.s3, self.bucket, egress_id)
        state = None if reached is None else reached.state
        self.tell(f"looking for the links of {egress_id}")
        links = self.shelf.egress(egress_id, thorough=wish.thorough)
        named = [] if wish.conversation is None else [wish.conversation]
        changes = planned(self.shelf, egress_id, links, named, self.now(), done=state is State.DONE)
        sought = None if state is State.DELETED else self._sought(egress_id, links, wish, done=state is State.DONE)
        if sought is None:
            return Plan(egress_id=egress_id, record=reached, conversations=changes)
        uploads = objects.uploads(self.s3, self.bucket, sought.key)
        found = self._found(egress_id, sought, uploads)
        if not (sought.told or found[sought.key] or uploads or state is State.DONE):
            raise StackError(
                f"nothing lies under {sought.key}, and neither a link nor LiveKit names it. Nothing was touched. "
                "Look at the file's name in the bucket; if an earlier run has deleted it, there is nothing left to do"
            )
        plan = Plan(
            egress_id=egress_id,
            record=reached,
            found=found,
            uploads={key: ids for key, ids in self._uploads(found, sought.key, uploads) if ids},
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
        done = reached.state is State.DONE
        if reached.state is not State.DELETED:
            self.tell("deleting versions")
            self._delete(plan, bypass=wish.bypass)
            reached = reached if done else self._reach(plan, State.DELETED, **counted)
        self.tell("clearing conversations")
        # Looked up anew: a link may have come since the plan, or another recording of a conversation been erased.
        links = self.shelf.egress(plan.egress_id, thorough=wish.thorough)
        write(self.shelf, planned(self.shelf, plan.egress_id, links, plan.conversations, self.now(), done=done))
        return reached if done else self._reach(plan, State.DONE, **counted)

    def _reach(self, plan: Plan, state: State, *, versions: int, size: int) -> Erasure:
        made = Erasure(
            egress_id=plan.egress_id, state=state, at=int(self.now().timestamp()), versions=versions, size_bytes=size
        )
        record.write(self.s3, self.bucket, made)
        return made

    def _sought(self, egress_id: str, links: tuple[Kept, ...], wish: Wish, *, done: bool) -> Sought | None:
        """The recording's object; None when it was erased already, and nothing tells any more which that was."""
        if wish.key is not None:
            inside(Sought(key=wish.key), self.prefix)
        sought = by_links(links, wish.key)
        told = self._asked(lambda: ended(self.livekit, egress_id), needed=sought is None and not done)
        if sought is None:
            try:
                listed = None if told is None else by_livekit(told, egress_id, self.bucket, self.prefix)
            except StackError:
                if not done or wish.key is not None:
                    raise
                listed = None
            sought = listed if wish.key is None else by_key(wish.key, listed)
        if sought is None and not done:
            raise StackError(
                f"no conversation links to {egress_id}, and LiveKit does not list it (any more). Nothing was touched. "
                f"Name its file: callrec erase {egress_id} --key {self.prefix}…"
            )
        return None if sought is None else inside(sought, self.prefix)

    def _asked(self, ask: Callable[[], Answer], *, needed: bool) -> Answer | None:
        """LiveKit's answer. Where it is not needed, None when LiveKit cannot be asked; else raises StackError."""
        try:
            return ask()
        except LiveKitError as error:
            if needed:
                raise StackError(f"LiveKit cannot be asked whose file this is. Nothing was touched. {error}") from None
            self.tell(f"LiveKit cannot be asked: {error.seen}")
            return None

    def _found(self, egress_id: str, sought: Sought, uploads: Sequence[str]) -> Mapping[str, Sequence[objects.Version]]:
        """What lies under the key, and the manifest beside it. Raises StackError when another call's may be there."""
        found = objects.versions(self.s3, self.bucket, sought.key)
        unnamed = strangers(sought, found)
        if unnamed or uploads:
            self.tell("looking whether another conversation plays the same file")
            everything: Iterable[Kept] = (
                kept for page in self.shelf.everything() for shown in page for kept in shown.links
            )
            made_by = self._asked(
                lambda: owners(self.livekit, sought.key), needed=bool(uploads) or (sought.given and not sought.versions)
            )
            refuse_others(sought, egress_id, unnamed, everything, made_by)
            if uploads and made_by is None:
                raise StackError(
                    f"{sought.key} has {len(uploads)} unfinished uploads, which another call may be making, and the "
                    "stack knows no LiveKit to ask. Nothing was touched. Set it: pulumi config set livekitUrl wss://…"
                )
        manifest = posixpath.join(posixpath.dirname(sought.key), f"{egress_id}.json")
        beside = objects.versions(self.s3, self.bucket, manifest)
        return {sought.key: found, **({manifest: beside} if beside else {})}

    def _uploads(self, found: Iterable[str], key: str, uploads: Sequence[str]) -> Iterable[tuple[str, Sequence[str]]]:
        """The recording's unfinished uploads, and those of the manifest."""
        return ((one, uploads if one == key else objects.uploads(self.s3, self.bucket, one)) for one in found)

    def _locks(self, found: Mapping[str, Sequence[objects.Version]]) -> dict[str, objects.Lock]:
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
