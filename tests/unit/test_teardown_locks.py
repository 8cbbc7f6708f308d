"""What keeps recordings from being deleted with their stack is said before anything is touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.recordings.legal_hold import under_hold
from scripts.teardown.state import ROOT_TYPE
from tests.unit.test_teardown_command import EVERYTHING, Bench
from tests.unit.verify_support import refusal

NOW = datetime.now(UTC)


def locked(mode: str, *, days: int = 30, age: timedelta = timedelta(0)) -> Bench:
    bench = Bench()
    rule = {"DefaultRetention": {"Mode": mode, "Days": days}}

    def configuration(**call: Any) -> Any:
        if call["Bucket"] != "recordings":
            raise refusal("ObjectLockConfigurationNotFoundError")
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}}

    bench.s3.answers["get_object_lock_configuration"] = configuration
    for version in bench.s3.versions["recordings"]:
        version["LastModified"] = NOW - age
    return bench


def test_what_is_locked_by_compliance_is_refused_with_its_end() -> None:
    bench = locked("COMPLIANCE")
    done = bench.run(*EVERYTHING, "--bypass-governance")
    assert done.exit_code == 2
    assert f"the last until {NOW + timedelta(days=30):%Y-%m-%d}" in done.stderr
    assert "neither you nor AWS" in done.stderr
    assert not bench.stack.events
    assert not bench.s3.called("delete_objects")


def test_what_is_locked_by_governance_takes_the_right_and_the_word() -> None:
    bench = locked("GOVERNANCE")
    done = bench.run(*EVERYTHING)
    assert (done.exit_code, "s3:BypassGovernanceRetention" in done.stderr, bench.stack.events) == (2, True, [])
    assert bench.run(*EVERYTHING, "--bypass-governance").exit_code == 0
    assert all(call["BypassGovernanceRetention"] for call in bench.s3.called("delete_objects"))


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_locks_that_ran_out_keep_nothing(mode: str) -> None:
    bench = locked(mode, age=timedelta(days=31))
    assert bench.run(*EVERYTHING).exit_code == 0
    assert not any("BypassGovernanceRetention" in call for call in bench.s3.called("delete_objects"))


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_the_stack_goes_whatever_is_locked_and_the_plan_says_what_is(mode: str) -> None:
    bench = locked(mode)
    done = bench.run("--yes")
    assert done.exit_code == 0
    assert f"Object Lock ({mode.lower()}) keeps 2 versions" in done.stdout


def test_a_lock_of_a_single_version_is_explained_when_s3_keeps_it() -> None:
    bench = Bench()
    bench.s3.answers |= {
        "delete_objects": {"Errors": [{"Key": "calls/a.mp4", "VersionId": "1", "Code": "AccessDenied"}]},
        "get_object_retention": {"Retention": {"Mode": "COMPLIANCE", "RetainUntilDate": NOW + timedelta(days=9)}},
        "get_object_legal_hold": {"LegalHold": {"Status": "OFF"}},
    }
    done = bench.run(*EVERYTHING)
    assert done.exit_code == 1
    assert f"keeps one of them at least until {NOW + timedelta(days=9):%Y-%m-%d}" in done.stderr
    bench.s3.answers["get_object_legal_hold"] = {"LegalHold": {"Status": "ON"}}
    assert "callrec hold EGRESS_ID --release" in bench.run(*EVERYTHING).stderr


def test_a_legal_hold_of_the_stack_keeps_the_recordings_and_lets_the_stack_go() -> None:
    bench = Bench()
    bench.stack.config["callrec:legalHold"] = "true"
    done = bench.run(*EVERYTHING)
    assert (done.exit_code, "legalHold false" in done.stderr, bench.untouched) == (2, True, True)
    assert bench.run("--yes").exit_code == 0


def test_a_hold_as_deployed_counts_until_it_is_lifted_there_too() -> None:
    bench = Bench()
    [root] = [one for one in bench.stack.exported["deployment"]["resources"] if one["type"] == ROOT_TYPE]
    root["outputs"] = {"bucketSettings": {"legalHold": True}}
    bench.stack.config["callrec:legalHold"] = "false"
    done = bench.run(*EVERYTHING)
    assert (done.exit_code, "pulumi up" in done.stderr, bench.untouched) == (2, True, True)
    root["outputs"]["bucketSettings"]["legalHold"] = False
    assert bench.run(*EVERYTHING).exit_code == 0


@pytest.mark.parametrize(
    ("config", "deployed", "held"),
    [
        ({}, {}, False),
        ({"legalHold": "false"}, {"legalHold": False}, False),
        ({"legalHold": "true"}, {}, True),
        ({"legalHold": "true"}, {"legalHold": False}, True),
        ({"legalHold": "True"}, {"legalHold": False}, True),
        ({"legalHold": "false"}, {"legalHold": True}, True),
        ({}, {"legalHold": "true"}, True),
    ],
)
def test_a_hold_in_either_place_holds(config: dict[str, str], deployed: dict[str, Any], held: bool) -> None:  # noqa: FBT001
    assert under_hold(config, deployed) is held


def test_young_recordings_are_warned_of() -> None:
    bench = Bench()
    bench.s3.versions["recordings"][1]["LastModified"] = NOW - timedelta(hours=23)
    done = bench.run("--json")
    assert json.loads(done.stdout)["buckets"]["recordings"]["youngerThanADay"] == 1
    assert "1 objects are younger than a day" in bench.run().stdout


def test_bypassing_without_deleting_is_no_wish() -> None:
    done = Bench().run("--yes", "--bypass-governance")
    assert (done.exit_code, "--delete-recordings" in done.stderr) == (2, True)


class Exports:
    """A bench whose objects can be fetched."""

    def __init__(self) -> None:
        self.bench, self.order = Bench(), list[str]()
        self.bench.s3.answers["get_object"] = self._get

    def _get(self, **call: Any) -> dict[str, Any]:
        self.order.append(f"get with {self.bench.left} resources")
        version = next(one for one in self.bench.s3.versions[call["Bucket"]] if one["VersionId"] == call["VersionId"])
        return {"Body": _Body(b"x" * version["Size"])}


class _Body:
    def __init__(self, content: bytes) -> None:
        self.left = content

    def read(self, size: int) -> bytes:
        read, self.left = self.left[:size], self.left[size:]
        return read


@pytest.fixture
def exports() -> Exports:
    made = Exports()
    for versions in made.bench.s3.versions.values():
        for version in versions:
            version["LastModified"] = NOW
    return made


def test_without_yes_it_only_exports(exports: Exports, tmp_path: Path) -> None:
    done = exports.bench.run("--export", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert "2 files, 300 bytes; 2 of them fetched now" in done.stdout
    assert not exports.bench.stack.events
    assert len(list((tmp_path / "out" / "files").iterdir())) == 2


def test_a_dry_run_exports_nothing(exports: Exports, tmp_path: Path) -> None:
    assert exports.bench.run("--dry-run", "--export", str(tmp_path / "out")).exit_code == 0
    assert not (tmp_path / "out").exists()


def test_it_exports_before_anything_goes(exports: Exports, tmp_path: Path) -> None:
    whole = exports.bench.left
    done = exports.bench.run(*EVERYTHING, "--export", str(tmp_path / "out"), "--json")
    assert done.exit_code == 0, done.output
    assert exports.order == [f"get with {whole} resources"] * 2
    assert json.loads(done.stdout)["export"] == {
        "directory": str(tmp_path / "out"), "files": 2, "size": 300, "fetched": 2
    }  # fmt: skip


def test_nothing_is_deleted_when_the_export_failed(exports: Exports, tmp_path: Path) -> None:
    exports.bench.s3.answers["get_object"] = OSError("connection reset")
    done = exports.bench.run(*EVERYTHING, "--export", str(tmp_path / "out"))
    assert (done.exit_code, "the export is not complete" in done.stderr) == (1, True)
    assert not exports.bench.stack.events
    assert not exports.bench.s3.called("delete_objects")


def test_a_folder_that_cannot_be_used_is_refused_before_anything(exports: Exports, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o755)
    done = exports.bench.run(*EVERYTHING, "--export", str(tmp_path / "out"))
    assert (done.exit_code, "others can read" in done.stderr) == (2, True)
    assert not exports.bench.stack.events
