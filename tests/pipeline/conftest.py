"""One local stack for all pipeline tests: real engine, emulator, Airtable's stand-in, deployed functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from scripts.deployment import Deployment
from scripts.local import services, stack
from scripts.local.airtable_server import AirtableServer
from scripts.local.engine.find import find
from scripts.local.services import Services


@dataclass(frozen=True, kw_only=True)
class Local:
    """A running stack, and the stand-ins behind it."""

    services: Services
    airtable: AirtableServer
    deployment: Deployment
    engine: PulumiCommand
    said: tuple[str, ...]


@pytest.fixture(scope="session")
def engine() -> PulumiCommand:
    return find(print)


@pytest.fixture(scope="session")
def local(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    folder: Path = tmp_path_factory.mktemp("stack")
    said: list[str] = []
    with services.run(folder) as (found, airtable):
        deployment = stack.up(found, engine, said.append)
        yield Local(services=found, airtable=airtable, deployment=deployment, engine=engine, said=tuple(said))
