"""What the rows stand on does what it says: the clock, LiveKit's way of sending, the count of the busiest second."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread, local
from typing import Any

import pytest

from tests.faults.calls import call, egress_ended
from tests.faults.clock import Clock
from tests.faults.forgeries import KINDS, forge
from tests.faults.livekit import LiveKit, Notice
from tests.faults.seed import chance
from tests.faults.sender import Sender
from tests.faults.watched_airtable import busiest

BODY = egress_ended(call(chance("harness"), "camille", 1_795_478_435, 12), "recordings")


class Own(local):
    """A clock for each thread: it stands still but for sleepers, and those do not wait."""

    factor = 1.0
    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.0)


@contextmanager
def answering(*statuses: int, now: Callable[[], float] = time.time) -> Generator[tuple[str, list[float]]]:
    """A receiver that answers so, the last one for ever; its address, and when it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(now())
            self.send_response(statuses[min(len(asked), len(statuses)) - 1])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def sent(livekit: LiveKit, *keys: str) -> list[Notice]:
    notices = [livekit.notify(key, BODY) for key in keys]
    while not livekit.idle():
        time.sleep(0.005)
    return notices


def test_the_clock_runs_faster_and_leaps_in_all_processes(tmp_path: Path) -> None:
    clock = Clock.create(tmp_path / "clock", 1000)
    other = Clock(tmp_path / "clock")
    began = clock()
    clock.sleep(100)
    assert 100 <= other() - began < 60_000
    clock.leap(86_400)
    assert 86_500 <= other() - began < 146_400


def test_livekit_tries_five_times_after_a_fault_of_ours(tmp_path: Path) -> None:
    clock = Clock.create(tmp_path / "clock", 20)
    with answering(503, now=clock) as (url, asked):
        [notice] = sent(LiveKit(url, clock), "a")
    assert (notice.outcome, notice.tries) == ("given up", 5)
    for number, at in enumerate((0, 1, 3, 7, 15)):
        assert asked[number] - notice.made_at >= at - 0.1


@pytest.mark.parametrize("status", [400, 401, 404, 501])
def test_livekit_never_sends_again_what_was_refused(tmp_path: Path, status: int) -> None:
    with answering(status, 200) as (url, asked):
        [notice] = sent(LiveKit(url, Clock.create(tmp_path / "clock", 20)), "a")
    assert (notice.outcome, notice.first, len(asked)) == ("refused", status, 1)


def test_livekit_drops_what_waits_for_more_than_half_a_minute() -> None:
    clock: Any = Own()  # of a true one the machine may take more than half a minute
    with answering(503) as (url, _):
        notices = sent(LiveKit(url, clock), "a", "a", "a", "a", "b")
    assert [notice.outcome for notice in notices[:2]] == ["given up", "given up"]
    assert [notice.outcome for notice in notices[3:]] == ["dropped", "given up"]


def test_the_busiest_second_slides() -> None:
    assert busiest([]) == 0
    assert busiest([0.0, 0.44, 0.88, 1.32]) == 3
    assert busiest([0.9, 1.0, 1.1, 1.95, 5.0]) == 3
    assert busiest([0.0, 1.0]) == 1


def test_every_forgery_names_itself_and_is_another_body(tmp_path: Path) -> None:
    now, rng = time.time(), chance("harness")
    forged = [forge(rng, BODY, number, now) for number in range(80)]
    assert all(f"EV_forged-{number}".encode() in body for number, (body, _) in enumerate(forged))
    assert len(KINDS) == 8
    assert {authorization is None for _, authorization in forged} == {True, False}


def test_a_sender_tells_that_nobody_listens(tmp_path: Path) -> None:
    with answering(200) as (url, _):
        pass
    with pytest.raises(ConnectionError):
        Sender(url, Clock.create(tmp_path / "clock", 1)).post(BODY, None)
