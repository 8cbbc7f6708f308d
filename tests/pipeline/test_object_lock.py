"""Object Lock and legal holds on a stack of its own: what they keep from erase and teardown, and how it ends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pulumi.automation import ConfigValue, PulumiCommand

from scripts.deployment import Deployment
from scripts.erase.command import erase
from scripts.hold.command import hold
from scripts.local import services, stack
from scripts.teardown.command import teardown
from scripts.verify import bucket
from scripts.verify.airtable import Conversations
from scripts.verify.cleanup import Cleanup
from scripts.verify.hop import Outcome, Result
from scripts.verify.probe import inside
from scripts.verify.run import attempt
from tests.pipeline.conftest import Local
from tests.pipeline.recorded import Call, call, run, versions

pytestmark = pytest.mark.pipeline

DAYS = 30
RETENTION_RIGHT = "s3:BypassGovernanceRetention"


def settings(lock: str) -> dict[str, ConfigValue]:
    """As a practice's stack is: protected."""
    days = "" if lock == "none" else str(DAYS)
    return {
        "callrec:objectLock": ConfigValue(lock),
        "callrec:objectLockDays": ConfigValue(days),
        "callrec:disposable": ConfigValue("false"),
    }


@pytest.fixture(scope="module")
def locked(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Generator[Local]:
    with services.run(tmp_path_factory.mktemp("locked")) as (found, airtable, livekit):
        deployment = stack.up(found, engine, lambda _: None, settings("governance"))
        yield Local(services=found, airtable=airtable, livekit=livekit, deployment=deployment, engine=engine, said=())


def recorded(local: Local) -> Call:
    name = secrets.token_hex(6)
    return call(local, name, f"locked-{name}")


def retention(local: Local, key: str) -> Any:
    found = local.deployment.aws.client("s3").get_object_retention(Bucket=stack.BUCKET, Key=key)
    return found.get("Retention", {})


def checked(deployment: Deployment) -> Result:
    return attempt(next(hop for hop in bucket.hops(deployment) if hop.id == "bucket.object_lock"))


def test_governance_keeps_a_recording_from_all_but_who_has_the_right(locked: Local) -> None:
    made = recorded(locked)
    assert retention(locked, made.key)["Mode"] == "GOVERNANCE"
    assert checked(locked.deployment).seen == f"governance, {DAYS} d"
    refused = run(locked, erase, made.egress, "--confirm", made.egress)
    assert refused.exit_code == 1
    said = json.loads(refused.stdout)["error"]
    until = retention(locked, made.key)["RetainUntilDate"]
    assert timedelta(days=DAYS - 1) < until - datetime.now(UTC) <= timedelta(days=DAYS)
    assert f"{until:%Y-%m-%d}" in said
    assert RETENTION_RIGHT in said
    assert len(versions(locked, made.key)) == 1
    assert "audio_recording_url" in locked.airtable.read(made.record)
    done = run(locked, erase, made.egress, "--confirm", made.egress, "--bypass-governance")
    assert done.exit_code == 0, done.output
    assert versions(locked, made.key) == []
    assert retention(locked, f"erasures/{made.egress}.json")["Mode"] == "GOVERNANCE"


def test_a_held_recording_is_erased_by_nobody_until_it_is_released(locked: Local) -> None:
    made = recorded(locked)
    assert run(locked, hold, made.egress).exit_code == 0
    refused = run(locked, erase, made.egress, "--confirm", made.egress, "--bypass-governance")
    assert (refused.exit_code, "--release" in json.loads(refused.stdout)["error"]) == (1, True)
    with pytest.raises(ClientError, match="AccessDenied"):
        locked.deployment.aws.client("s3").delete_object(
            Bucket=stack.BUCKET,
            Key=made.key,
            VersionId=versions(locked, made.key)[0]["VersionId"],
            BypassGovernanceRetention=True,
        )
    assert run(locked, hold, made.egress, "--release").exit_code == 0
    held = locked.deployment.aws.client("s3").get_object_legal_hold(Bucket=stack.BUCKET, Key=made.key)
    assert held.get("LegalHold") == {"Status": "OFF"}


def test_verify_removes_its_locked_probes_where_it_may(locked: Local) -> None:
    key = f"{inside(stack.PREFIX)}probe"
    locked.deployment.aws.client("s3").put_object(Bucket=stack.BUCKET, Key=key, Body=b"x")
    table = Conversations.of(locked.deployment)
    table.exists()
    assert Cleanup.of(locked.deployment, table).everything(waiting=False) == "removed 1 object versions"
    assert versions(locked, key) == []


def test_compliance_yields_to_nobody_and_none_unlocks_only_what_comes(locked: Local, tmp_path: Path) -> None:
    strict = stack.up(locked.services, locked.engine, lambda _: None, settings("compliance"))
    assert checked(strict).outcome is Outcome.OK
    made = recorded(locked)
    refused = run(locked, erase, made.egress, "--confirm", made.egress, "--bypass-governance")
    assert (refused.exit_code, "neither you nor AWS" in json.loads(refused.stdout)["error"]) == (1, True)
    everything = ("--yes", "--delete-recordings", "--confirm", stack.BUCKET, "--bypass-governance")
    kept = run(locked, teardown, *everything)
    assert (kept.exit_code, "neither you nor AWS" in json.loads(kept.stdout)["error"]) == (2, True)

    free = stack.up(locked.services, locked.engine, lambda _: None, settings("none"))
    assert checked(free).seen == "not locked"
    assert retention(locked, made.key)["Mode"] == "COMPLIANCE"
    later = recorded(locked)
    with pytest.raises(ClientError, match="NoSuchObjectLockConfiguration"):
        retention(locked, later.key)
    assert run(locked, erase, later.egress, "--confirm", later.egress).exit_code == 0

    exported = run(locked, teardown, "--export", str(tmp_path / "out"))
    assert exported.exit_code == 0, exported.output
    lines = (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()
    [file] = [entry["file"] for entry in map(json.loads, lines) if entry["key"] == made.key]
    body = locked.deployment.aws.client("s3").get_object(Bucket=stack.BUCKET, Key=made.key)["Body"].read()
    assert (tmp_path / "out" / file).read_bytes() == body
