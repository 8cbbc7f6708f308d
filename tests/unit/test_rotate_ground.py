"""What rotations see and do in AWS and LiveKit, and in the stack's configuration."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from livekit import api
from pulumi import automation
from pulumi.automation import ConfigValue

from infra.functions.egress import room_egress
from scripts import egress_settings
from scripts.configure.keeping import StackKeeper
from scripts.configure.sip import Sip
from scripts.deployment import Deployment, StackHandle
from scripts.errors import UnfinishedError
from scripts.local.livekit_server import LiveKitServer
from scripts.rotate import settings as notes
from scripts.rotate.ground import ACCESS_KEY, StackGround
from scripts.rotate.settings import StackSettings
from scripts.rotate.state import State
from scripts.teardown.engine import Engine
from tests.unit.configure_support import access, rule, server, stored
from tests.unit.stack_support import FakeStack, World, world
from tests.unit.verify_support import BUCKET, FakeClient, refusal

NS = 1_000_000_000


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with server() as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, livekit: LiveKitServer) -> World:
    return world(tmp_path, monkeypatch, livekit)


def ground(stack: World, **changes: Any) -> StackGround:
    handle: StackHandle = stack.handle()
    opened: Any = stack.stack
    return StackGround(handle=handle, stack=opened, tell=lambda _: None, **changes)


def keys(*names: str) -> FakeClient:
    return FakeClient(
        list_access_keys={"AccessKeyMetadata": [{"AccessKeyId": name} for name in names]}, delete_access_key={}
    )


def test_only_keys_that_nobody_knows_are_removed(stack: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.aws.clients["iam"] = keys("AKIAheld", "AKIAold", "AKIAstray")
    resources = [{"type": ACCESS_KEY, "id": "AKIAheld"}, {"type": "aws:iam/user:User", "id": "AKIAstray"}]
    monkeypatch.setattr(Engine, "state", lambda _: {"resources": resources})
    ground(stack).remove_strays(["AKIAold"])
    [removed] = stack.aws.clients["iam"].called("delete_access_key")
    assert removed == {"UserName": "callrec-unit-uploader", "AccessKeyId": "AKIAstray"}


def test_a_use_is_in_unix_seconds_and_none_is_none(stack: World) -> None:
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    answers: list[Any] = [{"AccessKeyLastUsed": {"LastUsedDate": moment}}, {"AccessKeyLastUsed": {"Region": "N/A"}}]
    stack.aws.clients["iam"] = FakeClient(get_access_key_last_used=lambda **_: answers.pop(0))  # pyright: ignore[reportUnknownLambdaType]
    assert ground(stack).last_used("AKIA") == moment.timestamp()
    assert ground(stack).last_used("AKIA") is None


def test_an_upload_waits_for_a_new_key_and_leaves_nothing(stack: World) -> None:
    clock = iter(range(1000))
    tries = [refusal("AccessDenied"), refusal("AccessDenied"), None]

    def put(**_: Any) -> Any:
        error = tries.pop(0)
        if error is not None:
            raise error
        return {}

    stack.aws.uploader = FakeClient(put_object=put)
    stack.aws.clients["s3"] = FakeClient(
        list_object_versions={"Versions": [{"Key": "calls/x", "VersionId": "1"}]}, delete_object={}
    )
    made = ground(stack, clock=lambda: float(next(clock)), sleep=lambda _: None)
    made.probe()
    assert tries == []
    assert stack.aws.clients["s3"].called("delete_object")[0]["VersionId"] == "1"


def test_a_new_key_that_cannot_upload_ends_the_run(stack: World) -> None:
    clock = iter(range(0, 10_000, 20))
    stack.aws.uploader = FakeClient(put_object=refusal("AccessDenied", "PutObject"))
    made = ground(stack, clock=lambda: float(next(clock)), sleep=lambda _: None)
    with pytest.raises(UnfinishedError, match="PutObject: AccessDenied"):
        made.probe()


def attached(stack: World, livekit: LiveKitServer) -> None:
    """One rule that callrec configured, one of somebody else into our bucket, one without a recording."""
    livekit.add_dispatch_rule(rule("ours", 1))
    keeper = StackKeeper(engine=stack.handle().engine)
    sip = Sip(livekit=access(livekit), keeper=keeper)
    deployment = Deployment.of(stack.handle())
    sip.attach(sip.attaching(egress_settings.of(deployment), oust=False))
    theirs = room_egress(egress_settings.of(deployment))
    theirs.room.file_outputs[0].filepath = "calls/theirs-{time}.mp4"
    livekit.add_dispatch_rule(rule("theirs", 2, room_config=api.RoomConfiguration(egress=theirs)))
    livekit.add_dispatch_rule(rule("bare", 3))


def test_only_rules_of_ours_are_given_the_new_key(stack: World, livekit: LiveKitServer) -> None:
    attached(stack, livekit)
    stack.outputs["uploader_access_key_id"] = "AKIANEW"
    [outsider] = ground(stack).update_rules()
    assert stored(livekit, "SDR_ours").room_config.egress.room.file_outputs[0].s3.access_key == "AKIANEW"
    assert not stored(livekit, "SDR_bare").room_config.HasField("egress")
    assert (outsider.rule, outsider.upload_key) == ("SDR_theirs", "AKIAUNIT")
    assert outsider.signers == {livekit.api_key}
    assert ground(stack).rules_kept()


def test_a_key_that_may_not_see_rules_made_none(stack: World, livekit: LiveKitServer) -> None:
    stack.config["livekitApiSecret"] = "another-secret-of-thirty-two-characters"
    assert ground(stack).update_rules() == []


def test_recordings_into_the_bucket_count_by_their_beginning(stack: World, livekit: LiveKitServer) -> None:
    now = time.time_ns()
    for name, began, bucket in (("EG_old", now - 90 * NS, BUCKET), ("EG_new", now, BUCKET), ("EG_else", 0, "other")):
        upload = api.S3Upload(bucket=bucket)
        request = api.RoomCompositeEgressRequest(file_outputs=[api.EncodedFileOutput(s3=upload)])
        livekit.add_egress(
            api.EgressInfo(
                egress_id=name, status=api.EgressStatus.EGRESS_ACTIVE, started_at=began, room_composite=request
            )
        )
    assert ground(stack).running_since_before(now / NS - 30) == ["EG_old"]
    del stack.config["livekitUrl"]
    assert ground(stack).running_since_before(now / NS) is None


class Config(FakeStack):
    """A stack whose plain configuration is set by the SDK, as far as it goes."""

    def set_all_config(self, values: dict[str, ConfigValue]) -> None:
        self.config |= {name: value.value for name, value in values.items()}

    def remove_config(self, name: str) -> None:
        if self.config.pop(name, None) is None:
            super().remove_config(name)


def test_settings_are_the_stacks_and_secrets_go_through_a_pipe(tmp_path: Path) -> None:
    opened: Any = Config(tmp_path, {"aws:region": "eu-central-1", "callrec:linkDays": "30"})
    settings = StackSettings(stack=opened)
    settings.put({"linkDays": "7", notes.date_key("links"): "2026-11-24"})
    notes.save(settings, State(kind="links", done=("honour",), data={"key": "hush-hush"}))
    assert settings.values()["linkDays"] == "7"
    assert settings.values()["callrec-rotate:links"] == "2026-11-24"
    assert notes.load(settings, "links") == State(kind="links", done=("honour",), data={"key": "hush-hush"})
    assert notes.load(settings, "airtable") is None
    assert "hush-hush" not in opened.argv
    notes.forget(settings, "links")
    notes.forget(settings, "links")
    assert notes.load(settings, "links") is None


class Previewed:
    """A stack that previews, and goes up."""

    name = "unit"

    def __init__(self, summary: dict[automation.OpType, int], error: Exception | None = None) -> None:
        self.summary, self.error = summary, error

    def preview(self, **_: object) -> Any:
        if self.error is not None:
            raise self.error
        return type("Result", (), {"change_summary": self.summary})()

    def up(self, **_: object) -> None:
        self.preview()


def test_what_an_up_would_change_is_counted_and_its_troubles_are_in_the_engines_words() -> None:
    stack: Any = Previewed({automation.OpType.SAME: 90, automation.OpType.UPDATE: 2, automation.OpType.CREATE: 1})
    assert Engine(stack=stack, say=lambda _: None).pending() == 3
    trouble = automation.CommandError(_result("error: no such thing"))
    broken: Any = Previewed({}, trouble)
    with pytest.raises(UnfinishedError, match=r"no such thing\. What is done is done: run the same command again"):
        Engine(stack=broken, say=lambda _: None, command="the same command").up()


def _result(text: str) -> automation.CommandResult:
    return automation.CommandResult(stdout="", stderr=text, code=255)
