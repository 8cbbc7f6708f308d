"""The local AWS on the test's clock: queue visibility, deduplication and the times of objects are its own times."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from scripts.aws_access import AwsAccess, Key
from scripts.local import emulator
from scripts.local.certificates import Certificates, issue
from scripts.local.process import free_port
from tests.faults.clock import Clock

_PR_SET_PDEATHSIG = 1
CLOCK = "CALLREC_FAULTS_CLOCK"
_STARTS = 3


@contextmanager
def run(folder: Path, clock: Clock) -> Generator[AwsAccess]:
    """Run it with all of its files under `folder` until the block ends; gives access as the account's root."""
    scratch = folder / "emulator"
    scratch.mkdir(parents=True)
    certificates = issue(folder / "certificates")
    process, endpoint = _started(folder, scratch, certificates, clock)
    try:
        yield AwsAccess(
            region=emulator.REGION,
            key=Key(access_key_id=emulator.ROOT_KEY[0], secret_access_key=emulator.ROOT_KEY[1]),
            endpoint_url=endpoint,
            ca_bundle=certificates.bundle,
        )
    finally:
        process.kill()  # what it holds in memory is of no more use
        process.wait()


def _started(
    folder: Path, scratch: Path, certificates: Certificates, clock: Clock
) -> tuple[subprocess.Popen[bytes], str]:
    """Its process and where it listens: at another port when somebody took the first before it could."""
    for _ in range(_STARTS):
        port = free_port()
        endpoint = f"https://127.0.0.1:{port}"
        with (folder / "emulator.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.emulator_process"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=emulator.environment(port, scratch, certificates) | {CLOCK: str(clock.path)},
            )
        if _comes_up(endpoint, certificates.bundle, process):
            return process, endpoint
    raise AssertionError(f"the emulator ends while it starts: {(folder / 'emulator.log').read_text()[-500:]}")


def _comes_up(endpoint: str, bundle: Path, process: subprocess.Popen[bytes]) -> bool:
    """Whether it answers, rather than ends; AssertionError when it does neither."""
    until = time.monotonic() + emulator.START_SECONDS
    while not emulator._healthy(endpoint, bundle):
        if process.poll() is not None:
            return False
        if time.monotonic() > until:
            process.kill()
            process.wait()
            raise AssertionError("the emulator does not start")
        time.sleep(0.02)
    return True


def end_with_parent() -> None:
    """Called by a process that must not outlive the one that started it, however that one ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def client(aws: AwsAccess, service: str) -> Any:
    """A boto3 client as the account's root; made fast, as one session reads the services' descriptions for all."""
    return _session().client(
        service,
        region_name=aws.region,
        endpoint_url=aws.endpoint_url,
        verify=str(aws.ca_bundle),
        aws_access_key_id=emulator.ROOT_KEY[0],
        aws_secret_access_key=emulator.ROOT_KEY[1],
    )


@cache
def _session() -> Any:
    return boto3.Session()
