"""The emulator of the bad twin, in which whatever IAM makes is half a year old: `python -m tests.audit.twin_server`."""

from __future__ import annotations

import time
from typing import Any

from ministack.services import iam

from scripts.local import emulator_server

AGE_SECONDS = 180 * 24 * 3600


def main() -> None:
    """Serve; only the dates that IAM tells are old."""
    service: Any = iam
    service._now = lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - AGE_SECONDS))
    emulator_server.main()


if __name__ == "__main__":
    main()
