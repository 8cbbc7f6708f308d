"""What tests of the functions and of the commands that write into Airtable share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.local.airtable_server import AirtableServer


@pytest.fixture
def server() -> Iterator[AirtableServer]:
    """Airtable's stand-in over HTTP, without its rate limit."""
    with AirtableServer() as made:
        made.rate_limit.enabled = False
        yield made
