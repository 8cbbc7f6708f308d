"""A background process of the local stack: guarded, logged to a file, and gone when its starter is."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.errors import LocalStackError

STOP_SECONDS = 15.0


class Process:
    """`command` run under the guard; what it prints goes to `log` (mode 600)."""

    def __init__(self, name: str, command: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        log.touch(mode=0o600)
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 -- the stack's own commands
                [sys.executable, "-m", "scripts.local.guard", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=dict(environment),
            )

    @property
    def pid(self) -> int:
        """The guard's process id."""
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready` says so.

        Raises LocalStackError when the process ends first, or after `seconds`.
        """
        until = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None:
                raise LocalStackError(f"{self.name} ended while it started: see {self.log}\n{self._last_lines()}")
            if time.monotonic() > until:
                raise LocalStackError(f"{self.name} was not ready within {seconds:.0f} s: see {self.log}")
            time.sleep(0.05)

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process and whatever it started; harmless when it has ended."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
