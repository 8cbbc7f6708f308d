"""A run along one live call."""

from __future__ import annotations

import time
from importlib.util import find_spec

from infra.functions.start_policy import Policy
from scripts import egress_settings
from scripts.dead_letters.queue import depth
from scripts.deployment import Deployment
from scripts.errors import UsageError
from scripts.livekit_access import LiveKit
from scripts.verify import airtable, livekit_key
from scripts.verify.airtable import Conversations
from scripts.verify.cleanup import Cleanup
from scripts.verify.hop import OnResult, OnStart, Result
from scripts.verify.journey import Journey
from scripts.verify.live.arrivals import Arrivals
from scripts.verify.live.caller import Caller, token
from scripts.verify.live.journey import LiveCall
from scripts.verify.live.room import Room
from scripts.verify.probe import Probe, inside
from scripts.verify.run import along, leftovers, reach

#: The log's clock and ours may differ that much.
SKEW_SECONDS = 5.0
#: On a stack where others call the queue may never be empty.
LAST_EVENTS_SECONDS = 15.0


def run(deployment: Deployment, *, on_result: OnResult, on_start: OnStart = lambda _: None) -> list[Result]:
    """Call once for real, and remove what the call left.

    Raises StackError when the stack knows no LiveKit or AWS cannot be reached, UsageError without the client's
    libraries, Interrupted on SIGINT and SIGTERM.
    """
    if missing := [name for name in ("livekit.rtc", "av") if find_spec(name) is None]:
        raise UsageError(f"--live needs {' and '.join(missing)}. Run: pip install -e '.[live]'")
    reach(deployment)
    table = Conversations.of(deployment)
    call = live_call(deployment, table)
    cleanup = Cleanup.of(deployment, table)
    hops = [leftovers(cleanup), *livekit_key.hops(deployment), *airtable.hops(table), *call.hops()]

    def put_away() -> str:
        try:
            call.put_away()
        finally:  # whatever LiveKit says
            _let_through(deployment)
            removed = cleanup.everything(waiting=True)
        return removed

    return along(hops, put_away, on_start=on_start, on_result=on_result)


def _let_through(deployment: Deployment) -> None:
    """Give LiveKit's last events time to be dealt with: once their conversation is gone they would wait for hours."""
    sqs, until = deployment.aws.client("sqs"), time.monotonic() + LAST_EVENTS_SECONDS
    time.sleep(1)
    while depth(sqs, deployment.outputs.queue_url) and time.monotonic() < until:
        time.sleep(0.5)


def live_call(deployment: Deployment, table: Conversations) -> LiveCall:
    """A call that has not begun; nothing is asked yet. Raises StackError when the stack knows no LiveKit."""
    outputs, config = deployment.outputs, deployment.config
    livekit = LiveKit.required(deployment.stack, config)
    probe = Probe.new(outputs.prefix)
    return LiveCall(
        room=Room(livekit=livekit, name=probe.room),
        caller=Caller(url=livekit.url, token=token(livekit.key, livekit.secret, probe.room)),
        journey=Journey.of(deployment, probe, table),
        arrivals=Arrivals(
            logs=deployment.aws.client("logs"), group=outputs.log_groups["receive"], since=time.time() - SKEW_SECONDS
        ),
        egress=egress_settings.of(deployment, folder=inside("")),
        policy=Policy.of(config.get("recordInclude", ""), config.get("recordExclude", ""))
        if config.get("recordRooms") == "true"
        else None,
        s3=deployment.aws.client("s3"),
        bucket=outputs.bucket,
        lock=outputs.bucket_settings.get("objectLock") or "none",
        trust=deployment.aws.trust,
    )
