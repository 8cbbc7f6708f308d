"""Processes of the functions: forked in milliseconds from one that has imported everything, and killable one by one.

`python -m tests.faults.instances` takes orders as JSON lines on stdin and answers each with one on stdout.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.clock import Clock, Switch, wait_real
from tests.faults.emulator import CLOCK, end_with_parent


class Instance:
    """One process of a function. What it prints is in `log`."""

    def __init__(self, nursery: Nursery, pid: int, log: Path) -> None:
        self._nursery, self.pid, self.log = nursery, pid, log
        self._ended: int | None = None

    def ended(self) -> int | None:
        """None while it runs, then its exit code; killed: the negative signal."""
        if self._ended is None:
            self._ended = self._nursery.order({"poll": self.pid})["ended"]
        return self._ended

    def wait(self, seconds: float) -> int | None:
        """As `ended`, after at most so many (real) seconds."""
        for _ in range(int(seconds / 0.002)):
            if self.ended() is not None:
                break
            wait_real(0.002)
        return self.ended()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone; harmless when it is gone."""
        if self.ended() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait(10)

    def lines(self) -> list[dict[str, Any]]:
        """What it has printed: the functions' log lines and metrics, and the worker's own `trace`."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


class Nursery:
    """The process that forks the others; all of them end with it, and it ends with us."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count, self._lock = folder, 0, threading.Lock()
        with (folder / "instances.log").open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.instances"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def start(self, role: str, environment: Mapping[str, str], **more: Any) -> Instance:
        """A new process: `role` is the function, `environment` all it sees, `more` what its role takes."""
        self._count += 1
        log = self._folder / f"{role}-{self._count}.log"
        log.touch(mode=0o600)
        pid = self.order({"role": role, "environment": dict(environment), "log": str(log), **more})["pid"]
        return Instance(self, pid, log)

    def order(self, what: Mapping[str, Any]) -> dict[str, Any]:
        """Give an order, take the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it, and with it every process it forked."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(10)


def main() -> None:
    """Take orders until there are no more."""
    switch = Switch()
    switch.install()
    from tests.faults import roles  # noqa: PLC0415 - what it imports must see the switch instead of `time.time`

    roles.prepare()
    for line in sys.stdin:
        order = json.loads(line)
        if "poll" in order:
            pid, status = os.waitpid(order["poll"], os.WNOHANG)
            answer = {"ended": os.waitstatus_to_exitcode(status) if pid else None}
        else:
            answer = {"pid": _fork(order, switch, roles.RUN)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _fork(order: Mapping[str, Any], switch: Switch, run: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        end_with_parent()
        nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(order["log"], os.O_WRONLY | os.O_APPEND)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stdout = os.fdopen(1, "w", buffering=1)  # whole lines, also of a process that is killed
        os.environ.clear()
        os.environ.update(order["environment"])
        switch.clock = Clock(Path(os.environ[CLOCK]))
        run[order["role"]](order)
        code = 0
    except BaseException as error:  # noqa: BLE001 - a forked child must never return to its parent's loop
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
    os._exit(code)


if __name__ == "__main__":
    main()
