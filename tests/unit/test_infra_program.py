"""The whole program under recording mocks: what each configuration makes, and how it is set."""

from __future__ import annotations

import json
import math
import runpy
from typing import Any

import pytest

from infra import identity_policies, resource_policies
from infra.figures import figures
from infra.functions.egress import EgressOptions, Mixing
from infra.functions.errors import SettingsError
from infra.functions.secret import Secrets, Uploader
from infra.functions.settings import DeliverSettings, PlaySettings, ReceiveSettings, ReconcileSettings
from infra.functions.start_policy import Policy
from infra.functions.start_settings import StartSettings
from infra.package import ROOT
from infra.watched import Watched
from scripts.outputs import Outputs
from tests.unit.recorder import ACCOUNT, REQUIRED, SECRETS, Run, run_program

BUCKET = f"callrec-practice-recordings-{ACCOUNT}"
STORAGE_KINDS = (
    "s3/bucket",
    "s3/bucketVersioning",
    "s3/bucketServerSideEncryptionConfiguration",
    "s3/bucketPublicAccessBlock",
    "s3/bucketOwnershipControls",
    "s3/bucketPolicy",
    "s3/bucketLifecycleConfiguration",
)


@pytest.fixture(scope="module")
def run() -> Run:
    return run_program()


def changed(**changes: str) -> Run:
    return run_program(REQUIRED | changes)


