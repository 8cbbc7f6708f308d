"""AWS clients; endpoint, region and credentials come from the environment Lambda sets.

botocore makes them, as it does for boto3: without boto3's resources and transfers, and without a search for all of
AWS's services, a function starts sooner (docs/bench.md).
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from botocore import session
from botocore.config import Config
from botocore.loaders import Loader

#: All that the functions speak to.
SERVICES = ("s3", "secretsmanager", "sqs")


class _Loader(Loader):
    """Finds the descriptions of our services where botocore keeps them, and looks for no other."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  # every kind of description
        return [*SERVICES]


def config(*, connect: float, read: float, attempts: int, **more: Any) -> Config:
    """Time-outs in seconds for one try, and how many tries."""
    retries: Any = {"total_max_attempts": attempts, "mode": "standard"}
    return Config(connect_timeout=connect, read_timeout=read, retries=retries, **more)


def client(service: str, settings: Config) -> Any:
    """A client of one of SERVICES; no request is made."""
    return default_session().create_client(service, config=settings)


@cache
def default_session() -> Any:
    """The session of this process: its clients share credentials and the descriptions of the services."""
    made = cast("Any", session).get_session()
    made.register_component("data_loader", _Loader())
    return made
