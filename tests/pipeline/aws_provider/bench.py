"""What the tests of the AWS stand-in stand on: an emulator of their own and stacks driven by the real engine."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.config
import trustme
from pulumi import automation

from scripts.local.aws_provider import AwsTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

REGION = "eu-central-1"
PROJECT = "standin"


def free_port() -> int:
    """Returns a loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def emulator(folder: Path) -> Generator[AwsTarget]:
    """Runs ministack over TLS with IAM enforced, keeping everything it writes below `folder`."""
    port = free_port()
    authority = trustme.CA()
    ca_bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_bundle))
    issued = authority.issue_cert("127.0.0.1", "localhost")
    key, chain = folder / "key.pem", folder / "chain.pem"
    issued.private_key_pem.write_to_path(str(key))
    for index, pem in enumerate(issued.cert_chain_pems):
        pem.write_to_path(str(chain), append=index > 0)
    temp = folder / "tmp"
    temp.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(temp),
        "TMPDIR": str(temp),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(chain),
        "MINISTACK_SSL_KEY": str(key),
        "AWS_CA_BUNDLE": str(ca_bundle),
        "REQUESTS_CA_BUNDLE": str(ca_bundle),
    }
    target = AwsTarget(
        endpoint_url=f"https://127.0.0.1:{port}",
        region=REGION,
        access_key_id="test",
        secret_access_key="test",
        ca_bundle=ca_bundle,
    )
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log, cwd=temp
        )
        try:
            _wait_until_it_answers(target, process)
            yield target
        finally:
            process.terminate()
            process.wait(timeout=20)
            shutil.rmtree(temp, ignore_errors=True)


def _wait_until_it_answers(target: AwsTarget, process: subprocess.Popen[bytes]) -> None:
    trust = ssl.create_default_context(cafile=str(target.ca_bundle))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the emulator ended at once with code {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, OSError):
            url = f"{target.endpoint_url}/_ministack/health"
            urllib.request.urlopen(url, context=trust, timeout=2).close()  # noqa: S310 - our own https address
            return
        time.sleep(0.1)
    raise RuntimeError("the emulator did not answer within 60 s")


def client_of(target: AwsTarget, service: str) -> Any:
    """Returns a boto3 client that asks the emulator itself, behind the provider's back."""
    session: Any = boto3.Session()  # the stubs know each service by its literal name
    return session.client(
        service,
        endpoint_url=target.endpoint_url,
        region_name=target.region,
        aws_access_key_id=target.access_key_id,
        aws_secret_access_key=target.secret_access_key,
        verify=str(target.ca_bundle),
        config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def engine_root(folder: Path) -> Path | None:
    """Returns a folder whose `bin/pulumi` is the engine; None when `pulumi` is on PATH."""
    if shutil.which("pulumi"):
        return None
    cached = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "callrec" / "engine" / "pulumi"
    if not cached.exists():
        raise RuntimeError(f"no Pulumi engine: neither on PATH nor at {cached}")
    (folder / "bin").mkdir(exist_ok=True)
    link = folder / "bin" / "pulumi"
    if not link.exists():
        link.symlink_to(cached)
    return folder


@dataclass(kw_only=True)
class Bench:
    """Makes stacks whose `aws` plugin is the stand-in listening on `port`."""

    folder: Path
    port: int
    target: AwsTarget
    config: dict[str, str] = field(default_factory=dict[str, str])

    def stack(self, name: str, program: Callable[[], None], **config: str) -> automation.Stack:
        """Returns a stack of an inline program with `aws:` config (keys without the namespace)."""
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        root = engine_root(self.folder)
        stack = automation.create_or_select_stack(
            stack_name=name,
            project_name=PROJECT,
            program=program,
            opts=automation.LocalWorkspaceOptions(
                pulumi_command=automation.PulumiCommand(root=str(root) if root else None),
                pulumi_home=str(self.folder / "home"),
                env_vars={
                    "PULUMI_BACKEND_URL": state.as_uri(),
                    "PULUMI_CONFIG_PASSPHRASE": "a passphrase",
                    "PULUMI_SKIP_UPDATE_CHECK": "true",
                    "PULUMI_DEBUG_PROVIDERS": f"aws:{self.port}",
                    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                },
                project_settings=automation.ProjectSettings(
                    name=PROJECT, runtime="python", backend=automation.ProjectBackend(state.as_uri())
                ),
            ),
        )
        for key, value in ({"region": self.target.region} | config).items():
            stack.set_config(f"aws:{key}", automation.ConfigValue(value))
        return stack
