"""Commands in a process of their own, killed without a word of warning once they have come so far."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from infra.package import ROOT
from scripts.local.services import Services

PATIENCE_SECONDS = 300.0


class Halting(io.StringIO):
    """Stderr for a command that goes on no more once a line of it holds `word`: whoever kills it then may be slow."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word, self._line = word, ""

    def write(self, text: str, /) -> int:
        """Pass it on at once; does not return when the word was said."""
        sys.stderr.write(text)
        sys.stderr.flush()
        *whole, self._line = (self._line + text).split("\n")
        if any(self._word in line for line in whole):
            threading.Event().wait()
        return len(text)


def killed_when(word: str, services: Services, folder: Path, python: Sequence[str], *more: str) -> None:
    """Run Python (`python`: its arguments) and kill it, and all that it started, when a line on stderr holds `word`.

    It is given the path of a file that describes the services, and `more`. Fails the test when it ends without the
    word, or does not say it in time.
    """
    file = folder / "services.json"
    services.save(file)
    command = [sys.executable, *python, str(file), *more]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        stop = threading.Timer(PATIENCE_SECONDS, process.kill)
        stop.start()
        said = list[str]()
        heard = any(said.append(line) or word in line for line in process.stderr)
        os.killpg(process.pid, signal.SIGKILL)
        stop.cancel()
    assert heard, "".join(said[-30:])
