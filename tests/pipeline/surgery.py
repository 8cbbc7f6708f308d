"""A recording that stands in a conversation, and what the practice does with its link."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import requests
from pyairtable import Api
from rich.console import Console
from typer.testing import CliRunner, Result

from infra.functions.links import Links
from infra.functions.pages import page
from scripts.deployment import Deployment
from scripts.link.command import app
from tests.pipeline.conftest import Local
from tests.pipeline.test_dead_letters import Opened
from tests.unit.functions_support import recording

StorageClass: TypeAlias = Literal["STANDARD", "DEEP_ARCHIVE"]

DAY = 86_400
CONTENT = b"what was said in the surgery"


@dataclass(frozen=True, kw_only=True)
class Surgery:
    """A recording of its own, the conversation it stands in, and the operator's commands."""

    local: Local
    egress: str
    version: str
    record: str

    @property
    def key(self) -> str:
        return f"calls/{self.egress}.mp4"

    @property
    def cells(self) -> dict[str, Any]:
        return self.local.airtable.read(self.record)

    @property
    def link(self) -> str:
        return self.cells["audio_recording_url"]

    def run(self, *arguments: str, given: str | None = None, json_too: bool = True) -> Result:
        opened = Opened(stack="local", console=Console(stderr=True), opened=self.local.deployment)
        words = [*arguments, *(["--json"] if json_too else []), "--stack", "local"]
        done = CliRunner().invoke(app, words, obj=opened, input=given)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def told(self, *arguments: str, code: int = 0, given: str | None = None) -> dict[str, Any]:
        done = self.run(*arguments, given=given)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def get(self, url: str | None = None) -> requests.Response:
        return requests.get(url or self.link, verify=self.local.services.ca_bundle, timeout=30)

    def shows(self, name: str, url: str | None = None) -> None:
        answer, wanted = self.get(url), page(name)
        assert (answer.status_code, answer.text) == (wanted["statusCode"], wanted["body"])


def signed(deployment: Deployment, egress: str, key: str, version: str, *, lifetime_s: int, age_s: int = 60) -> str:
    """A link as `deliver` wrote it a while ago."""
    made = recording(egress_id=egress, key=key, room_id=f"RM_{egress}")
    then = time.time() - age_s
    links = Links([deployment.config["linkSigningKey"]], lambda: then)
    return f"{deployment.outputs.play_url}/r/{links.issue(made, version, lifetime_s=lifetime_s)}"


def table(local: Local) -> Any:
    api = Api(local.services.airtable_token, endpoint_url=local.services.airtable_url)
    return api.table(local.services.airtable_base, local.services.airtable_table)


def surgery_of(
    local: Local, egress: str, *, lifetime_s: int, content: bytes = CONTENT, storage_class: StorageClass = "STANDARD"
) -> Surgery:
    """A recording in the bucket, and a conversation with a link to it as `deliver` wrote it a minute ago."""
    key = f"calls/{egress}.mp4"
    s3, bucket = local.deployment.aws.client("s3"), local.deployment.outputs.bucket
    version = s3.put_object(Bucket=bucket, Key=key, Body=content, StorageClass=storage_class)["VersionId"]
    link = signed(local.deployment, egress, key, version, lifetime_s=lifetime_s)
    cells = {"room_name": egress, "room_id": f"RM_{egress}", "egress_id": egress, "audio_recording_url": link}
    record = local.airtable.seed({**cells, "started_at": datetime.now(UTC).isoformat()})
    return Surgery(local=local, egress=egress, version=version, record=record)
