"""Taking a stack down, step by step; every step can be done again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.aws_access import AwsAccess
from scripts.configure.keeping import StackKeeper
from scripts.configure.sip import Sip
from scripts.errors import UsageError
from scripts.livekit_access import LiveKit
from scripts.recordings.legal_hold import under_hold
from scripts.teardown import egresses, locks, plays, queues, recordings, unrecorded
from scripts.teardown.engine import Engine, Say
from scripts.teardown.export import Export, Exported
from scripts.teardown.plan import Plan
from scripts.teardown.recordings import Holding
from scripts.teardown.state import Split, deployed


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for. `ask` has a person type the bucket's name; None when nobody is there to do it.

    `export`: a folder to download the recordings into first, or alone without `yes`.
    """

    yes: bool = False
    delete_recordings: bool = False
    confirm: str | None = None
    ignore_livekit: bool = False
    export: Path | None = None
    bypass_governance: bool = False
    ask: Callable[[str], str] | None = None

    def check(self) -> None:
        """Raises UsageError for options that contradict each other."""
        if self.confirm is not None and not self.delete_recordings:
            raise UsageError("--confirm names a bucket to delete, but --delete-recordings is not given")
        if self.bypass_governance and not self.delete_recordings:
            raise UsageError("--bypass-governance is about what --delete-recordings deletes, which is not given")


@dataclass(frozen=True, kw_only=True, slots=True)
class Teardown:
    """One stack, opened."""

    stack: str
    engine: Engine
    aws: AwsAccess
    wish: Wish
    say: Say

    def plan(self) -> tuple[Plan, LiveKit | None]:
        """Look, and change nothing."""
        state = self.engine.state()
        split = Split.of(state)
        s3 = self.aws.client("s3")
        counted = {
            name: recordings.count(s3, name, lambda number: self.say(f"counted {number:,} versions"))
            for name in split.buckets
        }
        everything = self.wish.delete_recordings
        if everything:
            self._refuse(split, deployed(state), counted)
        going = split.everything if everything else split.going
        livekit = LiveKit.of(self.engine.config()) if going and not self.wish.ignore_livekit else None
        active = None
        if livekit is not None and split.buckets:
            active = egresses.recording_into(livekit, split.buckets[0])
        plan = Plan(
            stack=self.stack,
            deletes_recordings=everything,
            going=going,
            staying=[] if everything else split.staying,
            buckets=counted,
            queues=queues.waiting(self.aws.client("sqs"), going),
            egresses=active,
            rules=[] if livekit is None else self._sip(livekit).detaching(None),
            export=None if self.wish.export is None else str(self.wish.export),
        )
        return plan, livekit

    def export(self, plan: Plan) -> Export | None:
        """The export that was asked for, its folder checked; None without one, or without a bucket."""
        bucket = next((name for name, holding in plan.buckets.items() if holding is not None), None)
        if self.wish.export is None or bucket is None:
            return None
        made = Export(s3=self.aws.client("s3"), bucket=bucket, folder=self.wish.export, say=self.say)
        made.check()
        return made

    def do(self, plan: Plan, livekit: LiveKit | None) -> Exported | None:
        """Remove what the plan says, and export before; what was exported.

        Raises UnfinishedError when something stays that should go; then all of it can be done again.
        """
        export = self.export(plan)
        if export is not None:
            # While calls are still recorded: this takes longest, and fails until what is archived is restored.
            self.exported(export)
        first = Split.of(self.engine.state()).going
        with unrecorded.told(self.stack, plan.rules):
            if livekit is not None and plan.rules:
                # Calls that come from now on must not be recorded with a key that is about to go.
                self._sip(livekit).detach(plan.rules)
            exported = self._quiet(plan, livekit, export)
        if first:
            self.engine.destroy([resource.urn for resource in first])
        if not plan.deletes_recordings:
            return exported
        # Only now nobody is left who could put something into the bucket behind our back.
        if export is not None:
            exported = self.exported(export)  # what was stored since
        for name in plan.buckets:
            self._empty(name)
        self.engine.unprotect()
        self.engine.destroy()
        self.engine.remove()
        return exported

    def _quiet(self, plan: Plan, livekit: LiveKit | None, export: Export | None) -> Exported | None:
        """Stop what records, and export what that stored, until a last look finds nothing.

        Raises StackError when LiveKit cannot be asked or one does not end, UnfinishedError when ever more begin.
        """
        bucket, exported, active = next(iter(plan.buckets), None), None, list[str]()
        for _ in range(egresses.MOST_LOOKS):
            if livekit is not None and bucket is not None:
                active = egresses.recording_into(livekit, bucket)
                if active:
                    self.say(f"stopping {len(active)} recordings, and waiting for their files")
                    egresses.stop(livekit, bucket, active)
            if not active and (export is None or exported is not None):
                return exported
            if export is not None:
                exported = self.exported(export)
        raise egresses.never_quiet(active)

    def exported(self, export: Export) -> Exported:
        """Fetch the recordings, and the lines of who listened to them."""
        exported, logs = export.go(), self.aws.client("logs")
        for group in Split.of(self.engine.state()).logs:
            count = plays.save(logs, group, export.folder)
            self.say(f"saved {count:,} lines of who listened")
        return exported

    def _refuse(self, split: Split, settings: Mapping[str, Any], counted: Mapping[str, Holding | None]) -> None:
        """Raises UsageError when recordings must not be deleted."""
        if split.buckets and under_hold(self.engine.config(), settings):
            raise UsageError(
                "the recordings are under a legal hold by the stack's configuration, and are not deleted. Nothing was "
                "touched. When your lawyers lift it: pulumi config set legalHold false && pulumi up"
            )
        for name, holding in counted.items():
            if holding is not None:
                locks.refuse(name, holding.mode, holding.locked, holding.until, bypass=self.wish.bypass_governance)

    def _sip(self, livekit: LiveKit) -> Sip:
        return Sip(livekit=livekit, keeper=StackKeeper(engine=lambda: nullcontext(self.engine.stack)), say=self.say)

    def _empty(self, bucket: str) -> None:
        s3 = self.aws.client("s3")
        recordings.empty(
            s3,
            bucket,
            lambda number: self.say(f"deleted {number:,} versions and uploads from {bucket}"),
            bypass=self.wish.bypass_governance,
        )


def agree(plan: Plan, wish: Wish) -> None:
    """Make sure that whoever deletes recordings means this bucket.

    Raises UsageError with nothing touched.
    """
    name = next(iter(plan.buckets), None)
    if not plan.deletes_recordings or name is None:
        return
    given = wish.confirm
    if given is None and wish.ask is not None:
        given = wish.ask(f"Type the name of the bucket whose recordings are deleted for ever ({name})")
    if given is None:
        raise UsageError(f"--delete-recordings needs the bucket's name besides: --confirm {name}. Nothing was touched")
    if given != name:
        raise UsageError(f"{given!r} is not the bucket of stack {plan.stack}. Nothing was touched")
