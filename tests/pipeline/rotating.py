"""Rotations on the local stack, in this process or in one that is killed; and calls that go on meanwhile.

The functions keep a copy of their secret for minutes: instead of waiting, their processes are ended, as if the time had
passed.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from livekit import api

from infra.functions.secret import HARD_SECONDS
from infra.package import ROOT
from scripts.deployment import Deployment
from scripts.livekit_access import CREATE_ROOM, LiveKit
from scripts.local import stack
from scripts.local.engine.find import find
from scripts.local.services import Services
from scripts.rotate import waiting
from scripts.rotate.ground import Ground, StackGround
from scripts.rotate.steps import Machine, Report, Rotation
from scripts.rotate.uploader import UploaderRotation, Wish
from tests.pipeline.calls import wait_for
from tests.pipeline.conftest import Local

RECORDING = (ROOT / "tests" / "recordings" / "call1.mp4").read_bytes()
RULE = "SDR_phone"
PATIENCE = 240.0
PAUSE = 4.0
BREATH = 2.0


def patient(folder: str, ground: Ground, since: float, seconds: float = HARD_SECONDS) -> None:
    """In place of `waiting.functions`: what takes minutes is brought about, what takes seconds is waited for."""
    assert isinstance(ground, StackGround)
    if seconds < HARD_SECONDS:
        _functions(ground, since, seconds)
    else:
        forget_copies(folder, ground.deployment())


def forget_copies(folder: str, deployment: Deployment) -> None:
    """End the processes of `deliver` and `play` of the stack whose services keep their data in `folder`.

    AWS lets what is being done end first; here `deliver`, whose messages would come again only minutes later, is given
    nothing for a moment.
    """
    client: Any = deployment.aws.client("lambda")
    mapping = deployment.outputs.deliver_mapping
    client.update_event_source_mapping(UUID=mapping, Enabled=False)
    time.sleep(BREATH)
    for part in ("deliver", "play"):
        _end(folder, deployment.outputs.functions[part])
    client.update_event_source_mapping(UUID=mapping, Enabled=True)


def _end(folder: str, function: str) -> None:
    """Kill the emulator's processes of a function: what changes its configuration does not end those at a queue."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it is gone
            continue
        if folder in words and f"ministack-lambda-{function}-" in words:
            os.kill(int(process.name), signal.SIGKILL)


def without_waiting(services: Services) -> None:
    """Time is one's own, and clocks agree."""
    waiting.functions = partial(patient, services.folder)
    waiting.SKEW_SECONDS = 5.0


def rotated(
    services: Services, engine: Any, make: Callable[[StackGround], Rotation], hear: Callable[[str], None]
) -> Report:
    """One run of a rotation; `hear` hears how far it is."""
    handle = stack.handle(services, engine)
    with handle.engine() as opened:
        ground = StackGround(handle=handle, stack=opened, tell=hear)
        return Machine(stack="local", settings=ground.settings, say=hear).run(make(ground))


def uploader(ground: StackGround) -> Rotation:
    """Without a time in which the old key could be brought back."""
    return UploaderRotation(ground=ground, wish=Wish(grace=0.0, copies_replaced=True))


_functions = waiting.functions


@dataclass
class Calls:
    """Calls that come in and end, one after the other in each of two ways, for the length of a `with` block.

    By a dispatch rule the room is made with the rule's egress as it stands then; else `deliver` starts the recording.
    """

    local: Local
    records: dict[str, str] = field(default_factory=dict[str, str])
    failed: list[str] = field(default_factory=list[str])
    _stop: threading.Event = field(default_factory=threading.Event)
    _numbers: Any = field(default_factory=itertools.count)

    def begin(self, *, by_rule: bool) -> str:
        """Somebody calls; the room's name, once it is recorded."""
        livekit, name = self.local.livekit, f"call-{next(self._numbers)}-{id(self):x}"
        if by_rule:
            egress = livekit.sip._rules[RULE].room_config.egress
            known = LiveKit.of(self.local.deployment.config)
            assert known is not None
            request = api.CreateRoomRequest(name=name, egress=egress)
            known = LiveKit(url=known.url, key=self.local.livekit.api_key, secret=self.local.livekit.api_secret)
            known.ask(CREATE_ROOM, lambda client: client.room.create_room(request))
        livekit.join(name, "caller", "sip")
        room_id = livekit.rooms.get(name).info.sid
        self.records[name] = self.local.airtable.seed({"room_name": name, "room_id": room_id})
        wait_for(lambda: livekit.rooms.get(name).shown().active_recording, f"a recording of {name}", PATIENCE)
        return name

    def end(self, name: str) -> None:
        """They hang up."""
        self.local.livekit.leave(name, "caller")

    @contextmanager
    def going_on(self) -> Generator[Calls]:
        """Both ways, each in a thread of its own."""
        self._stop.clear()
        threads = [threading.Thread(target=self._call, kwargs={"by_rule": way}, daemon=True) for way in (True, False)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(PATIENCE * 2)

    def _call(self, *, by_rule: bool) -> None:
        while not self._stop.is_set():
            try:
                self.end(self.begin(by_rule=by_rule))
            except Exception as error:  # noqa: BLE001 -- told by the test
                self.failed.append(f"{type(error).__name__}: {error}")
            self._stop.wait(PAUSE)  # the emulator's functions are slow: a practice has fewer calls

    def link(self, name: str) -> str:
        """A call's link, once it is there."""
        cells = wait_for(lambda: self._linked(name), f"the link of {name}", PATIENCE)
        return cells["audio_recording_url"]

    def hold(self) -> None:
        """Every call was recorded, stored and linked, and every event was accepted."""
        livekit = self.local.livekit
        assert self.failed == []
        wait_for(lambda: len(ended := self._ended()) == len(self.records) and ended, "the end of the calls", PATIENCE)
        livekit.settle(PATIENCE)
        lost = [info for info in self._ended() if info.status != api.EgressStatus.EGRESS_COMPLETE]
        assert not lost, [(info.room_name, info.error) for info in lost]
        for sent in livekit.webhooks.sent:
            assert sent.tries, f"dropped: {sent}"
            assert sent.tries[-1] == 200, f"refused or lost: {sent}"
        for name in self.records:
            self.link(name)

    def _ended(self) -> list[api.EgressInfo]:
        return [info for info in self.local.livekit.recorder.all() if info.room_name in self.records and info.ended_at]

    def _linked(self, name: str) -> dict[str, Any] | None:
        cells = self.local.airtable.read(self.records[name])
        return cells if "audio_recording_url" in cells else None


def main() -> None:
    """Run `rotate uploader` on the stack of the services in a file, to be killed from outside."""
    services = Services.load(Path(sys.argv[1]))
    without_waiting(services)

    def tell(words: str) -> None:
        print(words, file=sys.stderr, flush=True)  # noqa: T201 -- whoever kills this listens

    rotated(services, find(tell), uploader, tell)


if __name__ == "__main__":
    main()
