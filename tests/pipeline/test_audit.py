"""What is deployed, before the auditors' tools: every policy of the account, and the zip the functions run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infra import package
from scripts.local.stack import configuration
from tests.audit import leaks
from tests.audit.deployed import policies
from tests.audit.lint import lint
from tests.audit.muted import DEPLOYED, POLICIES, idle, unmuted
from tests.pipeline.conftest import Local

pytestmark = pytest.mark.pipeline


def test_nothing_is_found_in_any_policy_of_the_account(local: Local) -> None:
    account = local.deployment.outputs.secret_arn.split(":")[4]
    deployed = policies(local.deployment.aws)
    kinds = {name.split()[0] for name in deployed}
    assert {"trust", "role", "group", "bucket", "queue", "key", "function"} <= kinds
    findings = [finding for name, document in deployed.items() for finding in lint(name, document, account)]
    assert [str(finding) for finding in unmuted(findings, (*POLICIES, *DEPLOYED))] == []
    assert idle(findings, DEPLOYED) == []


def test_the_zip_that_runs_holds_no_secret(local: Local, tmp_path: Path) -> None:
    target = package.Target(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        architecture=str(configuration(local.services)["callrec:functionArchitecture"].value),
    )
    found = leaks.archive(package.build(target), tmp_path)
    assert sorted(found) == []
