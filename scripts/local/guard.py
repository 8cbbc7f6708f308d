"""Runs a command that must not outlive whoever started it: `python -m scripts.local.guard COMMAND…`.

Standard input is a pipe whose other end only the starter holds. When the starter ends, however it ends, the pipe
closes, and the command's whole process group is ended with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 1.0


def main() -> int:
    """Run the command until it ends or the starter does; its exit code is ours."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 -- our starter's words

    def end(*_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    def watch() -> None:
        while os.read(0, 1024):
            pass
        end()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches the starter, which closes the pipe
    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    end()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
