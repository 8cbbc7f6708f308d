"""One emulator and one stand-in for all tests of the stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.local.aws_provider import serve

from .bench import Bench, local_aws

if TYPE_CHECKING:
    from collections.abc import Generator

    from pulumi.automation import PulumiCommand


@pytest.fixture(scope="session")
def bench(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Generator[Bench]:
    folder = tmp_path_factory.mktemp("aws-provider")
    with local_aws(folder) as target, serve(target) as port:
        yield Bench(folder=folder, port=port, target=target, engine=engine)
