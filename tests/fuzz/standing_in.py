"""A handler's App replaced while it is fuzzed, and put back: other tests run in the same process."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any


@contextlib.contextmanager
def app_of(module: Any, app: object) -> Generator[None]:
    """`module.app()` is `app` meanwhile."""
    original = module.app
    module.app = lambda: app
    try:
        yield
    finally:
        module.app = original
