"""`callrec rotate links`: a new key that signs the links in Airtable, and an end for those of the old one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from infra.functions.secret import HARD_SECONDS, audit_key_of
from scripts.errors import UsageError
from scripts.rotate import waiting
from scripts.rotate.ground import Ground
from scripts.rotate.settings import date_key
from scripts.rotate.state import State
from scripts.rotate.steps import NOTHING, Learnt, Step
from scripts.rotate.uploader import DAY, settled

KIND = "links"
KEY, OLD_KEY, UNTIL, AUDIT = "linkSigningKey", "previousLinkSigningKey", "previousLinkSigningKeyUntil", "auditKey"
LONG_AGO = "1"
REFRESH = "Sign the links in Airtable anew: callrec link refresh"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for: for how long old links still play, in seconds; None as configured, 0 ends them all.

    `yes`: links may end at once.
    """

    grace: float | None = None
    yes: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LinksRotation:
    """As Rotation."""

    ground: Ground
    wish: Wish
    kind: str = KIND

    def steps(self, state: State | None) -> Sequence[Step]:
        """As Rotation; links that are to end at once do not wait until everybody knows the new key."""
        grace = self._wanted() if state is None else float(state.data["grace"])
        if grace <= 0:
            return (Step(name="switch", title="a new key signs links, and no other link plays", do=self._revoke),)
        return (
            Step(name="honour", title="links that the new key signs play", do=self._honour),
            Step(name="known", title="by every copy of play", do=self._known),
            Step(name="switch", title="the new key signs links; old ones play for a while", do=self._switch),
        )

    def begin(self) -> Learnt:
        """As Rotation."""
        values, grace, now = self.ground.settings.values(), self._wanted(), self.ground.now()
        if grace <= 0 and not self.wish.yes:
            raise UsageError(
                "--grace 0 ends every link in Airtable at once, those that somebody is about to click too. "
                "When that is meant: callrec rotate links --grace 0 --yes"
            )
        until = values.get(UNTIL, "")
        if grace > 0 and values.get(OLD_KEY) and not (until and float(until) <= now):
            end = f"until {waiting.day(float(until))}" if until else f"without an end ({UNTIL} is not set)"
            raise UsageError(
                f"links of the key before this one still play {end}, and would end with another rotation. Sign them "
                f"anew (callrec link refresh) and wait; or end them: pulumi config rm {UNTIL}, pulumi config rm "
                f"{OLD_KEY}, pulumi up. After a leak: callrec rotate links --grace 0 --yes ends all links"
            )
        settled(self.ground)
        old = values[KEY]
        return {
            "key": secrets.token_urlsafe(48),
            "old": old,
            "grace": str(grace),
            "audit": values.get(AUDIT) or audit_key_of(old),
        }

    def resumed(self, state: State) -> State:
        """All links can be ended at once at any time, also while a rotation with a grace time is on its way."""
        if self.wish.grace == 0 and self.wish.yes:
            return replace(state, data={**state.data, "grace": "0"}).without("switch")
        return state

    def advice(self, state: State) -> Sequence[str]:
        """As Rotation."""
        if "switch" not in state.done:
            return ()
        if "until" not in state.data:
            return (f"Within {HARD_SECONDS // 60} minutes no link of the old key plays any more", REFRESH)
        return (f"Links of the old key play until {waiting.day(state.moment('until'))}", REFRESH)

    def _wanted(self) -> float:
        if self.wish.grace is not None:
            return self.wish.grace
        return float(self.ground.settings.values().get("linkGraceDays") or 30) * DAY

    def _honour(self, state: State) -> Learnt:
        settings = self.ground.settings
        settings.put_secret(AUDIT, state.data["audit"])
        settings.put_secret(OLD_KEY, state.data["key"])
        settings.remove(UNTIL)  # not before: links of the key that was there may have ended
        self.ground.up()
        return {"honoured_at": str(self.ground.now())}

    def _known(self, state: State) -> Learnt:
        waiting.functions(self.ground, state.moment("honoured_at"))
        return NOTHING

    def _switch(self, state: State) -> Learnt:
        """While it is half done, links of the old key play; the end of a key before does not end the newest."""
        settings, until = self.ground.settings, int(self.ground.now() + float(state.data["grace"]))
        settings.put_secret(OLD_KEY, state.data["old"])
        settings.put({UNTIL: str(until)})
        self._new(state)
        return {"until": str(until)}

    def _revoke(self, state: State) -> Learnt:
        settings = self.ground.settings
        settings.put_secret(AUDIT, state.data["audit"])
        # The old key opens nothing any more, and stays known: `link refresh` renews just what is known as ours.
        settings.put_secret(OLD_KEY, state.data["old"])
        settings.put({UNTIL: LONG_AGO})
        self._new(state)
        return NOTHING

    def _new(self, state: State) -> None:
        self.ground.settings.put_secret(KEY, state.data["key"])
        self.ground.settings.put({date_key(KIND): f"{datetime.fromtimestamp(self.ground.now(), UTC):%Y-%m-%d}"})
        self.ground.up()
