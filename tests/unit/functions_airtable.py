"""`deliver`'s settings and table, with the Airtable stand-in answering over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from infra.functions.airtable import Airtable, connect
from infra.functions.conversations import Conversations
from infra.functions.matching import Carried, Conversation
from infra.functions.settings import DEFAULT_FIELDS, AirtableSettings, DeliverSettings
from scripts.local.airtable_server import AirtableServer
from tests.unit.functions_support import Clock, recording

WINDOW = timedelta(minutes=10)
LINK = Carried(egress_id="EG_1", room_id="RM_1", duration_s=1.0, ended_at=1.0)


def airtable_settings(server: AirtableServer | None = None, **changes: Any) -> AirtableSettings:
    made: dict[str, Any] = {
        "url": server.url if server else "http://127.0.0.1:9",
        "base": server.base_id if server else "appX",
        "table": server.table if server else "Conversations",
        "fields": DEFAULT_FIELDS,
        "interval_s": 0.4,
    }
    return AirtableSettings(**(made | changes))


def deliver_settings(server: AirtableServer | None = None, **changes: Any) -> DeliverSettings:
    made: dict[str, Any] = {
        "secret_arn": "arn",
        "queue_url": "https://q",
        "dead_letter_url": "https://dlq",
        "bucket": "recordings",
        "prefix": "calls/",
        "play_url": "https://play.example",
        "link_days": 30,
        "match_window_seconds": 600,
        "settle_seconds": 0,
        "airtable": airtable_settings(server),
    }
    return DeliverSettings(**(made | changes))


def conversations(server: AirtableServer, clock: Clock, **changes: Any) -> Conversations:
    """Paced by a sleep that moves the clock; the stand-in itself does not limit here."""
    settings = airtable_settings(server, **changes)

    def sleep(seconds: float) -> None:
        clock.now += seconds

    made = Conversations(Airtable(connect(settings), settings, clock, sleep))
    made.airtable.use_token(server.token)
    return made


def find(table: Conversations, *made: Any) -> list[Conversation]:
    """The candidates for these recordings; a link with "ours" in it is ours."""
    return table.candidates(made or [recording()], WINDOW, lambda url: LINK if "ours" in url else None)


def asked(server: AirtableServer) -> list[tuple[str, str]]:
    """Method and kind of every request so far."""
    return [(entry.method, str(entry.kind)) for entry in server.journal.entries]
