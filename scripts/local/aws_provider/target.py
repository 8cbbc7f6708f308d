"""Which AWS the stand-in talks to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class AwsTarget:
    """The endpoint and the credentials every request goes out with; the secret key stays out of `repr`."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    ca_bundle: Path | None = None
