"""Plays one real call's data through the local stack: the file, LiveKit's own bytes, the conversation, the link."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import requests
from pyairtable import Api, Table

from scripts.aws_access import Key
from scripts.deployment import Deployment
from scripts.local.call import Call, captured
from scripts.verify.hop import Failed, Hop
from scripts.verify.signing import token

PATIENCE_SECONDS = 60.0
LOGS = "callrec local up, then the log groups of the functions"


class Replay:
    """The hops of one call, in order; each relies on the one before."""

    def __init__(self, deployment: Deployment, call: Call | None = None) -> None:
        self.call = call or captured()
        self._deployment = deployment
        airtable, token = deployment.outputs.airtable, deployment.config["airtableToken"]
        self._table: Table = Api(token, endpoint_url=airtable.url).table(airtable.base, airtable.table)
        self._record = ""
        self._link = ""

    def hops(self) -> list[Hop]:
        """What is tried: upload, webhook, conversation, link."""
        return [
            Hop(id="call.upload", title="a real egress's recording, put with the write-only key", probe=self._upload),
            Hop(
                id="call.webhook",
                title="LiveKit's real webhook, byte for byte, signed now",
                probe=self._announce,
                needs=("call.upload",),
            ),
            Hop(
                id="call.conversation",
                title="the conversation shows the link",
                probe=self._wait,
                needs=("call.webhook",),
            ),
            Hop(
                id="call.plays",
                title="the link plays that recording",
                probe=self._play,
                needs=("call.conversation",),
            ),
        ]

    @property
    def link(self) -> str:
        """The link in the conversation, "" before it is there."""
        return self._link

    def _upload(self) -> str:
        outputs = self._deployment.outputs
        key = Key(access_key_id=outputs.uploader_access_key_id, secret_access_key=outputs.uploader_secret_access_key)
        self._deployment.aws.client("s3", key).put_object(
            Bucket=outputs.bucket, Key=self.call.key, Body=self.call.recording
        )
        return f"{len(self.call.recording)} bytes at {self.call.key}"

    def _announce(self) -> str:
        fields = self._deployment.outputs.airtable.fields
        made = self._table.create(
            {fields["room_name"]: self.call.room_name, fields["started"]: self.call.started.isoformat()}
        )
        self._record = made["id"]
        config = self._deployment.config
        answer = requests.post(
            self._deployment.outputs.webhook_url,
            data=self.call.body,
            headers={
                "Authorization": token(
                    config["livekitApiKey"], config["livekitApiSecret"], self.call.body, datetime.now(UTC)
                ),
                "Content-Type": "application/webhook+json",
                "User-Agent": "LiveKit",
            },
            verify=self._deployment.aws.trust,
            timeout=30,
        )
        if answer.status_code != requests.codes.ok:
            raise Failed(f"answered {answer.status_code}", cause="receive refuses or is faulty", mend=LOGS)
        return f"{len(self.call.body)} bytes, answered {answer.status_code}"

    def _wait(self) -> str:
        name = self._deployment.outputs.airtable.fields["recording_url"]
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            cells: dict[str, Any] = self._table.get(self._record)["fields"]
            if name in cells:
                self._link = cells[name]
                return f"{name} is set"
            time.sleep(0.2)
        raise Failed(f"{name} is empty after {PATIENCE_SECONDS:.0f} s", cause="deliver does not deliver", mend=LOGS)

    def _play(self) -> str:
        played = requests.get(self._link, verify=self._deployment.aws.trust, timeout=30)
        if played.content != self.call.recording:
            raise Failed(
                f"answered {played.status_code} with {len(played.content)} bytes",
                cause="play sends to something else",
                mend=LOGS,
            )
        return f"{len(played.content)} bytes, the same"
