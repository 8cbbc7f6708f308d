"""The AWS stand-in under the real engine and on the real emulator: one deployment's whole life."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from scripts.local.aws_provider.registry import KINDS
from scripts.local.aws_provider.schema import output_names

from .bench import REGION, Bench, Run, run
from .program import ACCOUNT, Wanted, everything, write_zip
from .truth import inventory, settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.pipeline

FIRST_TAGS = {"app": "callrec", "stage": "one"}
SECOND_TAGS = {"stage": "two", "owner": "office"}


@dataclass(frozen=True, kw_only=True)
class Life:
    """What was seen of one stack from its preview to its end."""

    ca_bundle: Path
    empty: dict[str, set[str]]
    previewed: Run
    after_preview: dict[str, set[str]]
    up: Run
    made: dict[str, set[str]]
    first: dict[str, Any]
    state: dict[str, Any]
    state_file: str
    answer: str
    again: Run
    refreshed: Run
    update_previewed: Run
    after_update_preview: dict[str, Any]
    updated: Run
    second: dict[str, Any]
    updated_again: Run
    refreshed_again: Run
    destroyed: Run
    left: dict[str, set[str]]


def fetch(url: str, ca_bundle: Path) -> str:
    """Returns what a Function URL answers."""
    trust = ssl.create_default_context(cafile=str(ca_bundle))
    with urllib.request.urlopen(url, context=trust, timeout=30) as answer:  # noqa: S310 - our own https address
        return answer.read().decode()


@pytest.fixture(scope="module")
def life(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Life:
    folder = tmp_path_factory.mktemp("code")
    target = bench.target
    first = Wanted(zip=write_zip(folder / "one.zip", "one"), tags=FIRST_TAGS)
    second = Wanted(
        zip=write_zip(folder / "two.zip", "two"),
        tags=SECOND_TAGS,
        days=40,
        timeout=20,
        secret="second",
        groups=("readers",),
        key_enabled=False,
        rotation=None,
        extra_policy_action="s3:GetObject",
        encryption="AES256",
        versioning="Suspended",
        reserved=None,
        url_auth="AWS_IAM",
        cors=False,
        mapping_enabled=False,
        access_key_status="Inactive",
        log_days=None,
        description="second",
        arrivals="calls/",
        rate="rate(2 hours)",
        rule_state="DISABLED",
        retries=1,
    )
    seen: dict[str, Any] = {"ca_bundle": target.ca_bundle, "empty": inventory(target)}
    stack = bench.stack("life", lambda: everything(first))
    try:
        seen["previewed"] = run(stack.preview)
        seen["after_preview"] = inventory(target)
        seen["up"] = up = run(stack.up)
        assert up.failed is None, up.failed
        seen["made"] = inventory(target)
        seen["first"] = settings(target, up.outputs["queueUrl"])
        seen["state"] = stack.export_stack().deployment
        seen["state_file"] = bench.state_of("life")
        seen["answer"] = fetch(up.outputs["functionUrl"], target.ca_bundle or folder)
        seen["again"] = run(stack.up)
        seen["refreshed"] = run(stack.refresh)
        stack.workspace.program = lambda: everything(second)
        seen["update_previewed"] = run(stack.preview)
        seen["after_update_preview"] = settings(target, up.outputs["queueUrl"])
        seen["updated"] = run(stack.up)
        seen["second"] = settings(target, up.outputs["queueUrl"])
        seen["updated_again"] = run(stack.up)
        seen["refreshed_again"] = run(stack.refresh)
    finally:
        seen["destroyed"] = run(stack.destroy)
    seen["left"] = inventory(target)
    return Life(**seen)


def test_preview_shows_every_resource_and_touches_nothing(life: Life) -> None:
    assert life.previewed.failed is None
    assert life.previewed.ops() == {"create"}
    assert life.after_preview == life.empty


def test_up_creates_a_resource_of_every_type(life: Life) -> None:
    assert life.up.ops() == {"create"}
    assert {resource["type"] for resource in life.state["resources"]} >= set(KINDS)


def test_up_makes_the_physical_things(life: Life) -> None:
    made = {kind: names - life.empty[kind] for kind, names in life.made.items()}
    assert made["buckets"] == {"standin-recordings", "standin-logs"}
    assert made["aliases"] == {"alias/standin"}
    assert made["groups"] == {"standin-writers", "standin-readers"}
    assert made["queues"] == {
        life.up.outputs["queueName"],
        "standin-dead.fifo",
        "standin-plain",
        "standin-plain-dead",
        "standin-arrivals",
    }
    counts = {kind: len(made[kind]) for kind in ("keys", "users", "roles", "secrets", "functions", "mappings", "rules")}
    assert counts == dict.fromkeys(counts, 1)
    assert made["log groups"] >= {"/standin/function"}
    assert made["topics"] == {"standin-alarms"}
    assert made["alarms"] | made["dashboards"] == {"standin-alarm", "standin-dashboard"}


def test_aws_has_what_the_program_wants(life: Life, tmp_path: Path) -> None:
    first, code = life.first, write_zip(tmp_path / "one.zip", "one").read_bytes()
    assert first["versioning"] == "Enabled"
    assert first["encryption"] == "aws:kms"
    assert set(first["public access"].values()) == {True}
    assert first["ownership"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert first["bucket policy"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert first["lifecycle"] == {"days": 30, "names": {"keep", "uploads"}}
    assert first["logging"] == "standin-logs"
    assert first["lock"] == {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}
    assert first["key"] == {
        "description": "first",
        "enabled": True,
        "rotation": 180,
        "sid": "first",
        "tags": FIRST_TAGS,
    }
    assert first["members"] == ["standin-writers"]
    assert first["group policy"] == first["role policy"] == "s3:AbortMultipartUpload"
    assert first["access keys"] == ["Active"]
    assert first["secret"] == {"description": "first", "word": "first", "tags": FIRST_TAGS}
    assert first["queue"] == {
        "fifo": "true",
        "limit": "perMessageGroupId",
        "policy": "sqs:*",
        "receives": 5,
        "retention": "1209600",
        "tags": FIRST_TAGS,
        "visibility": "60",
    }
    assert first["redrive"] == 10
    assert first["redrive allow"]["sourceQueueArns"] == [
        f"arn:aws:sqs:{REGION}:{ACCOUNT}:{life.up.outputs['queueName']}"
    ]
    assert first["function"] == {
        "code": first["function"]["code"],
        "description": "first",
        "environment": {"DAYS": "30"},
        "format": "JSON",
        "reserved": 5,
        "tags": FIRST_TAGS,
        "timeout": 10,
    }
    assert len(base64.b64decode(first["function"]["code"])) == hashlib.sha256(code).digest_size
    assert first["url"] == {"auth": "NONE", "origins": ["*"]}
    assert first["permissions"] == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert first["mapping"] == {
        "batch": 10,
        "concurrency": 2,
        "responses": ["ReportBatchItemFailures"],
        "state": "Enabled",
        "tags": FIRST_TAGS,
    }
    assert first["notification"] == [
        {"queue": "standin-arrivals", "events": ["s3:ObjectCreated:*"], "rules": [("prefix", "recordings/")]}
    ]
    assert first["rule"] == {
        "description": "first",
        "schedule": "rate(1 minute)",
        "state": "ENABLED",
        "tags": FIRST_TAGS,
    }
    assert first["targets"] == [
        {
            "Id": "function",
            "Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:standin-function",
            "Input": '{"rawPath": "first"}',
            "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
        }
    ]
    assert first["invoke config"] == (0, 60)
    assert first["log group"] == {"days": 7, "tags": FIRST_TAGS}
    assert first["alarm"] == {
        "threshold": 30.0,
        "dimensions": [{"Name": "QueueName", "Value": "standin-dead.fifo"}],
        "tags": FIRST_TAGS,
    }
    assert first["topic"] == {
        "name": "first",
        "policy": "first",
        "told": ["first@example.org"],
        "tags": FIRST_TAGS,
    }
    assert first["bucket tags"] == first["user tags"] == first["role tags"] == FIRST_TAGS


def test_outputs_are_those_of_pulumi_aws(life: Life) -> None:
    for resource in life.state["resources"]:
        kind = KINDS.get(resource["type"])
        if kind is not None:
            told = {name for name in resource["outputs"] if not name.startswith("__")}
            assert told <= output_names(kind.resource), resource["type"]


def test_ids_are_of_the_real_providers_form(life: Life) -> None:
    ids = {resource["urn"].rsplit("::", 1)[-1]: resource.get("id") for resource in life.state["resources"]}
    key, secret = ids["key"], life.up.outputs["secretArn"]
    assert ids["bucket"] == ids["versioning"] == ids["lifecycle"] == "standin-recordings"
    assert ids["alias"] == "alias/standin"
    assert len(key.split("-")) == 5
    assert ids["group-policy"] == "standin-writers:write"
    assert ids["role-policy"] == "standin-role:queue"
    assert ids["membership"].startswith("terraform-")
    assert ids["access-key"] == life.up.outputs["accessKeyId"]
    assert ids["secret"] == secret
    assert ids["secret-version"].startswith(f"{secret}|")
    assert ids["queue"] == ids["queue-policy"] == life.up.outputs["queueUrl"]
    assert ids["function"] == ids["function-url"] == "standin-function"
    assert ids["invoke-url"] == "url"
    assert ids["invoke-config"] == "standin-function"
    assert ids["notification"] == "standin-recordings"
    assert ids["rule"] == "standin-rule"
    assert ids["target"] == "standin-rule-function"
    assert ids["log-group"] == "/standin/function"


def test_names_the_program_does_not_give_are_made_up_and_stay(life: Life) -> None:
    assert life.up.outputs["queueName"].startswith("queue-")
    assert life.up.outputs["queueName"].endswith(".fifo")
    assert life.updated.outputs["queueName"] == life.up.outputs["queueName"]


def test_data_sources_answer(life: Life) -> None:
    told = {name: life.up.outputs[name] for name in ("account", "region", "partition")}
    assert told == {"account": ACCOUNT, "region": REGION, "partition": "aws"}


def test_function_url_answers_where_the_output_says(life: Life) -> None:
    assert life.answer == "one"


def test_secrets_are_encrypted_in_the_state(life: Life) -> None:
    assert life.up.outputs["accessKeyId"] in life.state_file
    assert life.up.outputs["secretAccessKey"] in json.dumps(life.state)
    assert life.up.outputs["secretAccessKey"] not in life.state_file


@pytest.mark.parametrize("which", ["again", "refreshed", "updated_again", "refreshed_again"])
def test_nothing_changes_when_nothing_changed(life: Life, which: str) -> None:
    seen: Run = getattr(life, which)
    assert seen.failed is None
    assert seen.steps
    assert seen.ops() <= {"same", "refresh"}


def test_preview_of_an_update_touches_nothing(life: Life) -> None:
    assert life.update_previewed.failed is None
    assert life.after_update_preview == life.first


def test_update_changes_in_place_what_it_can(life: Life) -> None:
    assert life.updated.failed is None
    replaced = {step.name for step in life.updated.steps if "replace" in step.op}
    assert replaced == {"secret-version", "subscription"}
    updated = {step.name for step in life.updated.steps if step.op == "update"}
    assert updated == {step.name for step in life.update_previewed.steps if step.op == "update"}


def test_aws_has_what_the_changed_program_wants(life: Life) -> None:
    first, second = life.first, life.second
    assert second["versioning"] == "Suspended"
    assert second["encryption"] == "AES256"
    assert second["lifecycle"]["days"] == 40
    assert second["lock"] == {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 40}}
    assert second["key"] == {
        "description": "second",
        "enabled": False,
        "rotation": None,
        "sid": "second",
        "tags": SECOND_TAGS,
    }
    assert second["members"] == ["standin-readers"]
    assert second["group policy"] == second["role policy"] == "s3:GetObject"
    assert second["access keys"] == ["Inactive"]
    assert second["secret"] == {"description": "second", "word": "second", "tags": SECOND_TAGS}
    assert second["queue"] == first["queue"] | {"tags": SECOND_TAGS, "visibility": "120"}
    assert second["redrive"] == 20
    assert second["function"].pop("code") != first["function"]["code"]
    assert second["function"] == {
        "description": "second",
        "environment": {"DAYS": "40"},
        "format": "JSON",
        "reserved": None,
        "tags": SECOND_TAGS,
        "timeout": 20,
    }
    assert second["url"] == {"auth": "AWS_IAM", "origins": None}
    assert second["mapping"] == first["mapping"] | {"state": "Disabled", "tags": SECOND_TAGS}
    assert second["notification"] == [first["notification"][0] | {"rules": [("prefix", "calls/")]}]
    assert second["rule"] == {
        "description": "second",
        "schedule": "rate(2 hours)",
        "state": "DISABLED",
        "tags": SECOND_TAGS,
    }
    [target] = second["targets"]
    assert target["Input"] == '{"rawPath": "second"}'
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 1
    assert second["invoke config"] == (1, 60)
    assert second["log group"] == {"days": None, "tags": SECOND_TAGS}
    assert second["alarm"]["threshold"] == 40.0
    assert second["alarm"]["tags"] == SECOND_TAGS
    assert second["topic"] == {
        "name": "second",
        "policy": "second",
        "told": ["second@example.org"],
        "tags": SECOND_TAGS,
    }
    assert second["role"] == "second"
    assert second["bucket tags"] == second["user tags"] == second["role tags"] == SECOND_TAGS


def test_destroy_leaves_nothing(life: Life) -> None:
    assert life.destroyed.failed is None
    assert life.destroyed.ops() == {"delete"}
    logged_by_the_function = {"/aws/lambda/standin-function"}
    assert life.left | {"log groups": life.left["log groups"] - logged_by_the_function} == life.empty
