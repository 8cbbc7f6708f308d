"""`callrec rotate uploader`: a new access key for LiveKit's egress.

A recording uploads at its end, with the key that it was begun with. So the old key stays active until nothing that was
begun with it can still run, inactive for a while in which it can be brought back, and is deleted only then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from scripts.errors import StackError, UnfinishedError, UsageError
from scripts.rotate import waiting
from scripts.rotate.ground import Ground
from scripts.rotate.settings import date_key
from scripts.rotate.state import State
from scripts.rotate.steps import NOTHING, Learnt, Pause, Step

KIND = "uploader"
DAY = 24 * 3600.0
# How long the old key can be brought back.
GRACE = 7 * DAY
# How long AWS must have seen no use of the old key before it counts as replaced without anybody's word: longer than a
# practice is closed.
SILENCE = 30 * DAY
GENERATION, PREVIOUS = "uploaderKeyGeneration", "uploaderPreviousKey"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for; `grace` and `patience` in seconds.

    `copies_replaced`: whoever asks says that no agent's `.env`, nor anything else of theirs, holds the old key.
    """

    grace: float = GRACE
    patience: float = 600.0
    copies_replaced: bool = False
    force: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class UploaderRotation:
    """As Rotation."""

    ground: Ground
    wish: Wish
    kind: str = KIND

    def steps(self, state: State | None) -> Sequence[Step]:  # noqa: ARG002 -- always the same
        """As Rotation."""
        return (
            Step(name="key", title="a new key beside the old one, stored with the stack", do=self._key),
            Step(name="probe", title="an upload with the new key", do=self._probe),
            Step(name="rules", title="LiveKit's dispatch rules hold the new key", do=self._rules),
            Step(name="functions", title="deliver starts recordings with the new key", do=self._functions),
            Step(name="copies", title="agents and programs of yours hold the new key", do=self._copies),
            Step(name="drain", title="what was begun with the old key has ended", do=self._drain),
            Step(name="unused", title="AWS saw no use of the old key since", do=self._unused),
            Step(name="inactive", title="the old key is inactive", do=self._inactive),
            Step(name="grace", title="it could be brought back for a while", do=self._grace),
            Step(name="delete", title="the old key is deleted", do=self._delete),
        )

    def begin(self) -> Learnt:
        """As Rotation."""
        values = self.ground.settings.values()
        if values.get("uploader") == "role":
            raise UsageError(
                "a role uploads (uploader: role), so there is no key to replace. For another external id, while "
                "callrec status shows no recording that runs (it uploads at its end with the id it began with): pulumi "
                "config set --secret uploaderExternalId, pulumi up, callrec configure"
            )
        if values.get(PREVIOUS, "none") != "none":
            raise UsageError(
                f"the key before this one is still there ({PREVIOUS}: {values[PREVIOUS]}), and AWS allows two. When "
                f"nothing uses it: pulumi config rm {PREVIOUS}, then pulumi up"
            )
        current, keys = self.ground.access_key_id(), self.ground.access_keys()
        if current not in keys:
            raise StackError(f"AWS does not know the key {current} any more: pulumi up --refresh")
        if others := [key for key in keys if key != current]:
            raise UsageError(
                f"the uploader has another key, {', '.join(others)}, that is not the stack's; AWS allows two. "
                "Remove it first: aws iam delete-access-key"
            )
        settled(self.ground)
        return {
            "generation": str(int(values.get(GENERATION) or 1) + 1),
            "old": current,
            "grace": str(self.wish.grace),
        }

    def resumed(self, state: State) -> State:
        """A key that somebody brought back has to be looked at again; so has one whose copies were replaced since."""
        if "delete" not in state.done and "inactive" in state.done:
            back = self.ground.settings.values().get(PREVIOUS) == "active"
            return state.without("copies", "drain", "unused", "inactive", "grace") if back else state
        return state.without("copies", "drain", "unused") if self.wish.copies_replaced else state

    def advice(self, state: State) -> Sequence[str]:
        """As Rotation."""
        if "inactive" in state.done and "delete" not in state.done:
            return (
                f"Should anything fail to upload meanwhile, bring the old key back: pulumi config set {PREVIOUS} "
                "active, then pulumi up; the next run looks again whether it is used",
            )
        return ()

    def _key(self, state: State) -> Learnt:
        today = f"{datetime.fromtimestamp(self.ground.now(), UTC):%Y-%m-%d}"
        generation = state.data["generation"]
        self.ground.settings.put({GENERATION: generation, PREVIOUS: "active", date_key(KIND): today})
        self.ground.remove_strays([state.data["old"]])
        self.ground.up()
        return {"new": self.ground.access_key_id(), "stored_at": str(self.ground.now())}

    def _probe(self, _state: State) -> Learnt:
        self.ground.probe()
        return NOTHING

    def _rules(self, state: State) -> Learnt:
        outsiders = [one for one in self.ground.update_rules() if one.upload_key != state.data["new"]]
        if outsiders and not self.wish.force:
            names = ", ".join(one.rule for one in outsiders)
            raise UnfinishedError(
                f"dispatch rules record into the bucket, and are not callrec's to change: {names}. They may hold the "
                f"old key, which stays active. Have callrec record there (callrec configure sip --rule "
                f"{outsiders[0].rule} --replace), or see to them yourself and go on with --force"
            )
        return NOTHING

    def _functions(self, state: State) -> Learnt:
        if self.ground.settings.values().get("recordRooms") == "true":
            waiting.functions(self.ground, state.moment("stored_at"))
        return {"switched_at": str(self.ground.now())}

    def _copies(self, state: State) -> Learnt:
        """Only a person knows; or a month in which AWS saw no use of the key."""
        now, old = self.ground.now(), state.data["old"]
        quiet = max(float(state.data["grace"]), SILENCE)
        used = self.ground.last_used(old)
        unused = now - state.moment("switched_at") >= quiet and (used is None or now - used >= quiet)
        if not (self.wish.copies_replaced or self.wish.force or unused):
            seen = "AWS has not seen it used yet" if used is None else f"AWS last saw it used at {waiting.day(used)}"
            raise UnfinishedError(
                f"the new key is in use wherever callrec hands it out. Other copies only you know of: each agent's "
                f".env (callrec env --output .env, and restart it), programs of your own. The old key {old} stays "
                f"active until you say that none is left: callrec rotate uploader --copies-replaced. {seen}"
            )
        return {"copies_at": str(now)}

    def _drain(self, state: State) -> Learnt:
        waiting.recordings(self.ground, state.moment("copies_at"), self.wish.patience, force=self.wish.force)
        return {"drained_at": str(self.ground.now())}

    def _unused(self, state: State) -> Learnt:
        """AWS tells late of a use: what it does tell is then all the surer."""
        old = state.data["old"]
        used = self.ground.last_used(old)
        if used is not None and used > state.moment("drained_at") and not self.wish.force:
            raise UnfinishedError(
                f"the old key {old} was used at {waiting.day(used)}, after everything that callrec hands it to had "
                "ended: something of yours still holds it. Replace that copy, then: "
                "callrec rotate uploader --copies-replaced"
            )
        return NOTHING

    def _inactive(self, _state: State) -> Learnt:
        self.ground.settings.put({PREVIOUS: "inactive"})
        self.ground.up()
        return {"inactive_at": str(self.ground.now())}

    def _grace(self, state: State) -> Learnt:
        until = state.moment("inactive_at") + float(state.data["grace"])
        if self.ground.now() < until:
            raise Pause(
                f"The old key {state.data['old']} is inactive, and is deleted by the same command after "
                f"{waiting.day(until)}",
                again=until,
            )
        return NOTHING

    def _delete(self, _state: State) -> Learnt:
        self.ground.settings.remove(PREVIOUS)
        self.ground.up()
        return NOTHING


def settled(ground: Ground) -> None:
    """Make sure that `up` would change nothing yet: a rotation must change keys, and nothing besides.

    Raises UsageError.
    """
    if count := ground.pending():
        raise UsageError(
            f"{count} resources differ from what program and configuration say, and a rotation would change them in "
            "passing. See and do that first: pulumi up"
        )
