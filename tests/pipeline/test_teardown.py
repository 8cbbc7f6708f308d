"""`callrec teardown` on a stack that protects its recordings: they stay until the bucket is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.automation import ConfigValue
from typer.testing import CliRunner

from scripts.cli import app
from scripts.context import LOCAL
from scripts.local import commands, stack
from tests.pipeline.conftest import Local
from tests.pipeline.inventory import inventory

pytestmark = pytest.mark.pipeline

BUCKET = "kept-recordings"
CHANGES = {
    "callrec:bucketName": ConfigValue(BUCKET),
    "callrec:recordingsPrefix": ConfigValue("recordings/"),
    "callrec:disposable": ConfigValue("false"),
}
SETTINGS = (
    "get_bucket_versioning",
    "get_bucket_encryption",
    "get_bucket_policy",
    "get_public_access_block",
    "get_bucket_ownership_controls",
    "get_bucket_lifecycle_configuration",
)


def settings(local: Local) -> dict[str, Any]:
    s3: Any = local.deployment.aws.client("s3")
    answers = {name: getattr(s3, name)(Bucket=BUCKET) for name in SETTINGS}
    return {name: {k: v for k, v in answer.items() if k != "ResponseMetadata"} for name, answer in answers.items()}


def versions(local: Local) -> int:
    answer = local.deployment.aws.client("s3").list_object_versions(Bucket=BUCKET)
    return len(answer.get("Versions", [])) + len(answer.get("DeleteMarkers", []))


def teardown(monkeypatch: pytest.MonkeyPatch, local: Local, *options: str) -> tuple[int, dict[str, Any]]:
    """Run the command as a user does, on the stack `kept`."""
    monkeypatch.setattr(commands, "handle", lambda: stack.handle(local.services, local.engine, "kept"))
    done = CliRunner().invoke(app, ["teardown", "--stack", LOCAL, "--json", *options])
    return done.exit_code, json.loads(done.stdout)


def test_recordings_stay_until_the_bucket_is_named(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = local.deployment.aws
    stack.up(local.services, local.engine, lambda _: None, CHANGES, stack="kept")
    s3 = aws.client("s3")
    for content in (b"a call", b"the same key again"):
        s3.put_object(Bucket=BUCKET, Key="recordings/a.mp4", Body=content)
    s3.put_object(Bucket=BUCKET, Key="recordings/b.mp4", Body=b"deleted by somebody")
    s3.delete_object(Bucket=BUCKET, Key="recordings/b.mp4")
    before, asked = inventory(aws, "callrec-kept-"), settings(local)

    code, shown = teardown(monkeypatch, local)
    assert (code, shown["dryRun"]) == (0, True)
    assert shown["going"]
    assert inventory(aws, "callrec-kept-") == before

    for _ in range(2):  # the second time is harmless
        code, _done = teardown(monkeypatch, local, "--yes")
        assert code == 0
        assert inventory(aws, "callrec-kept-") == {"alias alias/callrec-kept-recordings"}
        assert settings(local) == asked
        assert versions(local) == 4

    again = stack.up(local.services, local.engine, lambda _: None, CHANGES, stack="kept")
    assert again.outputs.bucket == BUCKET
    assert versions(local) == 4

    for options in (("--delete-recordings",), ("--delete-recordings", "--confirm", "recordings")):
        code, refused = teardown(monkeypatch, local, "--yes", *options)
        assert code == 2
        assert "Nothing was touched" in refused["error"] or "confirm" in refused["error"]
        assert versions(local) == 4

    for _ in range(2):
        code, _done = teardown(monkeypatch, local, "--yes", "--delete-recordings", "--confirm", BUCKET)
        assert code == 0
        assert inventory(aws, "kept") == set()
    assert "s3 recordings" in inventory(aws, "recordings")
