"""The part `sip`: dispatch rules whose rooms are recorded from their first second, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from livekit import api

from infra.functions.egress import EgressSettings, room_egress
from scripts.configure import rules
from scripts.configure.found import Found
from scripts.configure.keeping import Keeper
from scripts.configure.rules import CHANGING, Change, Step
from scripts.errors import UnfinishedError, UsageError
from scripts.interruption import postponed
from scripts.livekit_access import UPDATE_RULE, LiveKit, LiveKitError
from scripts.teardown.engine import Say

# LiveKit may write the older of the two in terms of the newer.
MEDIA = ("media", "media_encryption")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sip:
    """The rules of one LiveKit project. `chosen` are rule ids, none for all of them."""

    livekit: LiveKit
    keeper: Keeper
    chosen: tuple[str, ...] = ()
    say: Say = field(default=lambda _: None)

    def attaching(self, settings: EgressSettings, *, oust: bool) -> list[Change]:
        """What to do so that every chosen rule records; changes nothing.

        `oust`: an egress of somebody else's gives way too. Raises LiveKitError, UsageError for an unknown rule.
        """
        found = self.livekit.dispatch_rules()
        known = {rule.sip_dispatch_rule_id for rule in found}
        if missing := [rule for rule in self.chosen if rule not in known]:
            raise UsageError(
                f"--rule: LiveKit has no dispatch rule {', '.join(missing)}. It has: {', '.join(sorted(known)) or '-'}"
            )
        wanted = [rule for rule in found if not self.chosen or rule.sip_dispatch_rule_id in self.chosen]
        return rules.attach(wanted, phone_egress(settings), self.keeper.load(), oust=oust)

    def detaching(self, settings: EgressSettings | None) -> list[Change]:
        """What to do so that every chosen rule is as it was found; changes nothing.

        Without `settings` only what was kept is undone, not an egress of ours of which no record is left.
        Raises LiveKitError.
        """
        kept = self.keeper.load()
        if settings is None and not kept:
            return []
        found = {rule.sip_dispatch_rule_id: rule for rule in self.livekit.dispatch_rules()}
        changes = rules.detach(found, None if settings is None else phone_egress(settings), kept)
        if missing := [rule for rule in self.chosen if rule not in {change.rule for change in changes} | set(found)]:
            raise UsageError(f"--rule: neither LiveKit nor callrec knows a dispatch rule {', '.join(missing)}")
        return [change for change in changes if not self.chosen or change.rule in self.chosen]

    def attach(self, changes: Sequence[Change]) -> int:
        """Do what `attaching` said, how many rules were changed; what is found is kept before the first of them.

        Raises UnfinishedError when a rule could not be changed; doing it again goes on from there.
        """
        todo = [change for change in changes if change.step in CHANGING]
        self._keep({change.rule: change.found for change in todo})
        self._apply(todo, [])
        return len(todo)

    def detach(self, changes: Sequence[Change]) -> int:
        """Do what `detaching` said, how many rules were changed; what was kept of those is forgotten.

        Raises UnfinishedError as `attach`.
        """
        settled = {change.rule for change in changes if change.step in (Step.KEEP, Step.GONE)}
        restored: list[str] = []
        try:
            self._apply([change for change in changes if change.step is Step.RESTORE], restored)
        finally:
            self._keep(dict.fromkeys([*settled, *restored]))
        return len(restored)

    def _keep(self, changes: Mapping[str, Found | None]) -> None:
        if changes:
            with postponed():
                self.keeper.change(changes)

    def _apply(self, changes: Sequence[Change], done: list[str]) -> None:
        """Change the rules, and note in `done` those that are changed."""
        failed: list[str] = []
        for change in changes:
            self.say(f"rule {change.rule}: {change.step}")
            try:
                self._replace(change)
            except LiveKitError as error:
                failed.append(f"rule {change.rule}: {error}")
                if error.access:
                    break
            except UnfinishedError as error:
                failed.append(str(error))
            else:
                done.append(change.rule)
        if failed:
            raise UnfinishedError(
                f"{'; '.join(failed)}. {len(done)} of {len(changes)} rules changed: the same command goes on from there"
            )

    def _replace(self, change: Change) -> None:
        """Put the whole rule in place of the one that was looked at, and read it back.

        LiveKit cannot be told to change a rule only if nobody did meanwhile: it is read again just before.
        """
        before, after = change.before, change.after
        if before is None or after is None:
            return
        current = next(iter(self.livekit.dispatch_rules([change.rule])), None)
        if current is None or not rules.same(current, before):
            raise UnfinishedError(f"rule {change.rule}: somebody changed it just now; it is left as it is")
        with postponed():
            self.livekit.ask(UPDATE_RULE, lambda client: client.sip.update_dispatch_rule(change.rule, after))
        stored = next(iter(self.livekit.dispatch_rules([change.rule])), None)
        if stored is None or not rules.same(stored, after, besides=MEDIA):
            raise UnfinishedError(f"rule {change.rule}: LiveKit took the change, but shows another rule than was sent")


def phone_egress(settings: EgressSettings) -> api.RoomEgress:
    """What a dispatch rule gives its rooms: they are made later, by calls, so that names stay out of the path."""
    return room_egress(settings, phone=True)
