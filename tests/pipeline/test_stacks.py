"""Stacks on the real engine: side by side, unchanged when nothing changed, mended after drift, gone when destroyed."""

from __future__ import annotations

import pytest
from pulumi.automation import CommandError, ConfigValue, RefreshResult, UpResult

from scripts.deployment import Deployment
from scripts.local import stack
from scripts.verify.hop import Outcome
from scripts.verify.run import run
from tests.pipeline.conftest import Local
from tests.pipeline.inventory import inventory

pytestmark = pytest.mark.pipeline

CHANGES = {
    "callrec:bucketName": ConfigValue("second-practice"),
    "callrec:recordingsPrefix": ConfigValue("recordings/"),
    "callrec:encryption": ConfigValue("s3"),
    "callrec:accessLogs": ConfigValue("false"),
    "callrec:retentionDays": ConfigValue("365"),
    "callrec:receiveConcurrency": ConfigValue("5"),
}


@pytest.fixture(scope="module")
def second(local: Local) -> Deployment:
    return stack.up(local.services, local.engine, lambda _: None, CHANGES, stack="second")


def changed(done: UpResult | RefreshResult) -> int:
    """How many resources an operation found or made different."""
    changes: dict[str, int] = {str(kind): count for kind, count in (done.summary.resource_changes or {}).items()}
    return changes["update"]


def test_a_second_stack_holds_beside_the_first(local: Local, second: Deployment) -> None:
    results = run(second, on_result=lambda _: None)
    assert [result for result in results if result.outcome is Outcome.FAILED] == []
    first, other = inventory(local.deployment.aws, "callrec-local-"), inventory(local.deployment.aws, "callrec-second-")
    assert len(first) > 10
    assert len(other) == len(first) - 2  # neither a key of its own, which has an alias, nor a bucket for access logs


def test_up_again_changes_nothing(second: Deployment) -> None:
    with second.engine() as engine:
        done = engine.up()
    assert set(done.summary.resource_changes or {}) == {"same"}


def test_a_change_behind_its_back_shows_and_is_mended(second: Deployment) -> None:
    s3, bucket = second.aws.client("s3"), second.outputs.bucket
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    with second.engine() as engine:
        seen = engine.refresh()
        mended = engine.up()
    assert changed(seen) == changed(mended) == 1
    assert s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"


def test_bad_configuration_makes_nothing(local: Local) -> None:
    bad = {"callrec:linkDays": ConfigValue("soon"), "callrec:airtableBase": ConfigValue("base")}
    with pytest.raises(CommandError) as refused:
        stack.up(local.services, local.engine, lambda _: None, bad, stack="third")
    said = str(refused.value)
    assert "linkDays: days that a link plays, 1 to 3650; got 'soon'. Set it: pulumi config set linkDays 30" in said
    assert "airtableBase: the id of the base" in said
    assert "Traceback" not in said
    assert inventory(local.deployment.aws, "callrec-third-") == set()


def test_destroy_leaves_nothing_and_the_first_stack_alone(local: Local, second: Deployment) -> None:
    first = inventory(local.deployment.aws, "callrec-local-")
    with second.engine() as engine:
        engine.destroy()
    assert inventory(local.deployment.aws, "second") == set()
    assert inventory(local.deployment.aws, "callrec-local-") == first
