"""AWS on this machine: ministack, with signatures and policies enforced, over TLS, on loopback only."""

from __future__ import annotations

import os
import shutil
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.errors import LocalStackError
from scripts.local.certificates import Certificates, issue
from scripts.local.process import Process, free_port

REGION = "us-east-1"
# ministack takes this key, with any secret, for the account's root: never use it to show that something is refused.
ROOT_KEY = ("test", "test")
START_SECONDS = 60.0
_MORE_STARTS = 2
SERVER = "scripts.local.emulator_server"


@dataclass(frozen=True, kw_only=True, slots=True)
class Emulator:
    """Where the local AWS listens, and the bundle of authorities with which its certificate can be checked."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    ca_bundle: Path


@contextmanager
def run(folder: Path, server: str = SERVER) -> Generator[Emulator]:
    """Run the emulator, `server` by its module, with all of its files under `folder` until the block ends."""
    folder = folder.resolve()
    scratch = folder / "emulator"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True, mode=0o700)
    certificates = issue(folder / "certificates")
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, scratch, ignore_errors=True)  # the Lambda workers leave their folders behind
        process, endpoint = _started(server, folder / "emulator.log", scratch, certificates)
        ending.callback(process.stop)
        yield Emulator(
            endpoint_url=endpoint,
            region=REGION,
            access_key_id=ROOT_KEY[0],
            secret_access_key=ROOT_KEY[1],
            ca_bundle=certificates.bundle,
        )


def _started(
    server: str, log: Path, scratch: Path, certificates: Certificates, more: int = _MORE_STARTS
) -> tuple[Process, str]:
    """The emulator's process and where it listens.

    Somebody else may take the port before the emulator does, which ends then: it is started again at another one.
    """
    port = free_port()
    endpoint = f"https://127.0.0.1:{port}"
    command = [sys.executable, "-m", server]
    process = Process("the AWS emulator", command, log, environment(port, scratch, certificates))
    try:
        process.wait_until(lambda: _healthy(endpoint, certificates.bundle), START_SECONDS)
    except BaseException as error:
        ended = isinstance(error, LocalStackError) and not process.alive()
        process.stop()
        if ended and more:
            return _started(server, log, scratch, certificates, more - 1)
        raise
    return process, endpoint


def environment(port: int, scratch: Path, certificates: Certificates) -> dict[str, str]:
    """What the emulator, and with it every function it runs, sees: nothing of the user's own environment but PATH."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ROOT_KEY[0],
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY[1],
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificates.chain),
        "MINISTACK_SSL_KEY": str(certificates.key),
        "AWS_CA_BUNDLE": str(certificates.bundle),
        "REQUESTS_CA_BUNDLE": str(certificates.bundle),
        "LOG_LEVEL": "WARNING",  # an access log would hold the tokens of links
        # These two would listen on every interface, on fixed ports.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _healthy(endpoint: str, bundle: Path) -> bool:
    context = ssl.create_default_context(cafile=str(bundle))
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5, context=context) as answer:  # noqa: S310 -- always https
            return answer.status == 200  # noqa: PLR2004 -- HTTP's "OK"
    except (urllib.error.URLError, OSError):
        return False