def test_bucket_is_versioned_encrypted_closed_and_owned(run: Run) -> None:
    assert run.one("s3/bucket", "recordings")["bucket"] == BUCKET
    assert run.one("s3/bucketVersioning", "recordings")["versioningConfiguration"] == {"status": "Enabled"}
    [rule] = run.one("s3/bucketServerSideEncryptionConfiguration", "recordings")["rules"]
    assert rule["bucketKeyEnabled"] is True
    assert rule["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": f"arn:aws:kms:us-east-1:{ACCOUNT}:recordings",
    }
    closed = run.one("s3/bucketPublicAccessBlock", "recordings")
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert [closed[switch] for switch in switches] == [True] * 4
    assert run.one("s3/bucketOwnershipControls", "recordings")["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    arn = f"arn:aws:s3:us-east-1:{ACCOUNT}:{BUCKET}"
    assert json.loads(run.one("s3/bucketPolicy", "recordings")["policy"]) == resource_policies.bucket(arn)


def test_key_rotates_every_year(run: Run) -> None:
    key = run.one("kms/key", "recordings")
    assert key["enableKeyRotation"] is True
    assert key["rotationPeriodInDays"] == 365
    assert key["deletionWindowInDays"] == 30
    assert json.loads(key["policy"]) == resource_policies.recordings_key(ACCOUNT, "aws")


def test_s3_encryption_makes_no_key() -> None:
    run = changed(encryption="s3")
    assert not run.of("kms/key")
    [rule] = run.one("s3/bucketServerSideEncryptionConfiguration", "recordings")["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    assert rule["bucketKeyEnabled"] is False
    for kind, name in (("iam/groupPolicy", "uploader"), ("iam/rolePolicy", "play")):
        assert "kms:" not in run.one(kind, name)["policy"]
    assert "keyArn" not in run.outputs


def lifecycle(run: Run) -> dict[str, Any]:
    rules = run.one("s3/bucketLifecycleConfiguration", "recordings")["rules"]
    return {rule["id"]: rule for rule in rules}


def test_recordings_age_as_by_default(run: Run) -> None:
    rules = lifecycle(run)
    assert rules["age-recordings"] == {
        "id": "age-recordings",
        "status": "Enabled",
        "filter": {"prefix": "recordings/"},
        "transitions": [{"days": 30, "storageClass": "GLACIER_IR"}],
        "noncurrentVersionExpiration": {"noncurrentDays": 30},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
    }
    assert rules["clear-delete-markers"] == {
        "id": "clear-delete-markers",
        "status": "Enabled",
        "filter": {"prefix": "recordings/"},
        "expiration": {"expiredObjectDeleteMarker": True},
    }


def test_recordings_age_as_configured() -> None:
    run = changed(
        archiveClass="DEEP_ARCHIVE", archiveAfterDays="90", retentionDays="2555", noncurrentDays="7",
        recordingsPrefix="calls/",
    )  # fmt: skip
    rule = lifecycle(run)["age-recordings"]
    assert rule["filter"] == {"prefix": "calls/"}
    assert rule["transitions"] == [{"days": 90, "storageClass": "DEEP_ARCHIVE"}]
    assert rule["expiration"] == {"days": 2555}
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 7}


def test_nothing_is_locked_or_held_by_default(run: Run) -> None:
    assert not run.of("s3/bucketObjectLockConfiguration")
    described = run.outputs["bucketSettings"]
    assert (described["objectLock"], described["legalHold"]) == ("none", False)


@pytest.mark.parametrize("lock", ["governance", "compliance"])
def test_new_recordings_are_locked_when_asked_for(lock: str) -> None:
    run = changed(objectLock=lock, objectLockDays="2190")
    resource = run.of("s3/bucketObjectLockConfiguration")["recordings"]
    assert resource.inputs["rule"] == {"defaultRetention": {"mode": lock.upper(), "days": 2190}}
    # Else `objectLock none` could not take it away again.
    assert (resource.protect, resource.retain) == (False, False)
    assert run.outputs["bucketSettings"]["objectLockDays"] == 2190


def test_a_legal_hold_deletes_nothing_by_age() -> None:
    run = changed(legalHold="true", retentionDays="2555")
    rules = lifecycle(run)
    assert set(rules["age-recordings"]) == {
        "id", "status", "filter", "transitions", "abortIncompleteMultipartUpload"
    }  # fmt: skip
    assert run.outputs["bucketSettings"]["legalHold"] is True


def test_recordings_are_protected_with_their_settings_and_key(run: Run) -> None:
    for kind in (*STORAGE_KINDS, "kms/key", "kms/alias"):
        resource = run.of(kind)["recordings"]
        assert (resource.protect, resource.retain) == (True, True), kind
    assert run.one("s3/bucket", "recordings")["forceDestroy"] is False
    kept = ("aws:s3", "aws:kms")
    others = [r for r in run.resources if r.type.startswith("aws:") and not r.type.startswith(kept)]
    others += run.of("s3/bucketNotification").values()  # goes with the queue that it tells
    assert len(others) > 20
    assert [r.name for r in others if r.protect or r.retain] == ["play"]


def test_who_listened_stays_on_record_without_the_stack(run: Run) -> None:
    log = run.of("cloudwatch/logGroup")["play"]
    assert (log.protect, log.retain) == (True, True)
    assert log.parent.endswith("callrec:PlayLog::play-log")  # what a teardown keeps


def test_a_disposable_stack_protects_nothing() -> None:
    run = changed(disposable="true", accessLogs="true")
    assert not [r for r in run.resources if r.protect or r.retain]
    assert run.one("s3/bucket", "recordings")["forceDestroy"] is True


def test_access_logs_go_to_a_private_bucket_of_their_own() -> None:
    run = changed(accessLogs="true", bucketName="b" * 60)
    logs = run.one("s3/bucket", "recordings-access-logs")["bucket"]
    assert logs == f"callrec-practice-access-logs-{ACCOUNT}"
    assert run.outputs["bucketSettings"]["accessLogs"] == logs
    [forget] = run.one("s3/bucketLifecycleConfiguration", "recordings-access-logs")["rules"]
    assert forget["expiration"] == {"days": 90}
    logging = run.one("s3/bucketLogging", "recordings")
    assert (logging["bucket"], logging["targetBucket"], logging["targetPrefix"]) == ("b" * 60, logs, "s3/")
    [rule] = run.one("s3/bucketServerSideEncryptionConfiguration", "recordings-access-logs")["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    policy = json.loads(run.one("s3/bucketPolicy", "recordings-access-logs")["policy"])
    arn = f"arn:aws:s3:us-east-1:{ACCOUNT}:{logs}"
    assert policy == resource_policies.access_log_bucket(arn, f"arn:aws:s3:::{'b' * 60}", ACCOUNT)
    assert run.of("s3/bucketPublicAccessBlock")["recordings-access-logs"].protect is True


def test_uploader_is_a_user_whose_group_carries_the_policy(run: Run) -> None:
    assert run.one("iam/user", "uploader")["name"] == "callrec-practice-uploader"
    member = run.one("iam/userGroupMembership", "uploader")
    assert (member["user"], member["groups"]) == ("callrec-practice-uploader", ["callrec-practice-uploaders"])
    arn = f"arn:aws:s3:us-east-1:{ACCOUNT}:{BUCKET}"
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:recordings"
    expected = identity_policies.uploader(arn, "recordings/", key, "us-east-1")
    assert json.loads(run.one("iam/groupPolicy", "uploader")["policy"]) == expected


def test_uploader_key_is_kept_as_a_secret(run: Run) -> None:
    kept = run.of("secretsmanager/secretVersion")["uploader"]
    assert "secretString" in kept.secret
    assert json.loads(kept.inputs["secretString"]) == {
        "access_key_id": "uploader-id",
        "secret_access_key": "uploader-secret",
        "bucket": BUCKET,
        "region": "us-east-1",
    }
    assert "uploaderSecretAccessKey" in run.secret_outputs


def test_the_first_key_keeps_its_name_and_later_ones_bear_their_generation(run: Run) -> None:
    assert {name: key.inputs["status"] for name, key in run.of("iam/accessKey").items()} == {"uploader": "Active"}
    later = changed(uploaderKeyGeneration="3", uploaderPreviousKey="inactive")
    keys = {name: key.inputs["status"] for name, key in later.of("iam/accessKey").items()}
    assert keys == {"uploader-2": "Inactive", "uploader-3": "Active"}
    assert later.outputs["uploaderAccessKeyId"] == "uploader-3-id"
    second = changed(uploaderKeyGeneration="2", uploaderPreviousKey="active")
    assert set(second.of("iam/accessKey")) == {"uploader", "uploader-2"}


ROLE = {
    "uploader": "role",
    "uploaderPrincipal": "arn:aws:iam::999999999999:role/livekit-egress",
    "uploaderExternalId": "external-id-that-is-kept",
}


def test_a_role_has_the_same_rights_and_no_key_exists() -> None:
    run = changed(**ROLE, recordRooms="true", livekitUrl="wss://practice.livekit.cloud")
    assert not [r for r in run.resources if r.type.startswith("aws:iam/accessKey") or r.type.startswith("aws:iam/user")]
    assert "uploader" not in run.of("secretsmanager/secret")
    role = run.of("iam/role")["uploader"]
    expected = identity_policies.uploader_trust(ROLE["uploaderPrincipal"], ROLE["uploaderExternalId"])
    assert json.loads(role.inputs["assumeRolePolicy"]) == expected
    put = identity_policies.uploader(
        f"arn:aws:s3:us-east-1:{ACCOUNT}:{BUCKET}",
        "recordings/",
        f"arn:aws:kms:us-east-1:{ACCOUNT}:recordings",
        "us-east-1",
    )
    assert json.loads(run.one("iam/rolePolicy", "uploader")["policy"]) == put
    outputs = Outputs.of("practice", run.outputs)
    assert outputs.uploader_role_arn.endswith("uploader")
    assert (outputs.uploader_user, outputs.uploader_access_key_id, outputs.uploader_secret_access_key) == ("", "", "")
    kept = run.of("secretsmanager/secretVersion")["credentials"].inputs["secretString"]
    assert Secrets.from_json(kept).uploader == Uploader(
        role_arn=outputs.uploader_role_arn, external_id=ROLE["uploaderExternalId"]
    )


def test_the_key_before_a_role_stays_while_recordings_end_with_it() -> None:
    run = changed(**ROLE, uploaderPreviousKey="active")
    assert {name: key.inputs["status"] for name, key in run.of("iam/accessKey").items()} == {"uploader": "Active"}
    assert run.outputs["uploaderAccessKeyId"] == ""


def test_queue_is_fifo_encrypted_and_patient(run: Run) -> None:
    for name in ("events", "events-dlq"):
        queue = run.one("sqs/queue", name)
        assert queue["name"] == f"callrec-practice-{name}.fifo"
        assert queue["fifoQueue"] is True
        assert queue["contentBasedDeduplication"] is False
        assert (queue["deduplicationScope"], queue["fifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")
        assert queue["messageRetentionSeconds"] == 14 * 24 * 3600
        assert queue["sqsManagedSseEnabled"] is True
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue['name']}"
        assert json.loads(run.one("sqs/queuePolicy", name)["policy"]) == resource_policies.queue(arn)
    deliver = run.one("lambda/function", "deliver")
    assert run.one("sqs/queue", "events")["visibilityTimeoutSeconds"] >= 6 * deliver["timeout"]
    assert run.one("sqs/queue", "events")["maxMessageSize"] < run.one("sqs/queue", "events-dlq")["maxMessageSize"]
    dead = f"arn:aws:sqs:us-east-1:{ACCOUNT}:callrec-practice-events-dlq.fifo"
    redrive = json.loads(run.one("sqs/redrivePolicy", "events")["redrivePolicy"])
    assert redrive == {"deadLetterTargetArn": dead, "maxReceiveCount": 300}
    allowed = json.loads(run.one("sqs/redriveAllowPolicy", "events")["redriveAllowPolicy"])
    assert allowed == resource_policies.redrive_allow(dead.replace("-dlq", ""))


def test_deliver_works_the_queue_in_tens_with_partial_failures(run: Run) -> None:
    mapping = run.one("lambda/eventSourceMapping", "deliver")
    assert mapping["batchSize"] == 10
    assert mapping["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["scalingConfig"] == {"maximumConcurrency": 2}
    assert mapping["functionName"] == "callrec-practice-deliver"


def test_arrivals_queue_is_encrypted_and_hears_of_one_bucket_only(run: Run) -> None:
    queue = run.one("sqs/queue", "arrivals")
    assert queue["name"] == "callrec-practice-arrivals"
    assert "fifoQueue" not in queue  # S3 tells no FIFO queue
    assert "delaySeconds" not in queue
    assert queue["messageRetentionSeconds"] == 14 * 24 * 3600
    assert queue["sqsManagedSseEnabled"] is True
    assert queue["visibilityTimeoutSeconds"] == 900
    assert run.one("lambda/function", "reconcile")["timeout"] < 900  # whoever took a message is no more by then
    arns = (f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue['name']}", f"arn:aws:s3:us-east-1:{ACCOUNT}:{BUCKET}")
    policy = run.one("sqs/queuePolicy", "arrivals")
    assert policy["queueUrl"] == run.outputs["arrivalsQueueUrl"]
    assert json.loads(policy["policy"]) == resource_policies.arrivals(*arns, ACCOUNT)


def test_bucket_announces_what_arrives_under_the_prefix() -> None:
    run = changed(recordingsPrefix="calls/")
    told = run.of("s3/bucketNotification")["arrivals"]
    assert told.inputs["bucket"] == BUCKET
    assert told.inputs["queues"] == [
        {
            "id": "arrivals",
            "queueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:callrec-practice-arrivals",
            "events": ["s3:ObjectCreated:*"],
            "filterPrefix": "calls/",
        }
    ]
    assert told.parent.endswith("callrec:Arrivals::arrivals")
    assert "callrec:RecordingBucket" not in told.parent  # a teardown that keeps the bucket takes this away
    assert {urn.rsplit("::", 1)[-1] for urn in told.after if "sqs/queuePolicy" in urn} == {"arrivals"}
    assert any("s3/bucketVersioning" in urn for urn in told.after)


def test_reconcile_goes_by_the_clock_and_never_twice_at_once() -> None:
    run = changed(reconcileMinutes="20")
    function = run.one("lambda/function", "reconcile")
    assert (function["timeout"], function["memorySize"]) == (840, 512)
    rule = run.one("cloudwatch/eventRule", "reconcile")
    assert rule["name"] == "callrec-practice-reconcile"
    assert rule["scheduleExpression"] == "rate(20 minutes)"
    assert "state" not in rule  # enabled
    assert rule["description"] == "Looks for recordings that did not find their conversation"
    target = run.one("cloudwatch/eventTarget", "reconcile")
    assert target["rule"] == rule["name"]
    assert target["targetId"] == "reconcile"
    assert target["arn"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:callrec-practice-reconcile"
    waiting = run.one("lambda/functionEventInvokeConfig", "reconcile")
    assert waiting["functionName"] == function["name"]
    once = {"maximumRetryAttempts": 0, "maximumEventAgeInSeconds": 60}
    assert target["retryPolicy"] == once
    assert {name: waiting[name] for name in once} == once
    assert function["timeout"] + once["maximumEventAgeInSeconds"] <= 15 * 60  # the shortest interval
    allowed = run.one("lambda/permission", "reconcile-by-schedule")
    assert (allowed["function"], allowed["action"]) == (function["name"], "lambda:InvokeFunction")
    assert allowed["principal"] == "events.amazonaws.com"
    assert allowed["sourceArn"] == f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:{rule['name']}"
    first = {urn.rsplit("::", 1)[-1] for urn in run.of("cloudwatch/eventTarget")["reconcile"].after}
    assert "reconcile-by-schedule" in first


def test_both_that_match_conversations_do_so_as_configured() -> None:
    run = changed(matchWindowSeconds="60", settleSeconds="30")
    for name in ("deliver", "reconcile"):
        given = run.one("lambda/function", name)["environment"]["variables"]
        assert (given["CALLREC_MATCH_WINDOW_SECONDS"], given["CALLREC_SETTLE_SECONDS"]) == ("60", "30"), name


def test_reconcile_looks_back_as_configured() -> None:
    run = changed(
        reconcileMinutes="30", reconcileHours="48", recordingsPrefix="calls/", livekitUrl="wss://practice.livekit.cloud"
    )
    given = run.one("lambda/function", "reconcile")["environment"]["variables"]
    assert given["CALLREC_RECONCILE_SECONDS"] == str(48 * 3600)
    assert given["CALLREC_RECONCILE_INTERVAL_SECONDS"] == str(30 * 60)
    assert given["CALLREC_LIVEKIT_URL"] == "wss://practice.livekit.cloud"
    assert given["CALLREC_QUEUE_URL"] == run.outputs["queueUrl"]
    assert given["CALLREC_ARRIVALS_URL"] == run.outputs["arrivalsQueueUrl"]
    allowed = json.loads(run.one("iam/rolePolicy", "reconcile")["policy"])
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:callrec-practice"
    assert allowed == identity_policies.reconcile(
        secret_arn=f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:callrec-practice-credentials",
        queue_arn=f"{arn}-events.fifo",
        arrivals_queue_arn=f"{arn}-arrivals",
        bucket_arn=f"arn:aws:s3:us-east-1:{ACCOUNT}:{BUCKET}",
        prefix="calls/",
        log_group_arn=f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:/aws/lambda/callrec-practice-reconcile",
    )


def test_airtables_five_requests_a_second_are_shared_out(run: Run) -> None:
    at_once = {
        "deliver": run.one("lambda/eventSourceMapping", "deliver")["scalingConfig"]["maximumConcurrency"],
        "reconcile": 1,
    }
    in_one_second = 0
    for name, number in at_once.items():
        given = run.one("lambda/function", name)["environment"]["variables"]
        in_one_second += int(number) * math.ceil(1000 / int(given["CALLREC_AIRTABLE_INTERVAL_MS"]))
        for part, key in (("URL", "url"), ("BASE", "base"), ("TABLE", "table")):
            assert given[f"CALLREC_AIRTABLE_{part}"] == run.outputs["airtable"][key]
        assert json.loads(given["CALLREC_AIRTABLE_FIELDS"]) == run.outputs["airtable"]["fields"]
    assert in_one_second == 5


@pytest.mark.parametrize("name", ["receive", "deliver", "play", "reconcile"])
def test_each_function_has_its_own_role_and_log(run: Run, name: str) -> None:
    function = run.one("lambda/function", name)
    assert function["name"] == f"callrec-practice-{name}"
    assert function["handler"] == f"functions.{name}.handler"
    assert (function["runtime"], function["architectures"]) == ("python3.13", ["arm64"])
    assert function["role"] == f"arn:aws:iam:us-east-1:{ACCOUNT}:callrec-practice-{name}"
    trust = json.loads(run.one("iam/role", name)["assumeRolePolicy"])
    assert trust == identity_policies.trust("lambda.amazonaws.com")
    log = run.one("cloudwatch/logGroup", name)
    days = 2192 if name == "play" else 90
    assert (log["name"], log["retentionInDays"]) == (f"/aws/lambda/callrec-practice-{name}", days)
    assert "reservedConcurrentExecutions" not in function
    allowed = json.loads(run.one("iam/rolePolicy", name)["policy"])["Statement"]
    [writes] = [s for s in allowed if s["Sid"] == "WriteLog"]
    assert writes["Resource"].endswith(f":/aws/lambda/callrec-practice-{name}:*")


def test_concurrency_and_runtime_are_configurable() -> None:
    run = changed(
        receiveConcurrency="20", deliverConcurrency="5", playConcurrency="10", reconcileConcurrency="2",
        functionRuntime="python3.12", functionArchitecture="x86_64",
    )  # fmt: skip
    functions = run.of("lambda/function")
    reserved = {name: f.inputs["reservedConcurrentExecutions"] for name, f in functions.items()}
    assert reserved == {"receive": 20, "deliver": 5, "play": 10, "reconcile": 2}
    assert {f.inputs["runtime"] for f in functions.values()} == {"python3.12"}
    assert {tuple(f.inputs["architectures"]) for f in functions.values()} == {("x86_64",)}


@pytest.mark.parametrize("name", ["receive", "play"])
def test_addresses_carry_both_permissions(run: Run, name: str) -> None:
    assert run.one("lambda/functionUrl", name)["authorizationType"] == "NONE"
    by_url = run.one("lambda/permission", f"{name}-url")
    assert (by_url["action"], by_url["principal"]) == ("lambda:InvokeFunctionUrl", "*")
    assert by_url["functionUrlAuthType"] == "NONE"
    invoke = run.one("lambda/permission", f"{name}-by-url")
    assert (invoke["action"], invoke["principal"]) == ("lambda:InvokeFunction", "*")
    assert invoke["invokedViaFunctionUrl"] is True


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("receive", ReceiveSettings),
        ("deliver", DeliverSettings),
        ("play", PlaySettings),
        ("reconcile", ReconcileSettings),
    ],
)
def test_a_function_reads_exactly_the_environment_it_is_given(run: Run, name: str, reader: Any) -> None:
    given = dict(run.one("lambda/function", name)["environment"]["variables"])
    reader.from_env(given)
    for variable in given:
        spoiled = {**given, variable: "\n"}
        with pytest.raises(SettingsError, match=variable):
            reader.from_env(spoiled)


def test_deliver_and_reconcile_have_no_address(run: Run) -> None:
    assert set(run.of("lambda/functionUrl")) == {"receive", "play"}


def test_credentials_hold_current_and_previous_keys() -> None:
    run = changed(
        previousLivekitApiKey="APIold",
        previousLivekitApiSecret="o" * 40,
        previousLinkSigningKey="p" * 40,
    )
    kept = run.of("secretsmanager/secretVersion")["credentials"]
    assert "secretString" in kept.secret
    assert json.loads(kept.inputs["secretString"]) == {
        "livekit_keys": {"APIpractice": SECRETS["livekitApiSecret"], "APIold": "o" * 40},
        "airtable_token": SECRETS["airtableToken"],
        "link_keys": ["p" * 40, SECRETS["linkSigningKey"]],
    }


def test_credentials_hold_the_end_of_the_previous_link_key_and_the_audit_key() -> None:
    run = changed(previousLinkSigningKey="p" * 40, previousLinkSigningKeyUntil="1800000000", auditKey="a" * 40)
    kept = Secrets.from_json(run.one("secretsmanager/secretVersion", "credentials")["secretString"])
    assert kept.link_keys == ("p" * 40, SECRETS["linkSigningKey"])
    assert (kept.link_keys_until, kept.audit_key) == (1_800_000_000, "a" * 40)


def test_recordings_play_from_everywhere_unless_networks_are_named(run: Run) -> None:
    assert "CALLREC_LINK_NETWORKS" not in run.one("lambda/function", "play")["environment"]["variables"]
    limited = changed(linkNetworks="203.0.113.0/24,2001:db8::/48")
    given = limited.one("lambda/function", "play")["environment"]["variables"]
    assert [str(network) for network in PlaySettings.from_env(given).networks] == ["203.0.113.0/24", "2001:db8::/48"]
    for name in ("receive", "deliver", "reconcile"):
        assert "CALLREC_LINK_NETWORKS" not in limited.one("lambda/function", name)["environment"]["variables"]


def test_who_listened_to_what_is_kept_as_long_as_configured() -> None:
    run = changed(playLogDays="3653", logRetentionDays="30")
    kept = {name: log.inputs["retentionInDays"] for name, log in run.of("cloudwatch/logGroup").items()}
    assert kept == {"receive": 30, "deliver": 30, "play": 3653, "reconcile": 30}


def test_credentials_hold_no_previous_key_by_default(run: Run) -> None:
    kept = json.loads(run.one("secretsmanager/secretVersion", "credentials")["secretString"])
    assert list(kept["livekit_keys"]) == ["APIpractice"]
    assert kept["link_keys"] == [SECRETS["linkSigningKey"]]


def test_recording_by_itself_is_off_unless_asked_for(run: Run) -> None:
    variables = run.one("lambda/function", "deliver")["environment"]["variables"]
    assert StartSettings.from_env(variables) is None
    assert "CALLREC_RECORD_ROOMS" not in variables
    assert "uploader" not in json.loads(run.one("secretsmanager/secretVersion", "credentials")["secretString"])


def test_deliver_gets_what_starting_recordings_takes() -> None:
    run = changed(
        recordRooms="true",
        livekitUrl="wss://practice.livekit.cloud",
        recordInclude="call-*,visit-*",
        recordingsPrefix="calls/",
        filePath="calls/{room_name}/{utc}.mp4",
        audioBitrate="48",
        audioMixing="dual-agent",
    )
    variables = run.one("lambda/function", "deliver")["environment"]["variables"]
    assert StartSettings.from_env({**variables, "AWS_REGION": "us-east-1"}) == StartSettings(
        livekit_url="wss://practice.livekit.cloud",
        livekit_key="APIpractice",
        bucket=f"callrec-practice-recordings-{ACCOUNT}",
        region="us-east-1",
        policy=Policy(include=("call-*", "visit-*"), exclude=("test-*", "debug-*")),
        options=EgressOptions(
            prefix="calls/",
            template="calls/{room_name}/{utc}.mp4",
            phone_template="calls/{room_id}-{time}.mp4",
            bitrate=48,
            mixing=Mixing.DUAL_AGENT,
            webhook_url=run.outputs["webhookUrl"],
            signing_key="APIpractice",
        ),
    )
    kept = run.of("secretsmanager/secretVersion")["credentials"]
    assert "secretString" in kept.secret
    uploader = Secrets.from_json(kept.inputs["secretString"]).uploader
    assert uploader == Uploader(access_key_id=run.outputs["uploaderAccessKeyId"], secret_access_key="uploader-secret")
    for resource in run.resources:
        shown = {name: value for name, value in resource.inputs.items() if name not in resource.secret}
        assert "uploader-secret" not in json.dumps(shown, default=str), resource
    for part in ("receive", "play", "reconcile"):
        assert not any("RECORD_ROOMS" in name for name in run.one("lambda/function", part)["environment"]["variables"])


def test_a_secret_leaves_its_name_free_at_once(run: Run) -> None:
    """`pulumi up` after a teardown needs the names again."""
    assert {s.inputs["recoveryWindowInDays"] for s in run.of("secretsmanager/secret").values()} == {0}


def test_secrets_are_never_plain(run: Run) -> None:
    for resource in run.resources:
        shown = {name: value for name, value in resource.inputs.items() if name not in resource.secret}
        for secret in (*SECRETS.values(), "uploader-secret"):
            assert secret not in json.dumps(shown, default=str), resource
    shown = {name: value for name, value in run.outputs.items() if name not in run.secret_outputs}
    for secret in (*SECRETS.values(), "uploader-secret"):
        assert secret not in json.dumps(shown, default=str)


def test_everything_that_can_be_is_tagged(run: Run) -> None:
    tagged = {
        "s3/bucket", "kms/key", "iam/user", "iam/role", "secretsmanager/secret", "sqs/queue", "lambda/function",
        "cloudwatch/logGroup", "cloudwatch/eventRule",
    }  # fmt: skip
    for kind in tagged:
        for resource in run.of(kind).values():
            assert resource.inputs["tags"] == {
                "application": "callrec",
                "stack": "practice",
                "managed-by": "pulumi",
            }, resource


def test_every_resource_stands_in_a_component(run: Run) -> None:
    made = [resource for resource in run.resources if resource.type.startswith("aws:")]
    assert made
    assert [resource for resource in made if "callrec:" not in resource.parent] == []
    [function] = [r for r in run.resources if r.type == "callrec:Function" and r.name == "reconcile"]
    assert function.parent.endswith("$callrec:Reconcile::reconcile")


def test_every_rule_is_an_alarm_that_tells_the_topic(run: Run) -> None:
    topic = run.outputs["alarmTopicArn"]
    made = {name: resource.inputs for name, resource in run.of("cloudwatch/metricAlarm").items()}
    assert len(made) > 10
    assert [f"callrec-practice-{name}" for name in made] == run.outputs["alarms"]
    assert all(alarm["alarmActions"] == [topic] for alarm in made.values())
    assert {name for name, alarm in made.items() if alarm["okActions"]} == {
        "dead-letters",
        "queue-age",
        "reconcile-late",
    }
    late = made["reconcile-late"]
    assert (late["treatMissingData"], late["comparisonOperator"]) == ("breaching", "LessThanThreshold")
    others = [alarm for name, alarm in made.items() if name != "reconcile-late"]
    assert {alarm["treatMissingData"] for alarm in others} == {"notBreaching"}
    assert {alarm["comparisonOperator"] for alarm in others} == {"GreaterThanOrEqualToThreshold"}
    assert made["queue-age"]["dimensions"] == {"QueueName": run.one("sqs/queue", "events")["name"]}
    assert made["dead-letters"]["dimensions"] == {"QueueName": run.one("sqs/queue", "events-dlq")["name"]}
    for part in ("receive", "deliver", "play", "reconcile"):
        assert made[f"{part}-errors"]["dimensions"] == {"FunctionName": run.one("lambda/function", part)["name"]}


def test_only_alarms_of_the_account_may_publish(run: Run) -> None:
    document = json.loads(run.one("sns/topicPolicy", "alarms")["policy"])
    assert document == resource_policies.alarm_topic(run.outputs["alarmTopicArn"], ACCOUNT, "aws", "us-east-1")


def test_nobody_is_told_unless_named_and_everybody_who_is(run: Run) -> None:
    assert not run.of("sns/topicSubscription")
    named = changed(alarmEmail="a@example.org, b@example.org").of("sns/topicSubscription").values()
    assert [(one.inputs["protocol"], one.inputs["endpoint"]) for one in named] == [
        ("email", "a@example.org"),
        ("email", "b@example.org"),
    ]


def test_the_dashboard_shows_every_figure_and_every_alarm(run: Run) -> None:
    made = run.one("cloudwatch/dashboard", "dashboard")
    assert run.outputs["dashboard"] == made["dashboardName"] == "callrec-practice-overview"
    assert run.outputs["dashboardUrl"].endswith("#dashboards/dashboard/callrec-practice-overview")
    widgets = json.loads(made["dashboardBody"])["widgets"]
    shown = [widget["properties"] for widget in widgets if widget["type"] == "metric"]
    wanted = figures(
        Watched(
            stack="practice",
            functions=run.outputs["functions"],
            queue="callrec-practice-events.fifo",
            dead_letters="callrec-practice-events-dlq.fifo",
            reconcile_minutes=15,
            settle_seconds=900,
        )
    )
    assert [one["title"] for one in shown] == [figure.title for figure in wanted]
    for one, figure in zip(shown, wanted, strict=True):
        assert [line[:2] for line in one["metrics"]] == [[s.metric.namespace, s.metric.name] for s in figure.series]
    [states] = [widget["properties"]["alarms"] for widget in widgets if widget["type"] == "alarm"]
    assert [arn.rpartition(":")[2] for arn in states] == run.outputs["alarms"]
    [text] = [widget["properties"]["markdown"] for widget in widgets if widget["type"] == "text"]
    assert all(f"`{figure.do} --stack practice`" in text for figure in wanted)
    taken = [
        (x, y) for w in widgets for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_stacks_live_side_by_side() -> None:
    def names(stack: str) -> set[str]:
        made = run_program(stack=stack).resources
        physical = {str(r.inputs.get("name") or r.inputs.get("bucket")) for r in made if r.type.startswith("aws:")}
        return physical - {"None", "put-recordings", "own-step-only"}

    first, second = names("north"), names("south")
    assert len(first) == 35
    assert not first & second


def test_outputs_are_what_the_commands_read(run: Run) -> None:
    outputs = Outputs.of("practice", run.outputs)
    assert outputs.bucket == BUCKET
    assert outputs.webhook_url == "https://receive.lambda-url.us-east-1.on.aws"
    assert outputs.play_url == "https://play.lambda-url.us-east-1.on.aws"
    assert outputs.functions["deliver"] == "callrec-practice-deliver"
    assert outputs.functions["reconcile"] == "callrec-practice-reconcile"
    assert outputs.arrivals_queue_url == f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/callrec-practice-arrivals"
    assert outputs.reconcile_minutes == 15
    assert outputs.log_groups["reconcile"] == "/aws/lambda/callrec-practice-reconcile"
    assert outputs.log_groups["play"] == "/aws/lambda/callrec-practice-play"
    assert outputs.airtable.fields["recording_url"] == "audio_recording_url"
    assert outputs.bucket_settings["archiveAfterDays"] == 30


def test_the_folder_runs_as_the_official_cli_runs_it() -> None:
    """The Python language host runs the folder `infra` by `runpy`, under the name `__main__`."""

    def program() -> None:
        runpy.run_path(str(ROOT / "infra"), run_name="__main__")

    run = run_program(program=program)
    assert run.one("s3/bucket", "recordings")["bucket"] == BUCKET
