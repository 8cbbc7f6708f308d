"""Keeps the local stack's services running after `callrec local up` has ended, until `callrec local down`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from scripts.errors import LocalStackError
from scripts.local import services
from scripts.local.services import Services

START_SECONDS = 90.0
STOP_SECONDS = 20.0


def running(folder: Path) -> Services | None:
    """The services of `folder` when their supervisor is alive."""
    return Services.load(state_file(folder)) if _supervisor(folder) else None


def start(folder: Path) -> Services:
    """Start the services in the background, or find them running.

    Raises LocalStackError when they do not come up; their log says why.
    """
    found = running(folder)
    if found is not None:
        return found
    stop(folder)  # what a killed run left behind
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / "supervisor.log"
    log.touch(mode=0o600)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 -- fixed words and our own folder
            [sys.executable, "-m", "scripts.local.supervisor", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _pid(folder).write_text(str(process.pid))
    until = time.monotonic() + START_SECONDS
    while not state_file(folder).exists():
        if process.poll() is not None or time.monotonic() > until:
            raise LocalStackError(f"the local services did not start: see {log}")
        time.sleep(0.05)
    return Services.load(state_file(folder))


def stop(folder: Path) -> bool:
    """Stop the services and remove all of their files; False when there was nothing to stop."""
    supervisor = _supervisor(folder)
    if supervisor is not None:
        supervisor.terminate()
        try:
            supervisor.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            supervisor.kill()
    shutil.rmtree(folder, ignore_errors=True)
    return supervisor is not None


def state_file(folder: Path) -> Path:
    return folder / "services.json"


def _pid(folder: Path) -> Path:
    return folder / "supervisor.pid"


def _supervisor(folder: Path) -> psutil.Process | None:
    """The supervisor of `folder`; never a stranger that was given its number since."""
    try:
        process = psutil.Process(int(_pid(folder).read_text()))
        return process if str(folder) in process.cmdline() and process.is_running() else None
    except (OSError, ValueError, psutil.Error):
        return None


def main() -> None:
    """Serve until SIGTERM; everything started here ends with this process."""
    folder = Path(sys.argv[1])
    ended = threading.Event()

    def end(*_: object) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    with services.run(folder) as (found, _, _):
        found.save(state_file(folder))
        ended.wait()
    with contextlib.suppress(OSError):
        os.unlink(state_file(folder))  # noqa: PTH108 -- nothing else may happen between signal and exit


if __name__ == "__main__":
    main()
