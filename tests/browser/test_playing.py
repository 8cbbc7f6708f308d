"""A link in a real browser: it plays, and whoever listens may jump."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import av
import pytest
from playwright.sync_api import Browser, Page, Response

from infra.package import ROOT
from tests.pipeline.conftest import Local
from tests.pipeline.surgery import DAY, surgery_of

pytestmark = pytest.mark.browser

#: What a real LiveKit egress recorded: 12 seconds of AAC.
RECORDING = (ROOT / "tests" / "recordings" / "call1.mp4").read_bytes()
TIMES = 40


@pytest.fixture(scope="module")
def long_call() -> bytes:
    """The same sound forty times over, as egress would have packed it: more than a browser fetches at once."""
    packed = io.BytesIO()
    with av.open(io.BytesIO(RECORDING), "r") as source, av.open(packed, "w", format="mp4") as target:
        stream: Any = source.streams.audio[0]
        copied = target.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.dts is not None]
        for turn in range(TIMES):
            for packet in packets:
                again: Any = av.Packet(bytes(packet))
                again.stream, again.time_base = copied, packet.time_base
                again.pts, again.dts = (moment + turn * stream.duration for moment in (packet.pts, packet.dts))
                again.duration = packet.duration
                target.mux(again)
    return packed.getvalue()


@dataclass(frozen=True, kw_only=True)
class Player:
    """What the browser shows of a recording, and what it asked for."""

    page: Page
    answers: list[Response]

    def until(self, condition: str) -> None:
        """Wait until this holds of the player `v`."""
        self.page.wait_for_function(f"() => {{ const v = document.querySelector('video, audio'); return {condition} }}")

    def has(self, expression: str) -> Any:
        return self.page.evaluate(f"() => {{ const v = document.querySelector('video, audio'); return {expression} }}")

    def ranges(self) -> list[int]:
        """Where the parts began that S3 answered with 206."""
        headers = [answer.headers for answer in self.answers if answer.status == 206]
        return [int(header["content-range"].removeprefix("bytes ").partition("-")[0]) for header in headers]


def opened(browser: Browser, link: str) -> Player:
    # The local stack's certificates are of an authority of its own.
    page = browser.new_context(ignore_https_errors=True).new_page()
    page.set_default_timeout(120_000)
    player = Player(page=page, answers=[])
    page.on("response", lambda answer: player.answers.append(answer))  # noqa: PLW0108 -- playwright marks what it is given
    page.goto(link, wait_until="commit")
    return player


def test_a_recording_plays_and_jumps(local: Local, browser: Browser) -> None:
    made = surgery_of(local, "EG_browser", lifetime_s=DAY, content=RECORDING)
    player = opened(browser, made.link)
    player.until("v !== null && v.readyState >= 3")
    assert player.has("v.duration") == pytest.approx(11.8, abs=0.1)
    assert player.has("v.play().then(() => true)")
    player.until("v.currentTime > 0.5")
    player.has("v.currentTime = 9")
    player.until("!v.seeking && v.currentTime > 9.3")
    assert player.has("v.error") is None
    assert player.answers[0].status == 302
    assert player.ranges()[0] == 0
    player.page.context.close()


def test_a_jump_in_a_long_call_fetches_just_what_is_heard(local: Local, browser: Browser, long_call: bytes) -> None:
    made = surgery_of(local, "EG_long", lifetime_s=DAY, content=long_call)
    player = opened(browser, made.link)
    player.until("v !== null && v.readyState >= 3")
    duration = player.has("v.duration")
    assert duration == pytest.approx(TIMES * 11.8, rel=0.01)
    player.has("v.pause()")
    player.has(f"v.currentTime = {duration * 0.7}")
    player.until("!v.seeking && v.readyState >= 3")
    assert player.has("v.play().then(() => true)")
    player.until(f"v.currentTime > {duration * 0.7 + 0.5}")
    assert max(player.ranges()) > len(long_call) // 2
    # The parts come from S3: our function is asked once for the link, however often somebody jumps.
    assert [answer.status for answer in player.answers if "/r/" in answer.url] == [302]
    player.page.context.close()
