"""The local stack's own certificate authority: the emulator speaks TLS, so that policies about TLS hold there too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificates:
    """Files in PEM: the server's chain and key (mode 600), and the bundle that clients trust."""

    chain: Path
    key: Path
    bundle: Path


def issue(folder: Path) -> Certificates:
    """Make an authority that dies with this call, and a certificate of it for this machine's loopback names.

    The bundle holds the public authorities besides, since AWS_CA_BUNDLE and REQUESTS_CA_BUNDLE replace them.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = trustme.CA(organization_name="callrec local stack")
    server = authority.issue_cert("localhost", "127.0.0.1", "*.localhost")
    made = Certificates(chain=folder / "server.pem", key=folder / "server.key", bundle=folder / "bundle.pem")
    made.key.touch(mode=0o600)
    server.private_key_pem.write_to_path(str(made.key))
    made.chain.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    made.bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes())
    return made
