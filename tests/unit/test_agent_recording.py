"""Recording from an agent's process: a real JobContext of livekit-agents, a LiveKit and an Airtable over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import logging
import sys
import time
from collections.abc import AsyncGenerator, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any, cast

import prometheus_client
import pytest
from livekit import api, rtc
from livekit.agents import AgentSession, JobContext
from livekit.agents.testing import fake_job_context
from pyairtable import Api

from scripts.agent import recording
from scripts.agent.recording import counts, start_recording, stop_recording
from scripts.local.airtable_server import AirtableServer
from scripts.local.livekit_server import Fault, LiveKitServer, Outcome

SECRET = "upload-secret-upload-secret"
START, STOP = "StartRoomCompositeEgress", "StopEgress"


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with LiveKitServer(time_scale=0.01) as server:
        yield server


@pytest.fixture(autouse=True)
def counted() -> None:
    recording._counts.clear()
    recording._doubtful.clear()


def environment(livekit: LiveKitServer, **changes: str) -> dict[str, str]:
    return {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        "AWS_ACCESS_KEY": "AKIAEXAMPLE",
        "AWS_SECRET_KEY": SECRET,
        "AWS_BUCKET": "ours",
        "AWS_REGION": "eu-central-1",
    } | changes


@contextlib.asynccontextmanager
async def a_call(livekit: LiveKitServer, *, metadata: str = "") -> AsyncGenerator[JobContext]:
    """A job of livekit-agents in a room that the LiveKit here has."""
    with fake_job_context(room=rtc.Room()) as ctx:
        livekit.add_room(ctx.job.room.name, sid=ctx.job.room.sid, metadata=metadata)
        livekit.join(ctx.job.room.name, "caller", "sip")
        ctx.job.room.metadata = metadata
        yield ctx


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def prometheus(outcome: str) -> float:
    return prometheus_client.REGISTRY.get_sample_value("callrec_recordings_total", {"outcome": outcome}) or 0.0


def test_a_call_is_recorded_and_stopped(livekit: LiveKitServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before = prometheus("started")
    env = environment(livekit, CALLREC_WEBHOOK_URL="https://hook.example", CALLREC_AUDIO_BITRATE="48")

    async def call() -> None:
        async with a_call(livekit) as ctx:
            egress_id = await start_recording(ctx, env)
            (info,) = livekit.recorder.all()
            assert info.egress_id == egress_id
            assert info.room_id == ctx.job.room.sid
            assert info.room_composite.advanced.audio_bitrate == 48
            assert info.room_composite.webhooks[0].signing_key == livekit.api_key
            assert await start_recording(ctx, env) == egress_id
            assert await stop_recording(ctx, egress_id, env)
            livekit.settle()
            assert await stop_recording(ctx, egress_id, env)  # it is over: nothing is wrong with that
            assert await start_recording(ctx, env) not in (None, egress_id)  # asked for again

    run(call())
    assert counts() == {"started": 2, "running": 1, "stopped": 2}
    assert prometheus("started") == before + 2
    assert livekit.journal.count(START) == 2
    for private in (SECRET, livekit.api_secret, "recordings/"):
        assert private not in caplog.text


def test_a_role_stands_before_an_older_key(livekit: LiveKitServer, caplog: pytest.LogCaptureFixture) -> None:
    role = {"CALLREC_UPLOADER_ROLE_ARN": "arn:aws:iam::1:role/r", "CALLREC_UPLOADER_EXTERNAL_ID": "said-and-kept"}

    async def call() -> None:
        async with a_call(livekit) as ctx:
            assert await start_recording(ctx, environment(livekit, **role)) is not None
            upload = livekit.recorder.all()[0].room_composite.file_outputs[0].s3
            assert (upload.assume_role_arn, upload.assume_role_external_id) == (
                "arn:aws:iam::1:role/r",
                "{external_id}",
            )
            assert upload.access_key == ""
            assert await start_recording(ctx, environment(livekit, CALLREC_UPLOADER_ROLE_ARN="arn")) is None

    run(call())
    assert "said-and-kept" not in caplog.text


def test_a_phone_call_s_path_holds_no_name(livekit: LiveKitServer) -> None:
    async def call() -> None:
        async with a_call(livekit) as ctx:
            ctx.room._remote_participants["caller"] = cast("Any", SimpleNamespace(kind=3))
            assert ctx.room.remote_participants["caller"].kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
            await start_recording(ctx, environment(livekit))
            assert livekit.recorder.all()[0].file_results[0].filename.startswith(f"recordings/{ctx.job.room.sid}-")

    run(call())


def test_a_room_that_says_no_is_not_recorded(livekit: LiveKitServer) -> None:
    async def call() -> str | None:
        async with a_call(livekit, metadata='{"record": false}') as ctx:
            return await start_recording(ctx, environment(livekit))

    assert run(call()) is None
    assert livekit.journal.count() == 0
    assert counts() == {"metadata": 1}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(outcome=Outcome.STATUS, status=401, times=None), "livekit_refused"),
        (Fault(outcome=Outcome.STATUS, status=503, times=None), "livekit_unavailable"),
        (Fault(outcome=Outcome.CLOSE, times=None), "livekit_unavailable"),
        (Fault(outcome=Outcome.STATUS, status=400, times=None), "livekit_rejected"),
    ],
)
def test_no_failure_of_livekit_breaks_the_call(
    livekit: LiveKitServer, caplog: pytest.LogCaptureFixture, fault: Fault, reason: str
) -> None:
    before = prometheus(reason)
    livekit.faults.add(fault)

    async def call() -> tuple[str | None, bool]:
        async with a_call(livekit) as ctx:
            return await start_recording(ctx, environment(livekit)), await stop_recording(
                ctx, "EG_1", environment(livekit)
            )

    assert run(call()) == (None, False)
    assert counts() == {reason: 1, f"stop_{reason}": 1}
    assert prometheus(reason) == before + 1
    assert [record.levelname for record in caplog.records if record.name == "callrec"] == ["ERROR", "ERROR"]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("name", ["LIVEKIT_URL", "LIVEKIT_API_SECRET", "AWS_BUCKET", "AWS_REGION", "AWS_SECRET_KEY"])
def test_what_is_missing_is_named(livekit: LiveKitServer, caplog: pytest.LogCaptureFixture, name: str) -> None:
    async def call() -> tuple[str | None, bool]:
        async with a_call(livekit) as ctx:
            env = environment(livekit, **{name: ""})
            return await start_recording(ctx, env), await stop_recording(ctx, "EG_1", env)

    assert run(call()) == (None, False)
    assert name in caplog.text
    assert counts() == {"not_configured": 1, "stop_not_configured": 1}
    assert SECRET not in caplog.text


def test_a_bad_option_is_named(livekit: LiveKitServer, caplog: pytest.LogCaptureFixture) -> None:
    async def call() -> str | None:
        async with a_call(livekit) as ctx:
            return await start_recording(ctx, environment(livekit, CALLREC_FILE_PATH="elsewhere/{room_name}.mp4"))

    assert run(call()) is None
    assert "filePath" in caplog.text


def test_a_recorder_that_does_not_answer_holds_nobody_up(
    livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "LIMIT_SECONDS", 0.3)
    livekit.pace.scale = 1.0
    livekit.faults.add(Fault(outcome=Outcome.STATUS, delay_seconds=22, methods=frozenset({START})))

    async def call() -> str | None:
        async with a_call(livekit) as ctx:
            return await start_recording(ctx, environment(livekit))

    began = time.monotonic()
    assert run(call()) is None
    assert time.monotonic() - began < 22
    assert counts() == {"livekit_unavailable": 1}


def test_what_is_no_context_breaks_nothing() -> None:
    assert run(start_recording(cast("Any", object()), {})) is None
    assert run(stop_recording(cast("Any", object()), None, {})) is False
    assert run(stop_recording(cast("Any", object()), "EG_1", {})) is False
    assert counts() == {"fault": 1, "stop_fault": 2}


def test_without_prometheus_counting_goes_on(livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_prometheus", functools.cache(recording._prometheus.__wrapped__))
    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    async def call() -> str | None:
        async with a_call(livekit) as ctx:
            return await start_recording(ctx, environment(livekit))

    assert run(call()) is not None
    assert counts() == {"started": 1}


def noted(airtable: AirtableServer) -> list[dict[str, Any]]:
    table = Api(airtable.token, endpoint_url=airtable.url).table(airtable.base_id, airtable.table)
    return [row["fields"] for row in table.all()]


class TestExample:
    """examples/medical_agent.py runs its entrypoint."""

    @pytest.fixture
    def airtable(self) -> Iterator[AirtableServer]:
        with AirtableServer() as made:
            made.rate_limit.enabled = False
            yield made

    @pytest.fixture
    def agent(self, livekit: LiveKitServer, airtable: AirtableServer, monkeypatch: pytest.MonkeyPatch) -> Any:
        for name, value in environment(livekit).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AIRTABLE_TOKEN", airtable.token)
        monkeypatch.setenv("AIRTABLE_BASE", airtable.base_id)
        monkeypatch.setenv("AIRTABLE_TABLE", airtable.table)
        monkeypatch.setenv("AIRTABLE_URL", airtable.url)
        return importlib.import_module("examples.medical_agent")

    @staticmethod
    def call(agent: Any, livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
        """The room's id, and what was asked of the model; there is none to ask, so the greeting is caught."""
        greetings: list[str] = []

        async def run_it() -> str:
            async with a_call(livekit) as ctx:
                session = AgentSession[None]()
                monkeypatch.setattr(agent, "models", lambda: session)
                session.generate_reply = cast("Any", lambda *, instructions: greetings.append(instructions))
                await agent.entrypoint(ctx)
                answer = await session.current_agent.do_not_record()  # pyright: ignore[reportAttributeAccessIssue]
                greetings.append(answer)
                await session.aclose()
                return str(ctx.job.room.sid)

        return run(run_it()), greetings

    def test_a_call_is_recorded_noted_and_stopped_when_the_caller_asks(
        self, agent: Any, livekit: LiveKitServer, airtable: AirtableServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        room_id, said = self.call(agent, livekit, monkeypatch)
        (info,) = livekit.recorder.all()
        (row,) = noted(airtable)
        assert row["room_id"] == room_id
        assert row["egress_id"] == info.egress_id
        assert "audio_recording_url" not in row
        assert "recorded" in said[0]
        assert said[1] == "The recording has stopped."
        assert livekit.journal.count(STOP) == 1

    def test_without_livekit_s_egress_the_call_goes_on(
        self, agent: Any, livekit: LiveKitServer, airtable: AirtableServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        livekit.faults.add(Fault(outcome=Outcome.NO_EGRESS, times=None))
        room_id, said = self.call(agent, livekit, monkeypatch)
        (row,) = noted(airtable)
        assert row["room_id"] == room_id
        assert "egress_id" not in row
        assert said[0].startswith("Greet")

    def test_without_airtable_the_call_goes_on(
        self,
        agent: Any,
        livekit: LiveKitServer,
        airtable: AirtableServer,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        airtable.stop()
        self.call(agent, livekit, monkeypatch)
        assert livekit.journal.count(START) == 1
        assert "could not be noted" in caplog.text


def test_what_somebody_else_began_is_stopped_too(livekit: LiveKitServer) -> None:
    """A rule records the call although the agent could not start: who does not want that is not recorded on."""

    async def call() -> bool:
        async with a_call(livekit) as ctx:
            assert await start_recording(ctx, environment(livekit)) is not None
            stopped = await stop_recording(ctx, None, environment(livekit))
            livekit.settle()
            return stopped

    assert run(call()) is True
    (info,) = livekit.recorder.all()
    assert info.status in (api.EgressStatus.EGRESS_COMPLETE, api.EgressStatus.EGRESS_ABORTED)


def test_a_start_without_an_answer_is_not_called_stopped(
    livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    livekit.faults.add(Fault(outcome=Outcome.CLOSE, delay_seconds=300, methods=frozenset({START})))
    monkeypatch.setattr(recording, "LIMIT_SECONDS", 0.5)

    async def call() -> tuple[str | None, bool]:
        async with a_call(livekit) as ctx:
            started = await start_recording(ctx, environment(livekit))
            monkeypatch.setattr(recording, "LIMIT_SECONDS", 12.0)
            return started, await stop_recording(ctx, started, environment(livekit))

    assert run(call()) == (None, False)
    assert counts()["stop_doubtful"] == 1
