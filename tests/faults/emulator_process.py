"""The local stack's emulator, on the clock that the environment names: `python -m tests.faults.emulator_process`."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.services import s3, sqs

from scripts.local import emulator_server
from tests.faults.clock import Clock
from tests.faults.emulator import CLOCK, end_with_parent


def main() -> None:
    """Serve; signatures and tokens are judged by the wall's clock, queues and objects live by the test's."""
    end_with_parent()
    clock = Clock(Path(os.environ[CLOCK]))
    queues: Any = sqs
    queues.time = SimpleNamespace(time=clock)
    objects: Any = s3
    objects.now_iso = lambda: clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    emulator_server.main()


if __name__ == "__main__":
    main()
