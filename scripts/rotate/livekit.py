"""`callrec rotate livekit`: a new LiveKit API key, which signs webhooks and starts recordings.

Both keys are honoured before anything is signed with the new one, and until nothing is signed with the old one: an
event that is refused once, LiveKit never sends again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from infra.functions.receive import FRESH_SECONDS
from scripts.errors import StackError, UnfinishedError, UsageError
from scripts.livekit_access import LiveKit
from scripts.rotate import waiting
from scripts.rotate.ground import Ground
from scripts.rotate.new_secret import checked
from scripts.rotate.settings import date_key, forget
from scripts.rotate.state import State
from scripts.rotate.steps import NOTHING, Learnt, Pause, Step
from scripts.rotate.uploader import DAY, GRACE, settled
from scripts.status.log_lines import Line
from scripts.verify.probe import MARK

KIND = "livekit"
# `receive` looks up a key that it does not know once its copy of the secret is so old; the rest is for two clocks.
KNOWN_SECONDS = FRESH_SECONDS + 5.0
KEY, SECRET = "livekitApiKey", "livekitApiSecret"
OLD_KEY, OLD_SECRET = "previousLivekitApiKey", "previousLivekitApiSecret"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for; `grace` and `patience` in seconds. `key` and `secret` are asked for when one begins."""

    key: Callable[[], str] = field(repr=False)
    secret: Callable[[], str] = field(repr=False)
    grace: float = GRACE
    patience: float = 600.0
    force: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveKitRotation:
    """As Rotation."""

    ground: Ground
    wish: Wish
    kind: str = KIND

    def steps(self, state: State | None) -> Sequence[Step]:  # noqa: ARG002 -- always the same
        """As Rotation."""
        return (
            Step(name="prove", title="LiveKit knows the new key, which may do what the old one does", do=self._prove),
            Step(name="honour", title="events that the new key signs are accepted", do=self._honour),
            Step(name="known", title="by every copy of receive", do=self._known),
            Step(name="switch", title="the new key is the one in use; the old one is still honoured", do=self._switch),
            Step(name="rules", title="LiveKit's dispatch rules name the new key as signer", do=self._rules),
            Step(name="grace", title="time for LiveKit's own webhook setting to be changed", do=self._grace),
            Step(name="unsigned", title="nothing is signed with the old key any more", do=self._unsigned),
            Step(name="remove", title="the old key is not honoured any more", do=self._remove),
        )

    def begin(self) -> Learnt:
        """As Rotation."""
        values = self.ground.settings.values()
        if values.get(OLD_KEY):
            raise UsageError(
                f"another key, {values[OLD_KEY]}, is still honoured besides. When nothing is signed with it any more: "
                f"pulumi config rm {OLD_KEY}, pulumi config rm {OLD_SECRET}, then pulumi up"
            )
        if not values.get("livekitUrl"):
            raise UsageError(
                "the stack does not know your LiveKit, so that the new key cannot be proven. "
                "Set it: pulumi config set livekitUrl wss://YOUR-PROJECT.livekit.cloud, then pulumi up"
            )
        key = checked(KEY, self.wish.key())
        if key == values.get(KEY):
            raise UsageError(f"{key} is the key in use: one key has one secret at a time. Make a new key in LiveKit")
        secret = checked(SECRET, self.wish.secret())
        settled(self.ground)
        return {
            "key": key,
            "secret": secret,
            "old": values[KEY],
            "old_secret": values[SECRET],
            "grace": str(self.wish.grace),
        }

    def resumed(self, state: State) -> State:
        """As Rotation."""
        return state

    def advice(self, state: State) -> Sequence[str]:
        """As Rotation."""
        if "switch" not in state.done or "remove" in state.done:
            return ()
        livekit, key = self.ground.livekit(), state.data["key"]
        told: list[str] = []
        if livekit is None or livekit.is_cloud:
            told.append(f"LiveKit Cloud: in the project's dashboard, Settings, Webhooks, choose {key} as signing key")
        if livekit is None or not livekit.is_cloud:
            told.append(f"A server of your own: webhook.api_key: {key} in its configuration, and restart it")
        told.append(
            "Agents' .env hold LiveKit's key too: callrec env --output .env. Withdraw the old key in LiveKit last"
        )
        return told

    def _prove(self, state: State) -> Learnt:
        values = self.ground.settings.values()
        livekit = LiveKit(url=values["livekitUrl"], key=state.data["key"], secret=state.data["secret"])
        try:
            livekit.egresses(active=True, pages=1)
            if self.ground.rules_kept():
                livekit.dispatch_rules()
        except StackError as error:
            forget(self.ground.settings, KIND)
            raise UnfinishedError(f"LiveKit does not take the new key, and nothing was changed ({error})") from None
        return NOTHING

    def _honour(self, state: State) -> Learnt:
        settings = self.ground.settings
        settings.put_secret(OLD_SECRET, state.data["secret"])
        settings.put({OLD_KEY: state.data["key"]})
        self.ground.up()
        return {"honoured_at": str(self.ground.now())}

    def _known(self, state: State) -> Learnt:
        waiting.functions(self.ground, state.moment("honoured_at"), KNOWN_SECONDS)
        return NOTHING

    def _switch(self, state: State) -> Learnt:
        """In an order in which the program refuses whatever is half done: one key under both names."""
        settings = self.ground.settings
        settings.put({OLD_KEY: state.data["old"]})
        settings.put_secret(OLD_SECRET, state.data["old_secret"])
        settings.put_secret(SECRET, state.data["secret"])
        today = f"{datetime.fromtimestamp(self.ground.now(), UTC):%Y-%m-%d}"
        settings.put({KEY: state.data["key"], date_key(KIND): today})
        self.ground.up()
        return NOTHING

    def _rules(self, state: State) -> Learnt:
        old = [one.rule for one in self.ground.update_rules() if state.data["old"] in one.signers]
        if old and not self.wish.force:
            raise UnfinishedError(
                f"dispatch rules that are not callrec's to change have their events signed with the old key: "
                f"{', '.join(old)}. Have callrec record there (callrec configure sip --rule {old[0]} --replace), or "
                "see to them yourself and go on with --force"
            )
        return {"switched_at": str(self.ground.now())}

    def _grace(self, state: State) -> Learnt:
        until = state.moment("switched_at") + float(state.data["grace"])
        if self.ground.now() < until:
            raise Pause(
                f"Both keys are honoured. After {waiting.day(until)} the same command removes the old one, when "
                "nothing is signed with it any more",
                again=until,
            )
        return NOTHING

    def _unsigned(self, state: State) -> Learnt:
        if self.wish.force:
            return NOTHING
        switched = state.moment("switched_at")
        waiting.recordings(self.ground, switched, self.wish.patience, force=False)
        quiet = min(float(state.data["grace"]), DAY)
        lines = self.ground.accepted(switched)
        if why := still_signed(lines, state.data["old"], state.data["key"], self.ground.now() - quiet):
            raise UnfinishedError(
                f"the old key {state.data['old']} is still honoured: {why}; --force removes it anyway"
            )
        return NOTHING

    def _remove(self, _state: State) -> Learnt:
        self.ground.settings.remove(OLD_KEY, OLD_SECRET)
        self.ground.up()
        return NOTHING


def still_signed(lines: Sequence[Line], old: str, new: str, quiet_since: float) -> str:
    """Why the old key cannot go, by what `receive` accepted since the new one is in use; "" when it can.

    An egress' own events may be signed otherwise than the project's: each kind's newest event counts. What `verify`
    sends proves nothing.
    """
    real = [line for line in lines if MARK not in str(line.fields.get("id"))]
    newest: dict[bool, Line] = {}
    for line in sorted(real, key=lambda one: one.at):
        newest[str(line.fields.get("type", "")).startswith("egress_")] = line
    if any(line.fields.get("key") == old for line in newest.values()):
        return "LiveKit's newest events are signed with it. Change the signing key of its webhooks"
    if not any(line.fields.get("key") == new for line in real):
        return (
            "no event signed with the new key has come yet. Change the signing key of LiveKit's webhooks, make a call"
        )
    if any(line.fields.get("key") == old and line.at > quiet_since for line in real):
        return "an event was signed with it within the last day. Run the same command again in a day"
    return ""
