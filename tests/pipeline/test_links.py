"""`callrec link` on the local stack: links are revoked, renewed, shown once, accounted for; networks are kept out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from infra.functions.links import Links
from scripts.link.trail import iso
from scripts.recordings import conversations
from tests.pipeline.calls import wait_for
from tests.pipeline.conftest import Local
from tests.pipeline.surgery import CONTENT, DAY, Surgery, surgery_of, table

pytestmark = pytest.mark.pipeline

Make = Callable[..., Surgery]


@pytest.fixture(autouse=True)
def at_the_stand_ins_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "INTERVAL_SECONDS", 0.25)


@pytest.fixture(scope="module")
def surgery(local: Local) -> Iterator[Make]:
    """Makes them, and leaves neither recordings nor conversations."""
    made: list[Surgery] = []

    def make(egress: str, *, lifetime_s: int) -> Surgery:
        made.append(surgery_of(local, egress, lifetime_s=lifetime_s))
        return made[-1]

    yield make
    s3, bucket = local.deployment.aws.client("s3"), local.deployment.outputs.bucket
    for one in made:
        s3.delete_object(Bucket=bucket, Key=one.key, VersionId=one.version)
    table(local).batch_delete([one.record for one in made])


@pytest.fixture(scope="module")
def desk(surgery: Make) -> Surgery:
    return surgery("EG_desk", lifetime_s=30 * DAY)


def test_a_revoked_link_says_so_and_leaves_its_line(surgery: Make, local: Local) -> None:
    made = surgery("EG_leaked", lifetime_s=30 * DAY)
    s3: Any = local.deployment.aws.client("s3")
    where = {"Bucket": local.deployment.outputs.bucket, "Key": made.key, "VersionId": made.version}
    own = [{"Key": "kept", "Value": "by the practice"}]
    s3.put_object_tagging(**where, Tagging={"TagSet": own})
    assert made.get().content == CONTENT
    leaked = made.link

    dry = made.told("revoke", made.egress, "--dry-run")
    assert (dry["dryRun"], dry["recordings"][0]["conversations"]) == (True, [made.record])
    assert made.get(leaked).content == CONTENT

    done = made.told("revoke", made.egress)
    assert done["recordings"][0]["version"] == made.version
    made.shows("revoked", leaked)
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(**where)["TagSet"]}
    assert tags == {"kept": "by the practice", "callrec-revoked-before": str(done["recordings"][0]["revokedUntil"])}

    # Nothing is issued anew unless somebody says so; then the old one stays ended.
    assert made.told("refresh", made.egress)["counts"]["revoked"] == 1
    assert "were revoked" in made.told("show", made.egress, code=1)["error"]
    assert made.link == leaked
    assert made.told("refresh", made.egress, "--again")["counts"]["renewed"] == 1
    assert made.get().content == CONTENT
    made.shows("revoked", leaked)

    # A leaked link itself is enough to end those of its recording.
    assert made.told("revoke", "-", given=made.link)["recordings"][0]["egressId"] == made.egress
    made.shows("revoked")

    def outcomes() -> list[str] | None:
        seen = [one["outcome"] for one in made.told("audit", made.egress)["requests"]]
        return seen if len(seen) >= 6 else None

    wait_for(outcomes, "the audit lines")
    shown = made.told("audit", made.egress)
    expected = ["played", "played", "revoked", "played", "revoked", "revoked"]
    assert [one["outcome"] for one in shown["requests"]] == expected
    [(source, times)] = shown["played"].items()
    assert times == 3
    assert {one["source"] for one in shown["requests"]} == {source}
    issued = Links([local.deployment.config["linkSigningKey"]]).read(leaked.rpartition("/r/")[2]).issued_at
    assert shown["requests"][0]["linkIssued"] == iso(issued)
    printed = made.run("audit", made.egress, "--since", "1h", json_too=False)
    assert source in printed.stdout
    assert "played 3 times from 1 addresses, asked for 6 times" in printed.stdout
    told = json.dumps(shown) + printed.output
    for secret in (leaked.rpartition("/r/")[2][:40], made.link.rpartition("/r/")[2][:40], "127.0.0.1", "calls/"):
        assert secret not in told
    assert made.told("audit", "EG_other")["requests"] == []


def test_what_ends_soon_is_issued_anew_for_the_same_conversation(surgery: Make, local: Local) -> None:
    soon, over = (surgery(f"EG_{name}", lifetime_s=life) for name, life in (("soon", DAY), ("over", 1)))
    late = surgery("EG_late", lifetime_s=300 * DAY)
    links = [one.link for one in (soon, over, late)]
    over.shows("expired")
    both = f"{links[0]}\n{links[2]}"
    table(local).update(soon.record, {"audio_recordings": both})
    wrong = surgery("EG_wrong", lifetime_s=DAY)
    table(local).update(wrong.record, {"room_id": "RM_another"})
    before = {one.egress: one.cells for one in (soon, over, late, wrong)}

    dry = soon.told("refresh", "--expiring", "7d", "--dry-run", code=1)
    assert dry["counts"]["renewed"] >= 3
    assert before == {one.egress: one.cells for one in (soon, over, late, wrong)}
    done = soon.told("refresh", "--expiring", "7d", code=1)
    rows = {(row["conversation"], row["listed"]): row["outcome"] for row in done["links"]}
    assert rows[soon.record, False] == rows[soon.record, True] == rows[over.record, False] == "renewed"
    assert rows[wrong.record, False] == "contradicts"
    assert late.record not in {record for record, _ in rows}

    keys = Links([local.deployment.config["linkSigningKey"]])
    for one in (soon, over):
        assert one.get().content == CONTENT
        old = keys.read(before[one.egress]["audio_recording_url"].rpartition("/r/")[2])
        renewed = keys.read(one.link.rpartition("/r/")[2])
        assert renewed == replace(old, issued_at=renewed.issued_at, expires_at=renewed.expires_at)
        assert renewed.expires_at == renewed.issued_at + 30 * DAY
    assert [one.link for one in (late, wrong)] == [links[2], before["EG_wrong"]["audio_recording_url"]]
    first, second = soon.cells["audio_recordings"].splitlines()
    assert keys.read(first.rpartition("/r/")[2]).egress_id == "EG_soon"
    assert (first, second) == (soon.link, links[2])
    unrelated = {name: value for name, value in before["EG_soon"].items() if not name.startswith("audio_")}
    assert unrelated.items() <= soon.cells.items()

    again = soon.told("refresh", "--expiring", "7d", code=1)  # what is fresh is skipped
    assert again["counts"]["renewed"] == 0
    table(local).update(wrong.record, {"room_id": f"RM_{wrong.egress}"})


def test_an_erased_or_lost_recording_gets_no_new_link(surgery: Make, local: Local) -> None:
    erased, lost = (surgery(f"EG_{name}", lifetime_s=DAY) for name in ("erased", "lost"))
    s3, bucket = local.deployment.aws.client("s3"), local.deployment.outputs.bucket
    for one in (erased, lost):
        s3.delete_object(Bucket=bucket, Key=one.key, VersionId=one.version)
    erasure = s3.put_object(Bucket=bucket, Key="erasures/EG_erased.json", Body=b"{}")["VersionId"]
    for one, name in ((erased, "erased"), (lost, "gone")):
        link = one.link
        one.shows(name)
        assert one.told("refresh", one.egress)["counts"][name] == 1
        assert one.told("show", one.egress, "--again", code=1)["ok"] is False
        assert one.link == link
    s3.delete_object(Bucket=bucket, Key="erasures/EG_erased.json", VersionId=erasure)


def test_a_one_off_link_plays_and_stands_nowhere(desk: Surgery) -> None:
    before = desk.link
    done = desk.run("show", desk.egress, "--minutes", "10", json_too=False)
    [url] = done.stdout.splitlines()
    assert desk.get(url).content == CONTENT
    assert desk.link == before
    link = Links([desk.local.deployment.config["linkSigningKey"]]).read(url.rpartition("/r/")[2])
    assert link.expires_at - link.issued_at == 600
    assert "plays until" in done.stderr
    assert url not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("show", "call-7"), ("revoke", "../x"), ("audit", "EG 1"), ("refresh", "--again"), ("revoke", "-")]
)
def test_what_names_no_recording_is_refused(desk: Surgery, arguments: tuple[str, ...]) -> None:
    assert desk.told(*arguments, code=2, given="no link")["ok"] is False


def test_a_recording_that_no_conversation_links_is_told(desk: Surgery) -> None:
    assert "no conversation has a link" in desk.told("revoke", "EG_nowhere", code=1)["error"]


def test_nothing_is_signed_with_a_key_that_is_not_in_use(desk: Surgery) -> None:
    config = {**desk.local.deployment.config, "linkSigningKey": "n" * 40}
    other = replace(desk, local=replace(desk.local, deployment=replace(desk.local.deployment, config=config)))
    for command in ("show", "refresh"):
        assert "pulumi up" in other.told(command, desk.egress, code=2)["error"]


def test_from_another_network_nobody_listens(desk: Surgery) -> None:
    deployment = desk.local.deployment
    functions, name = deployment.aws.client("lambda"), deployment.outputs.functions["play"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    changed = variables | {"CALLREC_LINK_NETWORKS": "203.0.113.0/24"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
    try:
        wait_for(lambda: desk.get().status_code == 403, "the refusal")
        desk.shows("network")
        changed["CALLREC_LINK_NETWORKS"] = "203.0.113.0/24,127.0.0.0/8"
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
        wait_for(lambda: desk.get().status_code == 200, "the recording")
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    wait_for(lambda: "network" in {one["outcome"] for one in desk.told("audit", desk.egress)["requests"]}, "its line")
