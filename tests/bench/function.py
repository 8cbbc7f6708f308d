"""One Lambda function as a process of its own: AWS's runtime client, our server, nothing else of this environment."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.libraries import python_environment
from tests.bench.runtime_api import FunctionError, RuntimeApi

_CORE = "import sys; from awslambdaric.__main__ import main; main(sys.argv)"
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, kw_only=True)
class Function:
    """A running function. `init_s`: from the start of the process to its first question for an event."""

    api: RuntimeApi
    pid: int
    init_s: float

    def invoke(self, event: object) -> Any:
        """The function's answer to one event; FunctionError."""
        return self.api.invoke(event)

    def cpu_s(self) -> float:
        """Seconds of processor time the process has used since it started, all threads."""
        clock = ctypes.c_int()
        if _LIBC.clock_getcpuclockid(self.pid, ctypes.byref(clock)):
            raise ProcessLookupError(f"process {self.pid} is gone")
        return time.clock_gettime(clock.value)

    def peak_mb(self) -> float:
        """The most memory it ever had, in MB (resident)."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


@contextlib.contextmanager
def function(
    handler: str, path: Sequence[Path], environment: Mapping[str, str], *, log: Path = Path(os.devnull)
) -> Generator[Function]:
    """Start `handler` with `path` as its only libraries and wait until it is ready; FunctionError when it never is.

    What it prints goes to `log`. `-S`: a virtual environment's libraries stay out.
    """
    with RuntimeApi() as api, log.open("ab") as printed:
        lambdas = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": handler.split(".")[-2],
            "LAMBDA_TASK_ROOT": str(path[0]),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PATH": os.defpath,
        }
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", _CORE, handler],
            env=lambdas | python_environment(path) | dict(environment),
            cwd=path[0],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        try:
            ready = _ready(api.ready, process)
            yield Function(api=api, pid=process.pid, init_s=ready - began)
        finally:
            process.kill()
            process.wait()


def _ready(ready: Future[float], process: subprocess.Popen[bytes], seconds: float = 120) -> float:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(TimeoutError):
            return ready.result(timeout=0.5)
        if process.poll() is not None and not ready.done():
            raise FunctionError(f"the function's process ended with {process.returncode} before it was ready")
    raise FunctionError("the function did not get ready")
