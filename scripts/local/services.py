"""What stands in for the outside world on this machine: AWS, Airtable and LiveKit."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scripts.local import emulator
from scripts.local.airtable_server import AirtableServer
from scripts.local.livekit_server import LiveKitServer


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """Where the stand-ins listen, and the secrets made up for this run; `folder` holds all of their files."""

    folder: str
    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    ca_bundle: str
    airtable_url: str
    airtable_base: str
    airtable_table: str
    airtable_token: str = field(repr=False)
    airtable_admin_token: str = field(repr=False)
    livekit_url: str
    livekit_api_key: str
    livekit_api_secret: str = field(repr=False)
    livekit_admin_token: str = field(repr=False)
    link_signing_key: str = field(repr=False)
    passphrase: str = field(repr=False)

    def save(self, path: Path) -> None:
        """Write everything, secrets included, to a file that only its owner may read; whole or not at all."""
        unfinished = path.with_suffix(".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file)
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> Services:
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text()))


@contextmanager
def run(folder: Path, server: str = emulator.SERVER) -> Generator[tuple[Services, AirtableServer, LiveKitServer]]:
    """Run the stand-ins with all of their files under `folder` until the block ends; AWS's by the module `server`."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for stale in ("state", "workspace", "pulumi"):  # of a run that was killed: its passphrase is gone
        shutil.rmtree(folder / stale, ignore_errors=True)
    with (
        emulator.run(folder, server) as aws,
        AirtableServer() as airtable,
        LiveKitServer(ca_bundle=str(aws.ca_bundle)) as livekit,
    ):
        yield (
            Services(
                folder=str(folder),
                endpoint_url=aws.endpoint_url,
                region=aws.region,
                access_key_id=aws.access_key_id,
                secret_access_key=aws.secret_access_key,
                ca_bundle=str(aws.ca_bundle),
                airtable_url=airtable.url,
                airtable_base=airtable.base_id,
                airtable_table=airtable.table,
                airtable_token=airtable.token,
                airtable_admin_token=airtable.admin_token,
                livekit_url=livekit.url,
                livekit_api_key=livekit.api_key,
                livekit_api_secret=livekit.api_secret,
                livekit_admin_token=livekit.admin_token,
                link_signing_key=secrets.token_urlsafe(36),
                passphrase=secrets.token_urlsafe(24),
            ),
            airtable,
            livekit,
        )
