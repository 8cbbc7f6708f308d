"""What every rotation waits for: functions that still use a copy of the old secret, recordings that began before."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.functions.secret import HARD_SECONDS
from scripts.errors import UnfinishedError
from scripts.rotate.ground import Ground

POLL_SECONDS = 2.0
# LiveKit's clock and this machine's may differ, and a start takes a while from its request to LiveKit's list.
SKEW_SECONDS = 60.0


def functions(ground: Ground, since: float, seconds: float = HARD_SECONDS) -> None:
    """Wait until no function can use a secret from before `since` (unix seconds) any more."""
    while (left := since + seconds - ground.now()) > 0:
        ground.say(f"the functions read their secret anew within {seconds:.0f} s: {left:.0f} s left")
        ground.wait(min(POLL_SECONDS, left))


def recordings(ground: Ground, before: float, patience: float, *, force: bool) -> None:
    """Wait until no recording that began before `before` (unix seconds) runs any more.

    `patience` in seconds. Raises UnfinishedError when some still run then, or when LiveKit cannot be asked; not with
    `force`.
    """
    if force:
        return
    until = ground.now() + patience
    while True:
        running = ground.running_since_before(before + SKEW_SECONDS)
        if running is None:
            raise UnfinishedError(
                "the stack knows no LiveKit (livekitUrl is not set), so that nobody can say whether recordings that "
                "began with the old key still run. When you know that none does: the same command with --force"
            )
        # A start that was on its way when the key changed begins a moment later: it has to be seen before it is over.
        left = before + SKEW_SECONDS - ground.now()
        if not running and left <= 0:
            return
        if not running:
            ground.say(f"what was being begun with the old key shows within {left:.0f} s")
            ground.wait(min(POLL_SECONDS, left))
            continue
        if ground.now() >= until:
            raise UnfinishedError(
                f"{len(running)} recordings that began with the old key still run: {', '.join(running)}. They upload "
                "with it at their end, so it stays active. Run the same command again when they have ended; one that "
                "runs although its call is over is stuck (callrec reconcile), and --force goes on without it"
            )
        ground.say(f"{len(running)} recordings that began with the old key still run")
        ground.wait(POLL_SECONDS)


def day(moment: float) -> str:
    """A moment (unix seconds) as a person reads it."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"
