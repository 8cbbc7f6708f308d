"""One local stack and one browser for all browser tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from pulumi.automation import PulumiCommand

from scripts.local.engine.find import find as find_engine
from tests.browser.chromium import find
from tests.pipeline.conftest import Local, made


@pytest.fixture(scope="session")
def engine() -> PulumiCommand:
    return find_engine(print)


@pytest.fixture(scope="session")
def local(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with made(tmp_path_factory.mktemp("browser"), engine) as found:
        yield found


@pytest.fixture(scope="session")
def browser(local: Local) -> Iterator[Browser]:  # the stack first: its engine wants no running event loop
    chromium = find(print)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium.path,
            env={**os.environ, **chromium.environment},
            # The pages are our own; as root Chromium's sandbox does not start.
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield running
        running.close()
