"""How old keys are, and that it is said where somebody looks; and who may be the uploader's role."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import identity_policies
from infra.policy import allow
from scripts.deployment import Deployment
from scripts.rotate import ages
from scripts.status.snapshot import Observer
from scripts.verify import keys, uploader, uploader_policy, uploader_role
from scripts.verify.bucket import bucket_arn
from scripts.verify.hop import Hop, Outcome, attempt
from scripts.verify.probe import Probe
from tests.unit.stack_support import world
from tests.unit.verify_support import FakeAws, FakeClient, deployment, refusal

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/callrec-unit-uploader"
CONFIG = {"uploaderPrincipal": "arn:aws:iam::999999999999:root", "uploaderExternalId": "the-external-id-that-is-kept"}


def stack(key_days: int = 1, secret_days: int = 1, config: dict[str, str] | None = None, **changes: Any) -> Any:
    made = {"AccessKeyId": "AKIAUNIT", "CreateDate": NOW - timedelta(days=key_days)}
    clients = {
        "iam": FakeClient(list_access_keys={"AccessKeyMetadata": [{"AccessKeyId": "AKIAother"}, made]}),
        "secretsmanager": FakeClient(describe_secret={"CreatedDate": NOW - timedelta(days=secret_days)}),
    }
    return deployment(FakeAws(clients), config=config or {}, **changes)


def days(found: Any) -> dict[str, int]:
    return {age.kind: age.days for age in ages.read(found, NOW.timestamp())}


def test_ages_come_from_iam_from_notes_and_from_the_secret() -> None:
    noted = {"callrec-rotate:links": "2026-11-14", "callrec-rotate:livekit": "no day"}
    assert days(stack(5, 100, noted)) == {"uploader": 5, "livekit": 0, "links": 10, "airtable": 100}
    everything = {f"callrec-rotate:{kind}": "2026-11-23" for kind in ("links", "livekit", "airtable")}
    found = stack(5, 100, everything, uploader_access_key_id="")
    assert days(found) == {"livekit": 1, "links": 1, "airtable": 1}
    assert found.aws.clients["secretsmanager"].calls == []


def test_verify_warns_and_does_not_fail() -> None:
    old = attempt(Hop(id="k.a", title="t", probe=lambda: keys.check(stack(91, 2), NOW.timestamp())))
    assert old.outcome is Outcome.WARNING
    assert old.seen == "LiveKit's upload key is 91 days old: callrec rotate uploader"
    fine = attempt(Hop(id="k.a", title="t", probe=lambda: keys.check(stack(90, 2), NOW.timestamp())))
    assert (fine.outcome, fine.seen) == (Outcome.OK, "the oldest, LiveKit's upload key, for 90 days")


def test_status_warns_of_old_keys_and_of_what_is_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(tmp_path, monkeypatch)
    made.config["callrec-rotate:airtable"] = "2020-01-01"
    made.config["callrec-rotate:livekit-state"] = "{}"
    handle = made.handle()

    observer = Observer(deployment=Deployment.of(handle), most=0)
    told = observer._warnings()
    assert told[0].startswith("Airtable's token is ")
    assert told[1:] == ("a rotation is under way: callrec rotate livekit",)
    made.aws.clients["iam"].answers["list_access_keys"] = refusal("AccessDenied", "ListAccessKeys")
    assert observer._warnings() == told
    asked = Observer(deployment=Deployment.of(handle), most=0)._warnings()
    assert asked[0] == "how old the keys are is not known: AWS refused ListAccessKeys (AccessDenied)"


def role(iam: dict[str, Any], sts: Any) -> Any:
    aws = FakeAws({"iam": FakeClient(**iam), "sts": FakeClient(assume_role=sts)})
    aws.uploader = FakeClient(put_object={"ServerSideEncryption": "aws:kms"})
    return deployment(
        aws,
        config=CONFIG,
        uploader_role_arn=ROLE,
        uploader_user="",
        uploader_access_key_id="",
        uploader_secret_access_key="",
    )


def test_a_role_is_trusted_with_its_external_id_only() -> None:
    trust = identity_policies.uploader_trust(CONFIG["uploaderPrincipal"], CONFIG["uploaderExternalId"])
    stack = role({"get_role": {"Role": {"AssumeRolePolicyDocument": trust}}}, {})
    assert "with the external id" in uploader_role.trusted(stack)
    bare = {**trust, "Statement": [{**trust["Statement"][0], "Condition": {}}]}
    stack = role({"get_role": {"Role": {"AssumeRolePolicyDocument": bare}}}, {})
    found = attempt(Hop(id="u.t", title="t", probe=lambda: uploader_role.trusted(stack)))
    assert found.outcome is Outcome.FAILED
    assert CONFIG["uploaderExternalId"] not in str(found)


def test_a_roles_policies_are_compared_as_a_users_are() -> None:
    iam: dict[str, Any] = {
        "list_role_policies": {"PolicyNames": ["put-recordings"]},
        "list_attached_role_policies": {"AttachedPolicies": []},
    }
    stack = role(iam, {})
    outputs = stack.outputs
    right = identity_policies.uploader(bucket_arn(outputs), outputs.prefix, outputs.key_arn, outputs.region)
    iam["get_role_policy"] = {"PolicyDocument": right}
    assert "exactly those" in uploader_policy.check(role(iam, {}))
    iam["get_role_policy"] = {"PolicyDocument": {"Statement": [*right["Statement"], allow("X", ["s3:*"], "*")]}}
    found = attempt(Hop(id="u.p", title="t", probe=lambda: uploader_policy.check(role(iam, {}))))
    assert (found.outcome, "too much" in found.seen) == (Outcome.FAILED, True)


def test_only_whoever_may_assume_the_role_tries_an_upload() -> None:
    probe = Probe.new("calls/")
    refused = role({}, refusal("AccessDenied", "AssumeRole"))
    [put] = [hop for hop in uploader.hops(refused, probe) if hop.id == uploader.PUT]
    found = attempt(put)
    assert (found.outcome, found.seen) == (
        Outcome.SKIPPED,
        "only arn:aws:iam::999999999999:root may assume the role, not you",
    )
    made = {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t"}
    allowed = role({}, {"Credentials": made})
    [put] = [hop for hop in uploader.hops(allowed, probe) if hop.id == uploader.PUT]
    assert attempt(put).outcome is Outcome.OK
    [asked] = allowed.aws.clients["sts"].called("assume_role")
    assert (asked["RoleArn"], asked["ExternalId"]) == (ROLE, CONFIG["uploaderExternalId"])
    assert next(hop.id for hop in uploader.hops(allowed, probe)) == "uploader.trust"
