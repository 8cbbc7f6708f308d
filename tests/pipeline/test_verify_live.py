"""`callrec verify --live` on the local stack: the caller is made up, everything behind LiveKit's API is real.

Each planted fault is found by its row, and nothing of a call is left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.deployment import Deployment
from scripts.local.livekit_server import Fault, LiveKitServer, Outcome
from scripts.verify.airtable import Conversations
from scripts.verify.hop import Outcome as Ended
from scripts.verify.hop import Result
from scripts.verify.live import journey, run
from scripts.verify.live.journey import LiveCall
from tests.pipeline.calls import depth
from tests.pipeline.conftest import Local
from tests.pipeline.test_verify import bucket_of, conversations
from tests.unit.live_support import HereCaller, silence

pytestmark = pytest.mark.pipeline

CALL = Path(__file__).parent.parent / "recordings" / "call1.mp4"


@pytest.fixture
def livekit(local: Local) -> Iterator[LiveKitServer]:
    """The stack's LiveKit, whose egress records a real recording of 11.8 s whatever is said."""
    local.livekit.recorder.recording, local.livekit.recorder.seconds = CALL.read_bytes(), 11.8
    yield local.livekit
    local.livekit.recorder.recording = local.livekit.recorder.seconds = None
    local.livekit.faults.clear()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller speaks for a moment, and twelve seconds are heard; no row gives up because the machine is busy."""
    for name, seconds in {
        "SPEAK_SECONDS": 0.5,
        "START_SECONDS": 120.0,
        "END_SECONDS": 120.0,
        "ANNOUNCE_SECONDS": 120.0,
        "POLL_SECONDS": 0.1,
    }.items():
        monkeypatch.setattr(journey, name, seconds)
    spoken = journey.causes.judged

    def judged(sound: Any, **lengths: float) -> str:
        return spoken(sound, **(lengths | {"spoken": 12.0}))

    monkeypatch.setattr(journey.causes, "judged", judged)


def called(
    local: Local,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[LiveCall], None] = lambda _: None,
    *,
    publish: bool = True,
) -> dict[str, Result]:
    """The rows of one live call, whose caller needs no network."""
    real = run.live_call

    def live_call(deployment: Deployment, table: Conversations) -> LiveCall:
        call = real(deployment, table)
        call.caller = HereCaller(url="", token="", server=local.livekit, room=call.room.name, publish=publish)
        change(call)
        return call

    monkeypatch.setattr(run, "live_call", live_call)
    return {result.id: result for result in run.run(local.deployment, on_result=lambda _: None)}


def failing(results: dict[str, Result]) -> list[str]:
    return [name for name, result in results.items() if result.outcome is Ended.FAILED]


def test_a_call_goes_the_whole_way_and_leaves_nothing(
    local: Local, livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects, records = bucket_of(local), conversations(local)
    results = called(local, monkeypatch)
    assert {name: result.seen for name, result in results.items() if result.outcome is not Ended.OK} == {}
    assert results["live.heard"].seen == "aac, 11.8 s, 12 s with sound"
    assert "asks for its recording" in results["live.room"].seen
    assert bucket_of(local).keys() == objects.keys()
    assert conversations(local) == records
    assert [room for room in livekit.rooms.all() if room.info.name.startswith("callrec-verify")] == []
    assert depth(local, local.deployment.outputs.dead_letter_queue_url) == 0


def no_egress(call: LiveCall, livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.NO_EGRESS, times=None))


def wrong_upload_key(call: LiveCall, livekit: LiveKitServer) -> None:
    call.egress = replace(call.egress, secret_access_key="wrong")


def endless(call: LiveCall, livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.ENDLESS, methods=frozenset({"CreateRoom"})))


def silent(call: LiveCall, livekit: LiveKitServer) -> None:
    livekit.recorder.recording, livekit.recorder.seconds = silence(12), 12.0


def shorter(call: LiveCall, livekit: LiveKitServer) -> None:
    livekit.recorder.seconds = 14.0


def unknown_key(call: LiveCall, livekit: LiveKitServer) -> None:
    options = replace(call.egress.options, signing_key="APIunknown")
    call.egress = replace(call.egress, options=options)


def refused_key(call: LiveCall, livekit: LiveKitServer) -> None:
    call.room = replace(call.room, livekit=replace(call.room.livekit, secret="another-secret-another-secret-another"))


FAULTS = [
    (no_egress, "live.started", "no egress is running"),
    (wrong_upload_key, "live.ended", "S3 refused the upload"),
    (endless, "live.ended", "the egress host died"),
    (silent, "live.heard", "did not get through"),
    (shorter, "live.heard", "the file is cut"),
    (unknown_key, "live.announced", "does not know an API key of this name"),
    (refused_key, "live.room", "its secret is another"),
]


#: What is waited for in vain, and so not long.
IN_VAIN = {no_egress: "START_SECONDS", endless: "END_SECONDS", unknown_key: "ANNOUNCE_SECONDS"}


@pytest.mark.parametrize(("plant", "row", "likely"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_each_fault_is_found_by_its_row(  # noqa: PLR0917
    local: Local, livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch, plant: Any, row: str, likely: str
) -> None:
    if plant in IN_VAIN:
        monkeypatch.setattr(journey, IN_VAIN[plant], 4.0)
    urls = list(livekit.webhooks.urls)
    if plant is unknown_key:
        livekit.webhooks.urls.clear()  # the project's own webhook would bring the events all the same
    try:
        results = called(local, monkeypatch, lambda call: plant(call, livekit))
    finally:
        livekit.webhooks.urls[:] = urls
    assert failing(results)[0] == row
    assert likely in results[row].cause
    assert [
        room for room in livekit.rooms.all() if room.info.name.startswith("callrec-verify")
    ] == [] or plant is refused_key


def test_a_caller_who_publishes_nothing_is_told(
    local: Local, livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey, "START_SECONDS", 4.0)
    results = called(local, monkeypatch, publish=False)
    assert failing(results)[0] == "live.started"
    assert "still starting" in results["live.started"].seen
