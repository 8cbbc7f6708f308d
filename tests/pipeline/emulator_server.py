"""The emulator, whose quarter of an hour never comes: `python -m tests.pipeline.emulator_server`.

A stack sets off `reconcile` every 15 minutes, by a rule of its own. A stack that many tests share would be that old in
the middle of one of them, and what that one counts, or loses on purpose, be mended behind its back.
"""

from __future__ import annotations

from typing import Any

from ministack.services import eventbridge

from infra.keys import KEYS
from scripts.local import emulator_server

[MINUTES] = [key.default for key in KEYS if key.name == "reconcileMinutes"]
NEVER = 10**9


def main() -> None:
    """Serve; rules of every other pace go off as they do anywhere."""
    service: Any = eventbridge
    seconds = service._parse_rate_seconds
    service._parse_rate_seconds = lambda rate: NEVER if rate == f"rate({MINUTES} minutes)" else seconds(rate)
    emulator_server.main()


if __name__ == "__main__":
    main()
