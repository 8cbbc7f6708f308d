"""What Prowler (https://github.com/prowler-cloud/prowler) says of an account."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.errors import LocalStackError
from scripts.local.emulator import Emulator

SERVICES = ("s3", "sqs", "kms", "awslambda", "iam")
SECONDS = 1800


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Result:
    """One check of one resource: `PASS`, `FAIL` or `MANUAL`, with Prowler's reason."""

    check: str
    status: str
    resource: str
    detail: str


def results(program: Path, aws: Emulator, folder: Path) -> list[Result]:
    """Run all checks of SERVICES on an emulated account; Prowler's files stay under `folder`.

    Raises LocalStackError when it ends without an answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        str(program), "aws", "--services", *SERVICES, "--region", aws.region, "--ignore-exit-code-3",
        "--output-formats", "json-ocsf", "--output-directory", str(folder), "--output-filename", "found",
        "--no-banner", "--no-color", "--log-level", "ERROR", "--log-file", str(folder / "log.json"),
    ]  # fmt: skip
    with (folder / "said").open("w") as said:
        done = subprocess.run(
            command, check=False, cwd=folder, env=environment(aws, folder), stdout=said, stderr=said, timeout=SECONDS
        )
    found = folder / "found.ocsf.json"
    if done.returncode or not found.exists():
        last = (folder / "said").read_text()[-2000:]
        raise LocalStackError(f"Prowler answered {done.returncode}, and says no more than: {last}")
    return read(json.loads(found.read_text()))


def read(findings: Iterable[Mapping[str, Any]]) -> list[Result]:
    """Results from Prowler's OCSF document (https://schema.ocsf.io, class Detection Finding)."""
    return sorted(
        Result(
            check=finding["metadata"]["event_code"],
            status=finding["status_code"],
            resource=finding["resources"][0]["uid"],
            detail=finding["status_detail"],
        )
        for finding in findings
    )


def environment(aws: Emulator, folder: Path) -> dict[str, str]:
    """What Prowler sees: this account at this address, and nothing of the user's own."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_CA_BUNDLE": str(aws.ca_bundle),
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def checks(program: Path) -> set[str]:
    """Every check that this Prowler has for SERVICES, whether or not it was asked."""
    [services] = program.parent.parent.glob("lib/python*/site-packages/prowler/providers/aws/services")
    return {
        path.name.removesuffix(".metadata.json")
        for service in SERVICES
        for path in services.glob(f"{service}/*/*.metadata.json")
    }
