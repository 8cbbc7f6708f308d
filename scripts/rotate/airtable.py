"""`callrec rotate airtable`: a new personal access token for the conversations' base."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from infra.functions.secret import HARD_SECONDS
from scripts.errors import UnfinishedError, UsageError
from scripts.rotate.ground import Ground
from scripts.rotate.new_secret import checked
from scripts.rotate.settings import date_key, forget
from scripts.rotate.state import State
from scripts.rotate.steps import NOTHING, Learnt, Step
from scripts.rotate.uploader import settled
from scripts.verify.airtable import Conversations
from scripts.verify.hop import Failed

KIND = "airtable"
TOKEN = "airtableToken"  # noqa: S105 -- the name of a key
SCOPES = frozenset({"data.records:read", "data.records:write", "schema.bases:read"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for: `token` is asked for when a rotation begins."""

    token: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AirtableRotation:
    """As Rotation. `table` is the conversations' table as a token reaches it."""

    ground: Ground
    wish: Wish
    table: Callable[[str], Conversations]
    kind: str = KIND

    def steps(self, state: State | None) -> Sequence[Step]:  # noqa: ARG002 -- always the same
        """As Rotation."""
        return (
            Step(name="prove", title="Airtable gives the new token what the old one may", do=self._prove),
            Step(name="switch", title="the functions are given the new token", do=self._switch),
        )

    def begin(self) -> Learnt:
        """As Rotation."""
        token = checked(TOKEN, self.wish.token())
        if token == self.ground.settings.values().get(TOKEN):
            raise UsageError("that is the token in use. Make a new one: https://airtable.com/create/tokens")
        settled(self.ground)
        return {"token": token}

    def resumed(self, state: State) -> State:
        """As Rotation."""
        return state

    def advice(self, state: State) -> Sequence[str]:
        """As Rotation."""
        if "switch" not in state.done:
            return ()
        return (
            f"The functions use the old token for {HARD_SECONDS // 60} more minutes at most. Withdraw it then: "
            "https://airtable.com/create/tokens",
        )

    def _prove(self, state: State) -> Learnt:
        """The same base, table and fields; that it may write is told by its scopes alone, since nothing is written."""
        table = self.table(state.data["token"])
        try:
            scopes = table.scopes()
            for probe in (table.token_is_valid, table.exists, table.required, table.optional, table.readable):
                self.ground.say(probe())
        except Failed as failed:
            raise self._refused(f"{failed.seen}: {failed.cause}") from None
        if scopes is not None and (missing := SCOPES - scopes):
            raise self._refused(f"it lacks {', '.join(sorted(missing))}")
        return NOTHING

    def _refused(self, why: str) -> UnfinishedError:
        forget(self.ground.settings, KIND)
        return UnfinishedError(f"the new token is no good, and nothing was changed ({why})")

    def _switch(self, state: State) -> Learnt:
        self.ground.settings.put_secret(TOKEN, state.data["token"])
        self.ground.settings.put({date_key(KIND): f"{datetime.fromtimestamp(self.ground.now(), UTC):%Y-%m-%d}"})
        self.ground.up()
        return NOTHING
