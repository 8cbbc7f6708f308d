"""`callrec verify` on the local stack: all holds, each planted fault is found and named, nothing is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pyairtable import Api

from scripts.deployment import Deployment
from scripts.verify.hop import Outcome, Result
from scripts.verify.run import run
from tests.pipeline.calls import depth
from tests.pipeline.conftest import Local

pytestmark = pytest.mark.pipeline


def verified(deployment: Deployment) -> dict[str, Result]:
    return {result.id: result for result in run(deployment, on_result=lambda _: None)}


def failing(results: dict[str, Result]) -> set[str]:
    return {name for name, result in results.items() if result.outcome is Outcome.FAILED}


def bucket_of(local: Local) -> dict[str, Any]:
    """Everything in the bucket, by version."""
    answer = local.deployment.aws.client("s3").list_object_versions(Bucket=local.deployment.outputs.bucket)
    return {f"{item['Key']} {item['VersionId']}": item for item in answer.get("Versions", [])}


def conversations(local: Local) -> list[Any]:
    """Every record of the table."""
    services = local.services
    api = Api(services.airtable_token, endpoint_url=services.airtable_url)
    return list(api.table(services.airtable_base, services.airtable_table).all())


def test_every_hop_holds_and_nothing_is_left(local: Local) -> None:
    objects, records = bucket_of(local), conversations(local)
    results = verified(local.deployment)
    assert failing(results) == set()
    skipped = {name for name, result in results.items() if result.outcome is Outcome.SKIPPED}
    assert skipped == set()
    assert len(results) > 45
    assert bucket_of(local).keys() == objects.keys()
    assert conversations(local) == records
    assert depth(local, local.deployment.outputs.dead_letter_queue_url) == 0


@contextmanager
def versioning_off(local: Local) -> Generator[None]:
    s3, bucket = local.deployment.aws.client("s3"), local.deployment.outputs.bucket
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    yield
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@contextmanager
def uploader_reads(local: Local) -> Generator[None]:
    iam, group = local.deployment.aws.client("iam"), "callrec-local-uploaders"
    before = iam.get_group_policy(GroupName=group, PolicyName="put-recordings")["PolicyDocument"]
    widened = json.loads(json.dumps(before))
    widened["Statement"][0]["Action"].append("s3:GetObject")
    iam.put_group_policy(GroupName=group, PolicyName="put-recordings", PolicyDocument=json.dumps(widened))
    yield
    iam.put_group_policy(GroupName=group, PolicyName="put-recordings", PolicyDocument=json.dumps(before))


@contextmanager
def field_renamed(local: Local) -> Generator[None]:
    local.airtable.rename_field("audio_recording_url", "recording link")
    yield
    local.airtable.rename_field("recording link", "audio_recording_url")


@contextmanager
def deliver_stopped(local: Local) -> Generator[None]:
    functions, mapping = local.deployment.aws.client("lambda"), local.deployment.outputs.deliver_mapping
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    yield
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)


@contextmanager
def deliver_throttled(local: Local) -> Generator[None]:
    functions, name = local.deployment.aws.client("lambda"), local.deployment.outputs.functions["deliver"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    yield
    functions.delete_function_concurrency(FunctionName=name)
    # What was taken from the queue meanwhile comes back minutes later; others wait for an empty queue.
    local.deployment.aws.client("sqs").purge_queue(QueueUrl=local.deployment.outputs.queue_url)


@contextmanager
def schedule_stopped(local: Local) -> Generator[None]:
    events, name = local.deployment.aws.client("events"), local.deployment.outputs.functions["reconcile"]
    events.disable_rule(Name=name)
    yield
    events.enable_rule(Name=name)


@contextmanager
def permission_gone(local: Local) -> Generator[None]:
    functions, name = local.deployment.aws.client("lambda"), local.deployment.outputs.functions["reconcile"]
    [statement] = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
    functions.remove_permission(FunctionName=name, StatementId=statement["Sid"])
    yield
    functions.add_permission(
        FunctionName=name,
        StatementId=statement["Sid"],
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=local.deployment.aws.client("events").describe_rule(Name=name).get("Arn", ""),
    )


@contextmanager
def announcements_gone(local: Local) -> Generator[None]:
    """As when somebody set another notification: S3 keeps one setting for all of them."""
    s3, bucket = local.deployment.aws.client("s3"), local.deployment.outputs.bucket
    before: Any = s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    yield
    told: Any = {"QueueConfigurations": before["QueueConfigurations"]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)


@contextmanager
def livekit_secret_wrong(local: Local) -> Generator[Deployment]:
    """As when the key was replaced in LiveKit and the configuration, but never deployed."""
    config = {**local.deployment.config, "livekitApiSecret": "another-secret-another-secret-another"}
    yield replace(local.deployment, config=config)


@contextmanager
def livekit_secret_changed_behind(local: Local) -> Generator[None]:
    """As when somebody edited the secret by hand: `receive` reads it anew within 5 minutes, here after a restart."""
    secrets, arn = local.deployment.aws.client("secretsmanager"), local.deployment.outputs.secret_arn
    before = secrets.get_secret_value(SecretId=arn)["SecretString"]
    changed = json.loads(before)
    changed["livekit_keys"] = dict.fromkeys(changed["livekit_keys"], "w" * 40)
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(changed))
    restart(local, "receive")
    yield
    secrets.put_secret_value(SecretId=arn, SecretString=before)
    restart(local, "receive")


def restart(local: Local, part: str) -> None:
    """End the function's warm processes, as a change of its configuration does."""
    functions, name = local.deployment.aws.client("lambda"), local.deployment.outputs.functions[part]
    described = functions.get_function_configuration(FunctionName=name)
    timeout = described["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=timeout + 1)
    functions.update_function_configuration(FunctionName=name, Timeout=timeout)


@contextmanager
def public_access_allowed(local: Local) -> Generator[None]:
    s3, bucket = local.deployment.aws.client("s3"), local.deployment.outputs.bucket
    before = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**before, "RestrictPublicBuckets": False})
    yield
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=before)


