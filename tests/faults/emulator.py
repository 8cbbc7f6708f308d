"""The local AWS on the test's clock: queue visibility, deduplication and the times of objects are its own times."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from scripts.aws_access import AwsAccess, Key
from scripts.local import emulator
from scripts.local.certificates import issue
from scripts.local.process import Process, free_port
from tests.faults.clock import Clock

CLOCK = "CALLREC_FAULTS_CLOCK"


@contextmanager
def run(folder: Path, clock: Clock) -> Generator[AwsAccess]:
    """Run it with all of its files under `folder` until the block ends; gives access as the account's root."""
    scratch = folder / "emulator"
    scratch.mkdir(parents=True)
    certificates = issue(folder / "certificates")
    port = free_port()
    environment = emulator.environment(port, scratch, certificates) | {CLOCK: str(clock.path)}
    process = Process(
        "the AWS emulator",
        [sys.executable, "-m", "tests.faults.emulator_process"],
        folder / "emulator.log",
        environment,
    )
    endpoint = f"https://127.0.0.1:{port}"
    try:
        process.wait_until(lambda: emulator._healthy(endpoint, certificates.bundle), emulator.START_SECONDS)
        yield AwsAccess(
            region=emulator.REGION,
            key=Key(access_key_id=emulator.ROOT_KEY[0], secret_access_key=emulator.ROOT_KEY[1]),
            endpoint_url=endpoint,
            ca_bundle=certificates.bundle,
        )
    finally:
        process.stop()
        shutil.rmtree(scratch, ignore_errors=True)
