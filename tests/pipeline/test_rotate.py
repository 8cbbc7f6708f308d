"""`callrec rotate` on the real engine while calls go on: nothing lost, nothing refused, killed or not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from pulumi.automation import ConfigValue, PulumiCommand

from infra.functions.egress import room_egress
from infra.policy import allow, document
from scripts import egress_settings
from scripts.configure.found import egress_of
from scripts.configure.keeping import StackKeeper
from scripts.configure.sip import Sip
from scripts.deployment import Deployment
from scripts.errors import UnfinishedError, UsageError
from scripts.livekit_access import LiveKit
from scripts.local import stack
from scripts.local.livekit_standin.pace import Pace
from scripts.local.livekit_standin.storage import Own, UploadError, put
from scripts.rotate import waiting
from scripts.rotate.airtable import AirtableRotation
from scripts.rotate.airtable import Wish as AirtableWish
from scripts.rotate.ground import StackGround
from scripts.rotate.links import LinksRotation
from scripts.rotate.links import Wish as LinksWish
from scripts.rotate.livekit import LiveKitRotation
from scripts.rotate.livekit import Wish as LiveKitWish
from scripts.rotate.settings import NAMESPACE, StackSettings
from scripts.rotate.steps import Report, Rotation
from scripts.verify.airtable import Conversations
from tests.pipeline import rotating
from tests.pipeline.conftest import Local, made
from tests.pipeline.killing import killed_when
from tests.pipeline.rotating import RECORDING, RULE, Calls, forget_copies, rotated
from tests.unit.configure_support import rule

pytestmark = pytest.mark.pipeline

NEW_KEY, NEW_SECRET = "APInewkey", "a-new-secret-of-livekits-a-new-secret-of-livekits"
EXTERNAL_ID = "external-id-that-is-kept"
HOUR = 3600.0


@pytest.fixture(scope="module")
def own(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    changes = {"callrec:recordRooms": ConfigValue("true")}
    with made(tmp_path_factory.mktemp("rotate"), engine, changes) as found:
        found.livekit.recorder.recording = RECORDING
        found.livekit.webhooks.max_age_seconds = 600.0  # what a busy machine is too slow for was not refused
        found.livekit.webhooks.timeout_seconds = 30.0
        # What a function that was ended had in hand comes again soon: nobody waits six minutes for it here.
        found.deployment.aws.client("sqs").set_queue_attributes(
            QueueUrl=found.deployment.outputs.queue_url, Attributes={"VisibilityTimeout": "20"}
        )
        found.livekit.add_dispatch_rule(rule("phone"))
        livekit = LiveKit.required("local", found.deployment.config)
        sip = Sip(livekit=livekit, keeper=StackKeeper(engine=found.deployment.engine))
        sip.attach(sip.attaching(egress_settings.of(found.deployment), oust=False))
        yield found


@pytest.fixture(autouse=True)
def _without_waiting(  # pyright: ignore[reportUnusedFunction]
    own: Local, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "upload_key" not in request.node.name:  # it looks for the others: a preview takes as long as an up
        monkeypatch.setattr(StackGround, "pending", lambda _: 0)
    monkeypatch.setattr(waiting, "functions", partial(rotating.patient, own.services.folder))
    monkeypatch.setattr(waiting, "SKEW_SECONDS", 5.0)


@pytest.fixture
def calls(own: Local) -> Calls:
    return Calls(local=own)


def now(own: Local) -> Deployment:
    """The stack as it is by now."""
    return Deployment.of(stack.handle(own.services, own.engine))


def run(own: Local, make: Any) -> Report:
    return rotated(own.services, own.engine, make, lambda _: None)


def killed_at(own: Local, word: str, folder: Path) -> None:
    """Begin or go on with a rotation of the upload key, and kill it and its engine when it says `word`."""
    killed_when(word, own.services, folder, ["-m", "tests.pipeline.rotating"])


def keys(own: Local) -> dict[str, str]:
    listed = own.deployment.aws.client("iam").list_access_keys(UserName=own.deployment.outputs.uploader_user)
    return {str(key.get("AccessKeyId")): str(key.get("Status")) for key in listed["AccessKeyMetadata"]}


def test_the_upload_key_changes_hands_while_calls_go_on_and_runs_are_killed(
    own: Local, calls: Calls, tmp_path: Path
) -> None:
    old = own.deployment.outputs.uploader_access_key_id
    with calls.going_on():
        long = calls.begin(by_rule=True)
        killed_at(own, "AccessKey uploader-2 creating", tmp_path)
        killed_at(own, "still run", tmp_path)
        assert keys(own)[old] == "Active"  # the long call still needs it
        calls.end(long)
        report = run(own, rotating.uploader)
    assert report.finished
    new = now(own).outputs
    assert keys(own) == {new.uploader_access_key_id: "Active"}
    assert new.uploader_access_key_id != old
    egress = egress_of(own.livekit.sip._rules[RULE])
    assert egress is not None
    assert egress.room.file_outputs[0].s3.access_key == new.uploader_access_key_id
    assert len(calls.records) > 2
    calls.hold()
    with now(own).engine() as engine:
        assert not [name for name in engine.get_all_config() if name.endswith("-state")]


def livekit(ground: StackGround) -> Rotation:
    wish = LiveKitWish(key=lambda: NEW_KEY, secret=lambda: NEW_SECRET, grace=0.0)
    return LiveKitRotation(ground=ground, wish=wish)


def test_livekits_key_changes_while_calls_go_on(own: Local, calls: Calls) -> None:
    known = own.livekit.keys
    old = own.livekit.api_key
    known[NEW_KEY] = NEW_SECRET
    with calls.going_on():
        with pytest.raises(UnfinishedError, match="is still honoured"):
            run(own, livekit)
        known[old] = known.pop(old)  # the project's webhooks are signed with the first one
        before = len(calls.records)
        while len(calls.records) < before + 3 and not calls.failed:
            time.sleep(0.1)
        report = run(own, livekit)
    assert report.finished
    calls.hold()
    config = now(own).config
    assert config["livekitApiKey"] == NEW_KEY
    assert "previousLivekitApiKey" not in config
    egress = egress_of(own.livekit.sip._rules[RULE])
    assert egress is not None
    assert [hook.signing_key for hook in egress.room.webhooks] == [NEW_KEY]


def plays(own: Local, link: str) -> bool:
    answer = requests.get(link, verify=own.services.ca_bundle, timeout=30)
    return answer.content == RECORDING


def links(ground: StackGround) -> Rotation:
    return LinksRotation(ground=ground, wish=LinksWish(grace=HOUR))


def test_links_of_the_old_key_play_until_their_end(own: Local, calls: Calls) -> None:
    with calls.going_on():
        earlier = calls.begin(by_rule=True)
        calls.end(earlier)
        old = calls.link(earlier)
        assert run(own, links).finished
        forget_copies(own.services.folder, own.deployment)
        later = calls.begin(by_rule=True)
        calls.end(later)
        new = calls.link(later)
    calls.hold()
    assert plays(own, old)
    assert plays(own, new)
    with pytest.raises(UsageError, match="still play until"):
        run(own, links)
    with now(own).engine() as engine:
        engine.set_config("callrec:previousLinkSigningKeyUntil", ConfigValue(str(int(time.time()) - 1)))
        engine.up()
    forget_copies(own.services.folder, own.deployment)
    assert not plays(own, old)
    assert plays(own, new)


def test_deliveries_go_on_while_airtables_token_changes(own: Local, calls: Calls) -> None:
    token, before = own.airtable.add_token(), own.deployment.config["airtableToken"]

    def airtable(ground: StackGround, given: str = token) -> Rotation:
        table = lambda one: replace(Conversations.of(ground.deployment()), token=one)  # noqa: E731
        return AirtableRotation(ground=ground, wish=AirtableWish(token=lambda: given), table=table)

    with pytest.raises(UnfinishedError, match="nothing was changed"):
        run(own, partial(airtable, given="patNOBODYKNOWSTHIS.one"))
    with calls.going_on():
        assert run(own, airtable).finished
        forget_copies(own.services.folder, own.deployment)
        own.airtable.tokens.revoke(before)
        calls.end(calls.begin(by_rule=False))
    calls.hold()
    assert now(own).config["airtableToken"] == token
    assert now(own).config[f"{NAMESPACE}:airtable"]


def test_a_role_that_livekit_assumes_uploads_in_place_of_a_key(own: Local, calls: Calls) -> None:
    iam: Any = own.deployment.aws.client("iam")
    user = iam.create_user(UserName="livekit-egress")["User"]
    policy = document(allow("Assume", ["sts:AssumeRole"], "*"))
    iam.put_user_policy(UserName="livekit-egress", PolicyName="assume", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="livekit-egress")["AccessKey"]
    own.livekit.recorder.own = Own(access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"])
    handle = stack.handle(own.services, own.engine)
    with handle.engine() as opened:
        settings = StackSettings(stack=opened)
        settings.put({"uploader": "role", "uploaderPrincipal": user["Arn"]})
        settings.put_secret("uploaderExternalId", EXTERNAL_ID)
        opened.up()
    deployment = now(own)
    known = LiveKit(url=own.livekit.url, key=own.livekit.api_key, secret=own.livekit.api_secret)
    sip = Sip(livekit=known, keeper=StackKeeper(engine=handle.engine))
    sip.attach(sip.attaching(egress_settings.of(deployment), oust=False))
    forget_copies(own.services.folder, deployment)
    for by_rule in (True, False):
        calls.end(calls.begin(by_rule=by_rule))
    calls.hold()
    assert "callrec-local-uploader" not in [one["UserName"] for one in iam.list_users()["Users"]]
    upload = room_egress(egress_settings.of(deployment)).room.file_outputs[0].s3
    assert (upload.access_key, upload.assume_role_arn) == ("", deployment.outputs.uploader_role_arn)
    upload.assume_role_external_id = "what-somebody-else-says"
    ca_bundle, pace = own.services.ca_bundle, Pace(scale=1.0)
    with pytest.raises(UploadError, match="AccessDenied"):
        put(upload, "calls/theirs.mp4", b"x", pace=pace, ca_bundle=ca_bundle, own=own.livekit.recorder.own)
