"""boto3 clients; endpoint, region and credentials come from the environment Lambda sets."""

from __future__ import annotations

from typing import Any, cast

import boto3
from botocore.config import Config


def config(*, connect: float, read: float, attempts: int, **more: Any) -> Config:
    """Time-outs in seconds for one try, and how many tries."""
    retries: Any = {"total_max_attempts": attempts, "mode": "standard"}
    return Config(connect_timeout=connect, read_timeout=read, retries=retries, **more)


def client(service: str, settings: Config) -> Any:
    """A client; no request is made."""
    return cast("Any", boto3).client(service, config=settings)
