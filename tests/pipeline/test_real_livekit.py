"""A real livekit-server, without egress: a caller is heard in its room, and its webhooks are what we take them for."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from livekit import api, rtc

from infra.functions import livekit_webhook, start_policy
from infra.functions.start_policy import Policy, Skip, Start
from scripts.livekit_access import LiveKit
from scripts.local import livekit_build
from scripts.local.process import Process, free_port
from scripts.verify.hop import Failed
from scripts.verify.live.caller import Caller, token
from scripts.verify.live.room import Room

pytestmark = pytest.mark.pipeline

KEY, SECRET = "APIreal", "a-secret-of-a-real-livekit-server-for-tests"
ROOM = "camille"


@dataclass
class Hooks:
    """Every webhook that came, as it came: body and Authorization."""

    came: list[tuple[bytes, str]] = field(default_factory=list)

    def named(self, event: str) -> list[tuple[bytes, str]]:
        return [(body, token) for body, token in self.came if json.loads(body)["event"] == event]


@dataclass(frozen=True, kw_only=True)
class Real:
    url: str
    hooks: Hooks

    def room(self, name: str = ROOM, secret: str = SECRET) -> Room:
        return Room(livekit=LiveKit(url=self.url, key=KEY, secret=secret), name=name)


@pytest.fixture(scope="module")
def binary() -> Path:
    return livekit_build.find(print)


@pytest.fixture(scope="module")
def real(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder, hooks = tmp_path_factory.mktemp("livekit"), Hooks()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hooks.came.append((self.rfile.read(int(self.headers["Content-Length"])), self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    port, tcp, udp = free_port(), free_port(), free_port()
    config = folder / "livekit.yaml"
    config.touch(mode=0o600)
    config.write_text(
        json.dumps(
            {
                "port": port,
                "bind_addresses": ["127.0.0.1"],
                "keys": {KEY: SECRET},
                "rtc": {"tcp_port": tcp, "udp_port": udp, "node_ip": "127.0.0.1", "use_external_ip": False},
                "webhook": {"api_key": KEY, "urls": [f"http://127.0.0.1:{receiver.server_port}/"]},
            }
        )
    )
    process = Process("livekit-server", [str(binary), "--config", str(config)], folder / "log", {"PATH": "/usr/bin"})
    try:
        process.wait_until(lambda: _listens(port), 120)
        yield Real(url=f"http://127.0.0.1:{port}", hooks=hooks)
    finally:
        process.stop()
        receiver.shutdown()
        receiver.server_close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def hears(url: str, level: int, seconds: float) -> bool:
    """Join as a listener, and tell whether a sample above this level is heard within this time."""
    grants = api.VideoGrants(room_join=True, room=ROOM)
    made = api.AccessToken(KEY, SECRET).with_identity("listener").with_grants(grants).to_jwt()
    room, loud, readers = rtc.Room(), asyncio.Event(), list[asyncio.Task[None]]()

    async def read(track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track):
            if max(map(abs, event.frame.data)) > level:
                loud.set()

    def subscribed(track: rtc.Track, *_: Any) -> None:
        readers.append(asyncio.ensure_future(read(track)))

    room.on("track_subscribed", subscribed)
    await room.connect(url, made)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(loud.wait(), seconds)
    await room.disconnect()
    for reader in readers:
        reader.cancel()
    return loud.is_set()


def test_the_caller_joins_is_heard_and_hangs_up(real: Real) -> None:
    room = real.room()
    sid = room.create(None)
    assert sid.startswith("RM_")
    caller = Caller(url=real.url, token=token(KEY, SECRET, ROOM))
    caller.join()
    assert asyncio.run(hears(real.url, 2000, 60))
    caller.hang_up()
    caller.hang_up()
    room.delete()
    room.delete()
    until = time.monotonic() + 60
    while not real.hooks.named("room_finished") and time.monotonic() < until:
        time.sleep(0.05)
    kinds = [json.loads(body)["event"] for body, _ in real.hooks.came]
    assert {"room_started", "participant_joined", "track_published", "room_finished"} <= set(kinds)


def test_its_webhooks_are_taken_and_start_one_recording_for_the_caller(real: Real) -> None:
    events = [livekit_webhook.verify(body, made, {KEY: SECRET}, time.time()) for body, made in real.hooks.came]
    now = time.time()
    decided = [start_policy.decide(event, Policy(), sent_at=now, now=now) for event in events]
    starts = [decision for decision in decided if isinstance(decision, Start)]
    assert {start.room_name for start in starts} == {ROOM}
    # The caller and the listener: two people, one room session.
    assert (len(starts), len({start.room_id for start in starts})) == (2, 1)
    assert Skip.NOBODY in decided, "the room's beginning alone starts nothing"
    with pytest.raises(livekit_webhook.NotLiveKitError):
        livekit_webhook.verify(real.hooks.came[0][0], real.hooks.came[1][1], {KEY: SECRET}, time.time())


def test_refusals_of_a_real_server_are_explained(real: Real) -> None:
    with pytest.raises(Failed) as failed:
        real.room(secret="another-secret-another-secret-another").create(None)
    assert (failed.value.seen.split(":")[0], "its secret is another" in failed.value.cause) == ("CreateRoom", True)
    with pytest.raises(Failed) as failed:
        real.room().egresses()
    assert "without its egress service" in failed.value.cause


def test_nobody_to_join_is_told_without_the_token(real: Real) -> None:
    secret_token = token(KEY, "another-secret-another-secret-another", ROOM)
    with pytest.raises(Failed) as failed:
        Caller(url=real.url, token=secret_token).join()
    assert "could not join" in failed.value.seen
    assert secret_token not in failed.value.seen