@contextmanager
def tls_not_demanded(local: Local) -> Generator[None]:
    s3, bucket = local.deployment.aws.client("s3"), local.deployment.outputs.bucket
    before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    without = json.loads(before)
    without["Statement"] = [s for s in without["Statement"] if s["Sid"] != "DenyPlainHttp"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(without))
    yield
    s3.put_bucket_policy(Bucket=bucket, Policy=before)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A fault, and the hops that must name it."""

    plant: Callable[[Local], Any]
    found: set[str]


PLANTED = {
    "versioning off": Planted(plant=versioning_off, found={"bucket.versioning"}),
    "s3:GetObject added": Planted(plant=uploader_reads, found={"uploader.policy", "uploader.read"}),
    "wrong Airtable field": Planted(plant=field_renamed, found={"airtable.fields"}),
    "deliver stopped": Planted(plant=deliver_stopped, found={"functions.mapping"}),
    "deliver throttled": Planted(plant=deliver_throttled, found={"functions.deliver"}),
    "schedule stopped": Planted(plant=schedule_stopped, found={"reconcile.schedule"}),
    "schedule not allowed": Planted(plant=permission_gone, found={"reconcile.schedule"}),
    "announcements gone": Planted(plant=announcements_gone, found={"reconcile.arrivals"}),
    "wrong LiveKit secret": Planted(plant=livekit_secret_wrong, found={"webhook.signed", "livekit.room_record"}),
    "LiveKit secret changed": Planted(plant=livekit_secret_changed_behind, found={"webhook.signed"}),
    "public access block off": Planted(plant=public_access_allowed, found={"bucket.RestrictPublicBuckets"}),
    "TLS statement missing": Planted(plant=tls_not_demanded, found={"bucket.tls"}),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found_and_only_it(local: Local, fault: str) -> None:
    planted = PLANTED[fault]
    with planted.plant(local) as deployment:
        results = verified(deployment or local.deployment)
    assert failing(results) == planted.found
    for name in planted.found:
        assert results[name].cause
        assert results[name].mend
