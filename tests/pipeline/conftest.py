"""One local stack for all pipeline tests: real engine, emulator, Airtable's stand-in, deployed functions."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pulumi.automation import ConfigValue, PulumiCommand

from scripts.deployment import Deployment
from scripts.local import services, stack
from scripts.local.airtable_server import AirtableServer
from scripts.local.engine.find import find
from scripts.local.livekit_server import LiveKitServer
from scripts.local.services import Services


@dataclass(frozen=True, kw_only=True)
class Local:
    """A running stack, and the stand-ins behind it."""

    services: Services
    airtable: AirtableServer
    livekit: LiveKitServer
    deployment: Deployment
    engine: PulumiCommand
    said: tuple[str, ...]


@pytest.fixture(scope="session")
def engine() -> PulumiCommand:
    return find(print)


@contextmanager
def made(folder: Path, engine: PulumiCommand, changes: Mapping[str, ConfigValue] | None = None) -> Generator[Local]:
    """A stack of its own, with services of its own, for the length of the block; `changes` to its configuration."""
    said: list[str] = []
    with services.run(folder, "tests.pipeline.emulator_server") as (found, airtable, livekit):
        deployment = stack.up(found, engine, said.append, changes)
        yield Local(
            services=found, airtable=airtable, livekit=livekit, deployment=deployment, engine=engine, said=tuple(said)
        )


@pytest.fixture(scope="session")
def local(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The stack that most tests share; whoever leaves a message or a change in it puts it right again."""
    with made(tmp_path_factory.mktemp("stack"), engine) as found:
        yield found
