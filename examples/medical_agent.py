"""A phone agent for a doctor's office that records its calls and notes each one in Airtable.

    pip install -e '.[agent]'
    python examples/medical_agent.py dev

The environment: what `callrec env` writes, and AIRTABLE_TOKEN, AIRTABLE_BASE and, unless it is called Conversations,
AIRTABLE_TABLE. The conversation is noted with its room id while the call lasts: by that `deliver` finds it, seconds
after the call, and puts the link into `audio_recording_url`, which is empty until the recording is there.
"""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import UTC, datetime
from typing import Any

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli, function_tool
from pyairtable import Api

from scripts.agent.recording import start_recording, stop_recording

#: The greeting waits this long for the recording, to be on it; a call does not wait for a recorder that is away.
GREETING_SECONDS = 2.0

log = logging.getLogger("medical-agent")
server = AgentServer()


class Receptionist(Agent):
    """Books visits; stops the recording for callers who do not want one."""

    def __init__(self, ctx: JobContext, recording: asyncio.Task[str | None]) -> None:
        super().__init__(
            instructions=(
                "You answer the phone of Dr. Fillion's office and book visits. Be short and kind. Say at the beginning "
                "that the call is recorded. When the caller does not want that, use stop_recording."
            )
        )
        self._ctx, self._recording = ctx, recording

    @function_tool(name="stop_recording")
    async def do_not_record(self) -> str:
        """The caller does not want to be recorded."""
        stopped = await stop_recording(self._ctx, await self._recording)
        return "The recording has stopped." if stopped else "The recording could not be stopped: offer to call back."


def models() -> AgentSession[None]:
    """What hears, thinks and speaks, by LiveKit's own inference; take the models you know."""
    return AgentSession(stt="deepgram/nova-3-medical", llm="openai/gpt-5-mini", tts="cartesia/sonic-3")


@server.rtc_session(agent_name="medical-agent")
async def entrypoint(ctx: JobContext) -> None:
    """One call."""
    await ctx.connect()
    recording = asyncio.create_task(start_recording(ctx))
    session = models()
    await session.start(agent=Receptionist(ctx, recording), room=ctx.room)
    await asyncio.wait({recording}, timeout=GREETING_SECONDS)
    session.generate_reply(instructions="Greet the caller, and say that the call is recorded.")
    await note(ctx, await recording)


async def note(ctx: JobContext, egress_id: str | None) -> None:
    """Write the conversation down; without it the recording would wait for one."""
    conversation: dict[str, Any] = {
        "room_name": ctx.room.name or ctx.job.room.name,
        "room_id": ctx.job.room.sid,
        "egress_id": egress_id,
        "started_at": datetime.now(UTC).isoformat(),
        "audio_recording_url": None,
    }
    try:
        await asyncio.to_thread(_create, conversation)
    except Exception:  # the call goes on, whatever it is
        log.exception("the conversation could not be noted", extra={"room_id": ctx.job.room.sid})


def _create(conversation: dict[str, Any]) -> None:
    api = Api(os.environ["AIRTABLE_TOKEN"], endpoint_url=os.environ.get("AIRTABLE_URL", "https://api.airtable.com"))
    api.table(os.environ["AIRTABLE_BASE"], os.environ.get("AIRTABLE_TABLE", "Conversations")).create(conversation)


if __name__ == "__main__":
    cli.run_app(server)
